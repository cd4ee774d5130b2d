//! What an extension said about a workload.

use extension_host::{ValidationProblem, Workload};

use crate::document::Form;

/// What came of `workload`.
pub enum WorkloadReport {
    /// `validate`: what is wrong; nothing when the workload is valid.
    Validated(Vec<ValidationProblem>),
    /// `default`, `sync`: the workload as it is now, to be written as it was read.
    Changed { workload: Workload, form: Form },
    /// `delete`: why it could not be cleaned up, if it could not.
    Deleted(Option<String>),
}

impl WorkloadReport {
    /// Whether the extension says no.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Validated(problems) => !problems.is_empty(),
            Self::Changed { .. } => false,
            Self::Deleted(error) => error.is_some(),
        }
    }
}
