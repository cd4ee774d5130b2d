//! What an extension is asked about a workload, and what it answers.

use std::collections::BTreeSet;

use super::changes::Changes;
use super::environment::CommandEnvironment;
use super::resources::Resources;
use super::workload::Workload;

/// What an extension is asked to do with a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkloadAction {
    /// To say what is wrong with it, when it is made (0), changed (1) or removed (2).
    Validate(i32),
    /// To fill in what it leaves out.
    Default,
    /// To add what the extension has for it.
    Sync,
    /// To say what it adds to the environment, for a command that takes the place of a workload:
    /// `Sync`, of which nothing but the variables counts, as far as they are granted.
    Environment,
    /// To clean up after it.
    Delete,
}

/// A workload, and what is to be done with it.
#[derive(Debug, Clone)]
pub struct WorkloadRequest {
    /// What to do.
    pub action: WorkloadAction,
    /// The workload.
    pub workload: Workload,
    /// What it was before.
    pub old: Option<Workload>,
    /// The keys of its `spec` that the extension is given; all where nobody says which.
    pub spec_keys: Option<BTreeSet<String>>,
    /// What it has around it.
    pub resources: Resources,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadOutcome {
    /// The answer.
    pub answer: WorkloadAnswer,
    /// What the workload has around it now.
    pub resources: Resources,
}

/// What an extension says about a workload.
#[derive(Debug, Clone, PartialEq)]
pub enum WorkloadAnswer {
    /// What is wrong with it; nothing when it is valid.
    Validated(Vec<ValidationProblem>),
    /// The workload with what it left out.
    Defaulted(Workload),
    /// What is added to it.
    Synced(Box<Changes>),
    /// The variables of a command.
    Environment(CommandEnvironment),
    /// Why it could not be cleaned up, if it could not.
    Deleted(Option<String>),
}

/// Something that is wrong with a workload. All of it is a stranger's text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ValidationProblem {
    /// Where.
    pub path: String,
    /// What.
    pub detail: String,
    /// What stands there.
    pub value: String,
}

impl WorkloadAction {
    /// The function of the module.
    pub fn function(self) -> &'static str {
        match self {
            Self::Validate(_) => "Validate",
            Self::Default => "Defaulting",
            Self::Sync | Self::Environment => "Sync",
            Self::Delete => "Delete",
        }
    }
}
