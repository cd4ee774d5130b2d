//! Notes a call.

use core_types::{CallOutcome, CallRecord, Digest, ExtensionName};

use crate::activity::activity_log::{ActivityError, ActivityLog};
use crate::activity::quarantine::Quarantine;
use crate::files::stored_file::StoredFileError;
use crate::store::depot::Depot;

/// Why a call is not noted. It has been made all the same.
#[derive(Debug, thiserror::Error)]
pub enum NoteCallError {
    /// The activity log cannot be written.
    #[error(transparent)]
    Activity(#[from] ActivityError),
    /// The failures in a row cannot be written or forgotten.
    #[error(transparent)]
    Failures(#[from] StoredFileError),
}

impl Depot {
    /// Returns the log of what extensions did.
    pub fn activity(&self) -> ActivityLog {
        ActivityLog::new(self.places().activity())
    }

    /// Takes note of a call: in the activity log, and of how it ended. Returns why the extension is
    /// quarantined, if this call did that. To be given to whatever runs extensions, as its
    /// observer.
    ///
    /// Calls at the same moment can miss each other's failures; then it takes one failure more.
    ///
    /// # Errors
    /// When it cannot be written. The call has been made all the same, and the caller should report
    /// the error.
    pub fn note_call(
        &self,
        name: &ExtensionName,
        pinned: &Digest,
        call: &CallRecord,
    ) -> Result<Option<Quarantine>, NoteCallError> {
        let logged = self.activity().append(call.clone());
        let counted = self.count_failure(name, pinned, call);
        logged?;
        Ok(counted?)
    }

    fn count_failure(
        &self,
        name: &ExtensionName,
        pinned: &Digest,
        call: &CallRecord,
    ) -> Result<Option<Quarantine>, StoredFileError> {
        match call.outcome {
            CallOutcome::Crashed | CallOutcome::Limit => {
                return Ok(self.note_failure(name, pinned, call)?);
            }
            CallOutcome::Returned | CallOutcome::Error => {
                self.end_failures_in_a_row(name, pinned)?
            }
            CallOutcome::Refused | CallOutcome::Cancelled | CallOutcome::Failed => {}
        }
        Ok(None)
    }
}
