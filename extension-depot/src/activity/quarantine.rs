//! Extensions that fail again and again are not called until their user says so.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;

use core_types::{CallRecord, Digest, ExtensionName};
use private_files::names_in;
use serde::{Deserialize, Serialize};

use crate::files::state_file::{self, StateFile};
use crate::store::depot::Depot;
use crate::store::depot_error::DepotError;

/// After so many crashes and limits in a row an extension is put aside.
const FAILURES: u32 = 5;
/// The longest reason that is kept, in characters.
const MAX_REASON: usize = 200;

/// Why an extension is not called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// The digest of what failed. Another version starts anew.
    pinned: Digest,
    /// How often in a row.
    pub failures: u32,
    /// How it failed last, in words that may quote the extension.
    pub reason: String,
}

/// How it failed, in words.
impl fmt::Display for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it failed {} times in a row, last: {}", self.failures, self.reason)
    }
}

impl StateFile for Quarantine {
    const FORMAT: u32 = 1;
}

impl Quarantine {
    /// Whether it failed often enough to be put aside.
    fn is_in_force(&self) -> bool {
        self.failures >= FAILURES
    }
}

impl Depot {
    /// Why the extension with this digest is put aside, if it is.
    pub fn quarantine(&self, name: &ExtensionName, pinned: &Digest) -> Option<Quarantine> {
        self.health(name).filter(|health| health.pinned == *pinned && health.is_in_force())
    }

    pub(crate) fn note_failure(
        &self,
        name: &ExtensionName,
        pinned: &Digest,
        call: &CallRecord,
    ) -> Result<Option<Quarantine>, DepotError> {
        let before = self.health(name).filter(|health| health.pinned == *pinned);
        let reason =
            call.reason.as_deref().unwrap_or("it failed").chars().take(MAX_REASON).collect();
        let failures = before.map_or(0, |health| health.failures) + 1;
        let health = Quarantine { pinned: *pinned, failures, reason };
        let path = self.places().health(name);
        state_file::write(&path, &health)?;
        Ok(Some(health).filter(|health| health.failures == FAILURES))
    }

    /// Lets an extension be called again. Gives back whether there was something to forget.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn forget_failures(&self, name: &ExtensionName) -> Result<bool, DepotError> {
        let path = self.places().health(name);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(DepotError::Io { path, source }),
        }
    }

    /// The extensions that failed lately, in one look at their directory.
    pub(crate) fn failed(&self) -> Result<HashSet<ExtensionName>, DepotError> {
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
