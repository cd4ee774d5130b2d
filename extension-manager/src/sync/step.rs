//! What one extension takes, or took.

use core_types::{ExtensionEntry, ExtensionName, Grant, OciReference};
use serde::Serialize;

use super::error::StepProblem;
use super::prospect::Prospect;

/// What one manifest takes, or took.
#[derive(Debug)]
pub struct Step {
    /// The extension.
    pub name: ExtensionName,
    /// Where it comes from.
    pub reference: Option<OciReference>,
    /// How far it is.
    pub state: StepState,
    /// The reason of its failure, or a remark.
    pub problem: Option<StepProblem>,
    /// What policy approved and it does not have, or now has because of that.
    pub grant: Vec<Grant>,
    /// Grants of the list that are withdrawn, or that are gone already.
    pub withdraw: Vec<Grant>,
    /// Whether that is withdrawn by now, whatever became of the rest.
    pub is_withdrawn: bool,
    /// What the list asks for on its behalf, while nothing is done.
    pub prospects: Vec<Prospect>,
}

/// How far a step is.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// There is nothing to do.
    Done,
    /// The artifact that the manifest is pinned to has to be fetched.
    ToFetch,
    /// The manifest's reference has to be resolved, installed and pinned.
    ToPin,
    /// A list names it, and it is not installed.
    ToInstall,
    /// A list names other bytes than those that are installed.
    ToUpdate,
    /// The list gives or withdraws something.
    ToAdjust,
    /// It came from the list, which has it no longer.
    ToRemove,
    /// The same, without a request to remove it.
    LeftOver,
    /// Its bytes are here again.
    Fetched,
    /// It is installed, and its manifest pinned.
    Pinned,
    /// It is installed.
    Installed,
    /// It is updated.
    Updated,
    /// Its capabilities are those of the list.
    Adjusted,
    /// It is removed.
    Removed,
    /// Something kept it from being done.
    Failed,
}

impl Step {
    /// Makes a step before any work.
    pub(super) fn new(
        name: &ExtensionName,
        reference: Option<OciReference>,
        state: StepState,
    ) -> Self {
        Self {
            name: name.clone(),
            reference,
            state,
            problem: None,
            grant: Vec::new(),
            withdraw: Vec::new(),
            is_withdrawn: false,
            prospects: Vec::new(),
        }
    }

    /// Makes a step that failed before it began.
    pub(super) fn failed(name: &ExtensionName, problem: StepProblem) -> Self {
        Self { problem: Some(problem), ..Self::new(name, None, StepState::Failed) }
    }

    /// Returns whether this was withdrawn.
    pub(super) fn has_withdrawn(&self, grant: &Grant) -> bool {
        self.is_withdrawn && self.withdraw.contains(grant)
    }

    /// Notes how it ended, or why it did not.
    pub(super) fn end(&mut self, done: Result<StepState, StepProblem>) {
        match done {
            Ok(state) => self.state = state,
            Err(problem) => (self.state, self.problem) = (StepState::Failed, Some(problem)),
        }
    }

    /// Refuses an unpinned reference, which can be another artifact tomorrow.
    pub(super) fn refuse_unpinned(&mut self) {
        let is_pinned =
            self.reference.as_ref().is_some_and(|reference| reference.provenance().is_some());
        if self.state != StepState::Failed && !is_pinned {
            self.end(Err(StepProblem::Unpinned));
        }
    }
}

impl StepState {
    /// Returns whether something has to be fetched.
    pub fn is_to_do(self) -> bool {
        matches!(self, Self::ToFetch | Self::ToPin | Self::ToInstall | Self::ToUpdate)
    }

    /// Returns whether what there was to do has been done.
    pub fn is_over(self) -> bool {
        matches!(
            self,
            Self::Fetched
                | Self::Pinned
                | Self::Installed
                | Self::Updated
                | Self::Adjusted
                | Self::Removed
        )
    }

    /// Returns the state in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "as it should be",
            Self::ToFetch => "to be fetched",
            Self::ToPin => "to be installed and pinned",
            Self::ToInstall => "to be installed",
            Self::ToUpdate => "to be updated",
            Self::ToAdjust => "capabilities to be changed",
            Self::ToRemove => "to be removed",
            Self::LeftOver => "left over",
            Self::Fetched => "fetched",
            Self::Pinned => "installed and pinned",
            Self::Installed => "installed",
            Self::Updated => "updated",
            Self::Adjusted => "capabilities changed",
            Self::Removed => "removed",
            Self::Failed => "failed",
        }
    }
}

/// A step with the list's entry about its extension.
pub(super) struct Planned {
    pub(super) step: Step,
    /// The list's entry about it, if there is one.
    pub(super) entry: Option<ExtensionEntry>,
    /// Whether there was nothing of this name before.
    pub(super) is_new: bool,
}

impl Planned {
    /// Makes a step without a list.
    pub(super) fn unlisted(step: Step) -> Self {
        Self { step, entry: None, is_new: false }
    }

    /// Returns whether it is on the list, or came from there and is still there.
    pub(super) fn is_from_list(&self, name: &ExtensionName) -> bool {
        let is_left = matches!(self.step.state, StepState::LeftOver | StepState::Failed);
        self.step.name == *name && (self.entry.is_some() || is_left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(reference: &str, state: StepState) -> Step {
        let name = "x".parse().expect("a name");
        Step::new(&name, Some(reference.parse().expect(reference)), state)
    }

    #[test]
    fn lock_refuses_a_tag() {
        let pinned = format!("ghcr.io/o/x:1.0.0@sha256:{}", "a".repeat(64));
        for (reference, expected) in
            [("ghcr.io/o/x:1.0.0", StepState::Failed), (&pinned, StepState::ToFetch)]
        {
            let mut step = step(reference, StepState::ToFetch);
            step.refuse_unpinned();
            assert_eq!(step.state, expected, "{reference}");
        }
    }

    #[test]
    fn lock_keeps_an_earlier_problem() {
        let mut step = step("ghcr.io/o/x:1.0.0", StepState::Done);
        step.end(Err(StepProblem::FromFile));
        step.refuse_unpinned();
        assert!(matches!(step.problem, Some(StepProblem::FromFile)));
    }

    #[test]
    fn state_is_open_or_over() {
        use StepState::{Done, Failed, LeftOver, ToAdjust, ToFetch, ToRemove, Updated};
        assert!(ToFetch.is_to_do() && !ToFetch.is_over());
        assert!(Updated.is_over() && !Updated.is_to_do());
        for neither in [Done, Failed, LeftOver, ToAdjust, ToRemove] {
            assert!(!neither.is_over() && !neither.is_to_do(), "{}", neither.name());
        }
    }
}
