//! Notes a call.

use core_types::{CallOutcome, CallRecord, Digest, ExtensionName};

use crate::activity::activity_log::ActivityLog;
use crate::activity::quarantine::Quarantine;
use crate::store::depot::Depot;
use crate::store::depot_error::DepotError;

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
    ) -> Result<Option<Quarantine>, DepotError> {
        let logged = self.activity().append(call.clone());
        let noted = match call.outcome {
            CallOutcome::Crashed | CallOutcome::Limit => self.note_failure(name, pinned, call),
            CallOutcome::Returned | CallOutcome::Error => self.forget_failures(name).map(|_| None),
            CallOutcome::Refused | CallOutcome::Cancelled | CallOutcome::Failed => Ok(None),
        };
        logged?;
        noted
    }
}
