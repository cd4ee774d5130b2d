//! Calls about a workload, and their answers.

use std::collections::BTreeSet;

use super::changes::Changes;
use super::environment::CommandEnvironment;
use super::resources::Resources;
use super::workload::Workload;

/// The action of an extension on a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkloadAction {
    /// Finds problems when the workload is created (0), updated (1) or deleted (2).
    Validate(i32),
    /// Fills in defaults.
    Default,
    /// Adds the extension's variables, labels and containers.
    Sync,
    /// Adds variables for a command in the place of a workload: `Sync`, of which only the granted
    /// variables count.
    Environment,
    /// Cleans up after the workload.
    Delete,
}

/// A workload with the action on it.
///
/// ```
/// use extension_host::{Resources, Workload, WorkloadAction, WorkloadRequest};
///
/// let workload = Workload::new(serde_json::json!({
///     "apiVersion": "suffiks.com/v1",
///     "kind": "Application",
///     "metadata": {"name": "app"},
///     "spec": {"image": "app:1"},
/// }))?;
/// let request = WorkloadRequest {
///     action: WorkloadAction::Sync,
///     workload,
///     old: None,
///     spec_keys: None,
///     resources: Resources::default(),
/// };
/// assert_eq!(request.action.function(), "Sync");
/// # Ok::<(), extension_host::WorkloadError>(())
/// ```
#[derive(Debug, Clone)]
pub struct WorkloadRequest {
    /// The action.
    pub action: WorkloadAction,
    /// The workload.
    pub workload: Workload,
    /// Its former state.
    pub old: Option<Workload>,
    /// The keys of `spec` that the extension may read; all for `None`.
    pub spec_keys: Option<BTreeSet<String>>,
    /// The resources around it.
    pub resources: Resources,
}

/// The result of a call about a workload.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadOutcome {
    /// The answer.
    pub answer: WorkloadAnswer,
    /// The resources around the workload after the call.
    pub resources: Resources,
}

/// The answer of an extension.
#[derive(Debug, Clone, PartialEq)]
pub enum WorkloadAnswer {
    /// The problems of the workload; none when it is valid.
    Validated(Vec<ValidationProblem>),
    /// The workload with defaults.
    Defaulted(Workload),
    /// The changes to it.
    Synced(Box<Changes>),
    /// The variables of a command.
    Environment(CommandEnvironment),
    /// The error of the clean-up, if it failed.
    Deleted(Option<String>),
}

/// A problem of a workload. All of it is untrusted text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ValidationProblem {
    /// The path to the value.
    pub path: String,
    /// The problem.
    pub detail: String,
    /// The value.
    pub value: String,
}

impl WorkloadAction {
    /// Returns the name of the module's function.
    pub fn function(self) -> &'static str {
        match self {
            Self::Validate(_) => "Validate",
            Self::Default => "Defaulting",
            Self::Sync | Self::Environment => "Sync",
            Self::Delete => "Delete",
        }
    }
}
