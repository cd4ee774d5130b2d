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
    /// How often the session service crashed while it ran; 0 where the extension itself failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub service_crashes: u32,
}

/// How it failed, in words.
impl fmt::Display for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.service_crashes > 0 {
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
        Self { pinned, failures, reason, service_crashes: 0 }
    }

    /// Quarantines an extension that ran at each of so many crashes of the session service. Versions of
    /// sesame that know failures alone heed it as well.
    pub(crate) fn of_service(pinned: Digest, crashes: u32) -> Self {
        let reason =
            format!("the session service crashed {crashes} times within five minutes while it ran");
        Self { pinned, failures: FAILURES.max(crashes), reason, service_crashes: crashes }
    }

    /// Returns whether it failed often enough to be quarantined.
    pub(crate) fn is_in_force(&self) -> bool {
        self.failures >= FAILURES
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}
