//! The answers of an extension about a workload.

use extension_host::{ValidationProblem, Workload};

use crate::suffiks::document::Form;

/// The outcome of `workload`.
pub enum WorkloadReport {
    /// `validate`: the problems; none for a valid workload.
    Validated(Vec<ValidationProblem>),
    /// `default`, `sync`: the workload as it is now, to be written as it was read.
    Changed { workload: Workload, form: Form },
    /// `delete`: why it could not be cleaned up, if it could not.
    Deleted(Option<String>),
}

impl WorkloadReport {
    /// Returns whether the extension refuses.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Validated(problems) => !problems.is_empty(),
            Self::Changed { .. } => false,
            Self::Deleted(error) => error.is_some(),
        }
    }
}
