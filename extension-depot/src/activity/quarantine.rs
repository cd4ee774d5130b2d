//! Extensions that fail again and again are not called until their user says so.

use std::fmt;

use core_types::Digest;
use serde::{Deserialize, Serialize};

use crate::files::state_file::StateFile;

/// The failures in a row after which an extension is quarantined: enough to tell a broken extension
/// from a bad input, and few enough that it does not bother its user all day.
pub(crate) const FAILURES: u32 = 5;

/// Why an extension is not called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// The digest of what failed. Another version starts anew.
    pub(crate) pinned: Digest,
    /// How often in a row.
    pub failures: u32,
    /// How it failed last, in words that may quote the extension.
    pub reason: String,
    /// Whether the session service crashed while it ran, rather than the extension itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_crashed_service: bool,
}

/// How it failed, in words.
impl fmt::Display for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.has_crashed_service {
            return f.write_str(&self.reason);
        }
        write!(f, "it failed {} times in a row, last: {}", self.failures, self.reason)
    }
}

impl StateFile for Quarantine {
    const FORMAT: u32 = 1;
}

impl Quarantine {
    /// Counts failures of the extension itself.
    pub(crate) fn of_failures(pinned: Digest, failures: u32, reason: String) -> Self {
        Self { pinned, failures, reason, has_crashed_service: false }
    }

    /// Says that the session service crashed while it ran, so many times within minutes.
    pub(crate) fn of_service(pinned: Digest, crashes: usize) -> Self {
        Self {
            pinned,
            failures: u32::try_from(crashes).unwrap_or(u32::MAX),
            reason: format!("the session service crashed {crashes} times in a row while it ran"),
            has_crashed_service: true,
        }
    }

    /// Returns whether it is put aside because the session service crashed while it ran.
    pub fn has_crashed_service(&self) -> bool {
        self.has_crashed_service
    }

    /// Returns whether it failed often enough to be quarantined.
    pub(crate) fn is_in_force(&self) -> bool {
        self.has_crashed_service || self.failures >= FAILURES
    }
}
