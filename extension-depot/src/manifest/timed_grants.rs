//! The grants that end, as files of the login session, and all that is in force for an extension.

use std::io;

use core_types::{ExtensionName, Identity, OciReference, TimedGrants};
use private_files::FileError;

use crate::manifest::timed_grants_file::{TimedGrantsError, read, write};
use crate::store::basis::ChangedMeanwhile;
use crate::store::depot::Depot;
use crate::store::installed_error::{FindError, NotInstalled};
use crate::store::locked_depot::LockedDepot;
use crate::store::remove::remove_file;

/// Why the grants of an extension that end are not changed. They are as they were.
#[derive(Debug, thiserror::Error)]
pub enum ChangeTimedGrantsError {
    /// The extension has no manifest that can be used.
    #[error(transparent)]
    Find(#[from] FindError),
    /// Its manifest does not say where it comes from.
    #[error(transparent)]
    NotInstalled(#[from] NotInstalled),
    /// Something else has the name by now.
    #[error(transparent)]
    Changed(#[from] ChangedMeanwhile),
    /// There is nowhere to keep them that goes with the session.
    #[error("this session has no private runtime directory for timed grants")]
    NoSession,
    /// They cannot be read or written.
    #[error(transparent)]
    Grants(#[from] TimedGrantsError),
}

impl Depot {
    /// Returns the grants that end of the extension of this name and origin, those that have ended
    /// included.
    ///
    /// # Errors
    /// When they are there and cannot be used. Grants that cannot be read grant nothing.
    pub fn timed_grants(
        &self,
        name: &ExtensionName,
        identity: &Identity,
    ) -> Result<TimedGrants, TimedGrantsError> {
        let Some(path) = self.places().timed_grants(name) else {
            return Ok(TimedGrants::default());
        };
        let text = match read(&path) {
            Ok(text) => text,
            Err(TimedGrantsError::Io { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                return Ok(TimedGrants::default().of(identity));
            }
            Err(error) => return Err(error),
        };
        let parsed = TimedGrants::parse(&text)
            .map_err(|problem| TimedGrantsError::Content { path, problem })?;
        Ok(parsed.of(identity))
    }
}

impl LockedDepot<'_> {
    /// Changes the grants of an extension that end. `change` says whether it changed anything.
    /// Returns its result. Where they were decided for an artifact, it is `decided_for`.
    ///
    /// # Errors
    /// [`ChangeTimedGrantsError::Changed`] when something else has the name by now. When the extension is
    /// missing, the session has no runtime directory, or the file cannot be used.
    pub fn change_timed_grants(
        &self,
        name: &ExtensionName,
        decided_for: Option<&OciReference>,
        change: impl FnOnce(&mut TimedGrants) -> bool,
    ) -> Result<bool, ChangeTimedGrantsError> {
        let reference = self.existing_manifest(name)?.manifest.extension.oci;
        let not_installed = || NotInstalled { name: name.clone(), reference: None };
        let reference = reference.ok_or_else(not_installed)?;
        if decided_for.is_some_and(|decided_for| *decided_for != reference) {
            return Err(ChangedMeanwhile { name: name.clone() }.into());
        }
        let identity = reference.identity();
        let mut grants = self.timed_grants(name, &identity)?;
        let was = grants.clone();
        if !change(&mut grants) {
            return Ok(false);
        }
        let path = self.places().timed_grants(name).ok_or(ChangeTimedGrantsError::NoSession)?;
        write(&path, &grants).map_err(|source| TimedGrantsError::Io { path, source })?;
        self.note_timed_change(name, &identity, (&was, &grants));
        Ok(true)
    }

    /// Forgets the grants of an extension that end.
    pub(crate) fn forget_timed_grants(&self, name: &ExtensionName) -> Result<(), FileError> {
        let Some(path) = self.places().timed_grants(name) else { return Ok(()) };
        remove_file(&path).map(drop)
    }
}
