//! Reports each call to the observer, even one that its caller dropped.

use std::sync::Arc;

use core_types::{ActivityRecord, CallOutcome, CallRecord, Cause};

use super::gate::Gate;
use super::report::CallReport;
use crate::error::CallError;

/// The function that is called after each call.
pub(crate) type Observer = Arc<dyn Fn(&CallRecord) + Send + Sync>;

/// Watches over one call. Dropping it before the call has ended means that the caller dropped the
/// call.
pub(crate) struct Watch<'a> {
    observer: Option<&'a Observer>,
    gate: Gate,
    function: &'a str,
    cause: Option<Cause>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(observer: Option<&'a Observer>, gate: Gate, function: &'a str) -> Self {
        let cause = gate.permissions.cause.clone();
        Self { observer, gate, function, cause }
    }

    /// Notes what made the call.
    pub(crate) fn caused_by(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Reports how the call ended. `is_err` tells whether the returned value stands for a failure.
    pub(crate) fn ended<T>(mut self, report: &CallReport<T>, is_err: impl FnOnce(&T) -> bool) {
        let Some(observer) = self.observer.take() else { return };
        let (outcome, reason) = outcome(report, is_err);
        observer(&CallRecord {
            reason,
            activity: ActivityRecord::from(&report.activity),
            fuel: report.usage.fuel,
            peak_memory_bytes: report.usage.memory_bytes as u64,
            elapsed: report.usage.elapsed,
            ..self.record(outcome)
        });
    }

    fn record(&self, outcome: CallOutcome) -> CallRecord {
        let record = CallRecord::of(&self.gate.permissions.owner, self.function, outcome);
        CallRecord { cause: self.cause.clone(), ..record }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(observer) = self.observer.take() {
            observer(&CallRecord {
                activity: ActivityRecord::from(&self.gate.noted()),
                ..self.record(CallOutcome::Cancelled)
            });
        }
    }
}

fn outcome<T>(
    report: &CallReport<T>,
    is_err: impl FnOnce(&T) -> bool,
) -> (CallOutcome, Option<String>) {
    match &report.outcome {
        Ok(returned) if is_err(returned) => (CallOutcome::Error, None),
        Ok(_) => (CallOutcome::Returned, None),
        Err(error) => (outcome_of(error), Some(error.to_string())),
    }
}

fn outcome_of(error: &CallError) -> CallOutcome {
    match error {
        CallError::Limit(_) => CallOutcome::Limit,
        CallError::Trap { .. } | CallError::Fault(_) => CallOutcome::Crashed,
        CallError::Exited { .. } => CallOutcome::Error,
        CallError::OutputClosed => CallOutcome::Cancelled,
        CallError::Directory(_) | CallError::NotWoken(_) => CallOutcome::Refused,
        _ => CallOutcome::Failed,
    }
}
