//! Changes the grants of a manifest.

use core_types::{Capabilities, ExtensionName, Grant, LimitName};

use crate::history::generation::Reason;
use crate::manifest::edit::{EditError, ensure_still};
use crate::manifest::guest_paths::{GuestPathTaken, check_guest_paths};
use crate::store::basis::ChangedMeanwhile;
use crate::store::depot::Installed;
use crate::store::locked_depot::LockedDepot;

/// Why the capabilities in a manifest are not changed. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ChangeCapabilitiesError {
    /// The manifest cannot be edited.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// It would grant two directories under one path for the guest.
    #[error(transparent)]
    SameGuestPath(#[from] GuestPathTaken),
}

/// Why an extension that was found installed gets no grants. Its manifest is as it was.
#[derive(Debug, thiserror::Error)]
pub enum GrantInstalledError {
    /// The manifest cannot be edited.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// It would grant two directories under one path for the guest.
    #[error(transparent)]
    SameGuestPath(#[from] GuestPathTaken),
    /// Something else has the name by now, or other grants.
    #[error(transparent)]
    Changed(#[from] ChangedMeanwhile),
}

impl LockedDepot<'_> {
    /// Changes the capabilities in a manifest. `change` says whether it changed anything; if not,
    /// nothing is written. Returns its result.
    ///
    /// # Errors
    /// When the manifest is missing or cannot be written.
    pub fn change_capabilities(
        &self,
        name: &ExtensionName,
        reason: Reason,
        change: impl FnOnce(&mut Capabilities) -> bool,
    ) -> Result<bool, ChangeCapabilitiesError> {
        self.edit(name, reason, |loaded, editor| {
            let mut after = loaded.manifest.granted();
            let changed = change(&mut after);
            if changed {
                check_guest_paths(name, &after)?;
                editor.set_capabilities(loaded.manifest.capabilities.as_ref(), &after);
            }
            Ok(changed)
        })
    }

    /// Adds grants to the manifest of an extension that was found installed. Returns whether that
    /// changed anything.
    ///
    /// # Errors
    /// [`GrantInstalledError::Changed`] when something else has the name by now, or when it cannot be
    /// written.
    pub fn grant_installed(
        &self,
        found: &Installed,
        grants: &[Grant],
    ) -> Result<bool, GrantInstalledError> {
        self.edit(&found.name, Reason::Granted, |loaded, editor| {
            ensure_still(loaded, found)?;
            let mut after = loaded.manifest.granted();
            let added = grants.iter().filter(|grant| after.add(grant)).count();
            check_guest_paths(&found.name, &after)?;
            editor.set_capabilities(loaded.manifest.capabilities.as_ref(), &after);
            Ok(added > 0)
        })
    }

    /// Writes the capabilities and limits that a call needed: all capabilities, and the given
    /// limits.
    ///
    /// # Errors
    /// [`GrantInstalledError::Changed`] when something else has the name by now, or other grants. When it
    /// cannot be written.
    pub fn set_needs(
        &self,
        found: &Installed,
        capabilities: &Capabilities,
        limits: &[(LimitName, u64)],
    ) -> Result<(), GrantInstalledError> {
        let edited = self.edit(&found.name, Reason::Learned, |loaded, editor| {
            ensure_still(loaded, found)?;
            if loaded.manifest.capabilities != found.loaded.manifest.capabilities {
                return Err(ChangedMeanwhile { name: found.name.clone() }.into());
            }
            check_guest_paths(&found.name, capabilities)?;
            editor.set_capabilities(loaded.manifest.capabilities.as_ref(), capabilities);
            limits.iter().for_each(|(name, value)| editor.set_limit(*name, *value));
            Ok(true)
        });
        edited.map(drop)
    }
}
