//! Directories that extensions ask for or are granted.

use core_types::{Authority, Capabilities, ExtensionName, Grant, GrantedPath};
use extension_depot::{Depot, LoadedManifest, TimedGrantsError};
use extension_host::{DirectoryError, DirectoryRules, boot_time};

use crate::events::{Event, Events, Warning};
use crate::manager::Manager;

/// Why directories cannot be granted.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryGrantError {
    /// A directory that no extension gets.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The grants that end cannot be read.
    #[error(transparent)]
    TimedGrants(#[from] TimedGrantsError),
}

impl Manager {
    /// Refuses grants of directories whose use would be refused, and warns of missing directories.
    /// `loaded` is the manifest that they are added to.
    ///
    /// # Errors
    /// When no extension gets a directory, or two would be under one path.
    pub fn check_directories(
        &self,
        name: &ExtensionName,
        loaded: Option<&LoadedManifest>,
        grants: &[Grant],
    ) -> Result<(), DirectoryGrantError> {
        if directories(grants).next().is_none() {
            return Ok(());
        }
        let rules = self.directories();
        for path in directories(grants) {
            match rules.check(path) {
                Err(DirectoryError::Missing { .. }) => {}
                checked => checked?,
            }
        }
        let granted = granted_with(self.depot(), name, loaded, grants)?;
        rules.check_guest_paths(&granted)?;
        warn_of_missing(rules, self.events(), grants);
        Ok(())
    }
}

/// Warns of directories that do not exist: they can be granted, and may be mistyped.
pub(crate) fn warn_of_missing(rules: &DirectoryRules, events: &dyn Events, grants: &[Grant]) {
    for path in directories(grants) {
        if let Err(DirectoryError::Missing { path }) = rules.check(path) {
            events.event(Event::Warning(&Warning::MissingDirectory(path)));
        }
    }
}

/// Returns whether no extension gets the directory of a grant, with a warning that says why.
pub(crate) fn is_protected(rules: &DirectoryRules, events: &dyn Events, grant: &Grant) -> bool {
    let Some(path) = grant.directory() else { return false };
    match rules.check(path) {
        Err(error @ DirectoryError::Protected { .. }) => {
            events.event(Event::Warning(&Warning::ProtectedDirectory(error)));
            true
        }
        _ => false,
    }
}

fn directories(grants: &[Grant]) -> impl Iterator<Item = &GrantedPath> {
    grants.iter().filter_map(Grant::directory)
}

/// Returns the capabilities with these grants added, without regard to policies.
fn granted_with(
    depot: &Depot,
    name: &ExtensionName,
    loaded: Option<&LoadedManifest>,
    grants: &[Grant],
) -> Result<Capabilities, TimedGrantsError> {
    let mut authority = Authority::default();
    if let Some(loaded) = loaded {
        if let Some(reference) = loaded.pinned_reference() {
            authority.timed = depot.timed_grants(name, &reference.identity())?;
        }
        authority.capabilities = loaded.manifest.capabilities.clone();
    }
    let mut capabilities = authority.in_force(boot_time()).into_owned();
    capabilities.extend(grants.iter().cloned());
    Ok(capabilities)
}
