//! Extensions that fail again and again are not called until their user says so.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;

use core_types::{CallOutcome, CallRecord, Digest, ExtensionName, Permissions};
use serde::{Deserialize, Serialize};

use crate::activity::activity_log::ActivityLog;
use crate::config::user_config::UserConfig;
use crate::files::listing::names_in;
use crate::files::state_file::{self, StateFile};
use crate::store::depot::{Depot, Installed};
use crate::store::depot_error::DepotError;
use crate::trust::signature_state::SignatureState;

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

/// An installed extension that may be called, with what it is given: its manifest and the grants of
/// this session, within every policy, at the moment when it was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The extension.
    pub installed: Installed,
    /// What it is given.
    pub permissions: Permissions,
}

impl Depot {
    /// Why the extension with this digest is put aside, if it is.
    pub fn quarantine(&self, name: &ExtensionName, pinned: &Digest) -> Option<Quarantine> {
        self.health(name).filter(|health| health.pinned == *pinned && health.is_in_force())
    }

    /// Takes note of a call: in the activity log, and of how it ended. Gives back why the extension
    /// is put aside, if this call did that. To be given to whatever runs extensions, as its
    /// observer.
    ///
    /// Calls at the same moment can miss each other's failures; then it takes one failure more.
    ///
    /// # Errors
    /// When it cannot be written. The call has been made all the same, and somebody should be told.
    pub fn note_call(
        &self,
        name: &ExtensionName,
        pinned: &Digest,
        call: &CallRecord,
    ) -> Result<Option<Quarantine>, DepotError> {
        let logged = self.activity().append(call);
        let noted = match call.outcome {
            CallOutcome::Crashed | CallOutcome::Limit => self.note_failure(name, pinned, call),
            CallOutcome::Returned | CallOutcome::Error => self.forget_failures(name).map(|_| None),
            CallOutcome::Refused | CallOutcome::Cancelled | CallOutcome::Failed => Ok(None),
        };
        logged?;
        noted
    }

    /// The log of what extensions did.
    pub fn activity(&self) -> ActivityLog {
        ActivityLog::new(self.places().activity())
    }

    /// An extension that may be called now, and what it is given.
    ///
    /// # Errors
    /// When it is not there whole, disabled, put aside, refused by a policy, or the grants of this
    /// session cannot be read.
    pub fn open(&self, name: &ExtensionName, config: &UserConfig) -> Result<Opened, DepotError> {
        let installed = self.installed(name)?;
        if !installed.loaded.manifest.extension.enabled {
            return Err(DepotError::Disabled { name: name.clone() });
        }
        if let Some(quarantine) = self.quarantine(name, &installed.artifact.digest) {
            return Err(DepotError::Quarantined { name: name.clone(), quarantine });
        }
        self.check_policies(&installed, config)?;
        let permissions = self.permissions(&installed, config)?;
        Ok(Opened { installed, permissions })
    }

    /// Makes sure that every policy of this moment lets an extension be called: where it came from,
    /// and who signed it as far as that was found out.
    ///
    /// # Errors
    /// [`DepotError::Policy`] or [`DepotError::Signature`], and what keeps it from being found out.
    pub fn check_policies(
        &self,
        installed: &Installed,
        config: &UserConfig,
    ) -> Result<(), DepotError> {
        config.check_source(&installed.reference)?;
        self.check_recorded_signature(installed, config)
    }

    /// Makes sure that what was found of its signature when it was installed or verified does for
    /// the policies of this moment.
    ///
    /// # Errors
    /// [`DepotError::Signature`]
    pub fn check_recorded_signature(
        &self,
        installed: &Installed,
        config: &UserConfig,
    ) -> Result<(), DepotError> {
        let Installed { name, reference, artifact, .. } = installed;
        if !config.wants_signature(reference) {
            return Ok(());
        }
        let never = || SignatureState::Unchecked { reason: "nobody has looked yet".to_owned() };
        let found = self.record(name, &artifact.digest)?.and_then(|record| record.signature);
        let found = found.map_or_else(never, |checked| checked.state);
        self.check_required_signer(reference, &found, config, false)
    }

    fn note_failure(
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
