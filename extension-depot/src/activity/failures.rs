//! Counts the failures of extensions in a row.

use std::collections::HashSet;
use std::fs;
use std::io;

use core_types::{CallRecord, Digest, ExtensionName};
use private_files::{FileError, names_in};

use crate::activity::quarantine::{FAILURES, Quarantine};
use crate::files::state_file::{self, StateFileError};
use crate::store::depot::Depot;

/// The longest reason that is kept, in characters: two or three lines of a terminal.
const MAX_REASON: usize = 200;

impl Depot {
    /// Returns why the extension with this digest is quarantined, if it is.
    pub fn quarantine(&self, name: &ExtensionName, pinned: &Digest) -> Option<Quarantine> {
        self.health(name).filter(|health| health.pinned == *pinned && health.is_in_force())
    }

    pub(crate) fn note_failure(
        &self,
        name: &ExtensionName,
        pinned: &Digest,
        call: &CallRecord,
    ) -> Result<Option<Quarantine>, StateFileError> {
        let before = self.health(name).filter(|health| health.pinned == *pinned);
        if before.as_ref().is_some_and(Quarantine::is_in_force) {
            // Of a call that began before.
            return Ok(None);
        }
        let reason =
            call.reason.as_deref().unwrap_or("it failed").chars().take(MAX_REASON).collect();
        let failures = before.map_or(0, |health| health.failures) + 1;
        let health = Quarantine::of_failures(*pinned, failures, reason);
        let path = self.places().health(name);
        state_file::write(&path, &health)?;
        Ok(Some(health).filter(|health| health.failures == FAILURES))
    }

    /// Forgets failures after a call without one. A quarantine stays: the call began before it.
    pub(crate) fn end_failures_in_a_row(
        &self,
        name: &ExtensionName,
        pinned: &Digest,
    ) -> Result<(), FileError> {
        let is_over = |health: Quarantine| health.pinned != *pinned || !health.is_in_force();
        if self.health(name).is_some_and(is_over) {
            self.forget_failures(name)?;
        }
        Ok(())
    }

    /// Lets an extension be called again. Returns whether there was something to forget.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn forget_failures(&self, name: &ExtensionName) -> Result<bool, FileError> {
        let path = self.places().health(name);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(FileError { path, source }),
        }
    }

    /// Returns the extensions that failed recently, in one look at their directory.
    pub(crate) fn failed(&self) -> Result<HashSet<ExtensionName>, FileError> {
        let files = names_in(&self.places().extension_state().join("health"))?;
        Ok(files
            .iter()
            .filter_map(|file| file.to_str()?.strip_suffix(".json")?.parse().ok())
            .collect())
    }

    fn health(&self, name: &ExtensionName) -> Option<Quarantine> {
        // What cannot be read is as good as never having failed.
        state_file::read(&self.places().health(name)).ok().flatten()
    }
}
