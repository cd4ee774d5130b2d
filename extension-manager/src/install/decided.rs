//! Fifth stage: the permissions of the extension.

use core_types::Grant;
use extension_depot::annotation::CREATED;
use jiff::Timestamp;

use super::error::InstallError;
use super::examined::Examined;
use super::operation::{Operation, Standing};
use super::verified::Verified;
use crate::consent::{
    Decision, Denied, NotDecided, Proposal, ProposedArtifact, ProposedChange, Question, Settled,
    Terms, Verdict, is_protected,
};
use crate::events::Phase;
use crate::installer::Installer;
use crate::rules::Replaced;

/// A decision about an examined extension, made upon its basis.
pub(crate) struct Decided<'a> {
    pub(super) examined: &'a Examined,
    pub(super) decision: Decision,
    /// The capabilities before the decision.
    pub(super) standing: Standing,
}

impl Examined {
    /// Decides about its permissions, and asks a person where the rules leave it open.
    pub(super) fn decide(
        &self,
        installer: &Installer<'_>,
        operation: &Operation<'_>,
    ) -> Result<Decided<'_>, InstallError> {
        installer.phase(&self.verified.staged.name, Phase::Deciding);
        if operation.replaces() {
            self.confirm_replacement(installer)?;
        }
        let standing = operation.standing(&self.verified.basis, &self.requests);
        let terms = Terms {
            prior: standing.prior.as_grants(),
            grant: operation.grant(),
            grant_requested: operation.grant_requested(),
            needs_all: matches!(operation, Operation::Install(_)),
            policies: &installer.config.policies,
        };
        let is_protected =
            |grant: &Grant| is_protected(installer.directories(), installer.events(), grant);
        let ask = |settled: &Settled| self.ask(installer, operation, settled);
        let decision = terms.decide(&standing.requests, is_protected, ask);
        let decision = decision.map_err(|why| self.not_decided(operation, why))?;
        self.check_complete(operation, &decision)?;
        Ok(Decided { examined: self, decision, standing })
    }

    fn ask(
        &self,
        installer: &Installer<'_>,
        operation: &Operation<'_>,
        settled: &Settled,
    ) -> Verdict {
        let verified = &self.verified;
        let reference = verified.staged.reference();
        let source = match operation {
            Operation::Install(options) => options.source.clone(),
            Operation::Update(_) | Operation::RollBack(_) => reference.unpinned().to_string(),
        };
        let proposal = Proposal {
            owner: &verified.basis.owner(),
            artifact: &verified.proposed(&source),
            change: &verified.change(operation),
            asks: settled.asks(),
            given: settled.given(),
            denied: settled.denied.clone(),
        };
        installer.consent.answer(&proposal)
    }

    /// Shows what takes over from the installed extension, and asks whether that is meant.
    fn confirm_replacement(&self, installer: &Installer<'_>) -> Result<(), InstallError> {
        let Verified { staged, basis, .. } = &self.verified;
        let new = staged.reference();
        let Some(old) = basis.pinned().filter(|old| old != new) else { return Ok(()) };
        let granted = basis.capabilities().into_iter().flatten().cloned().collect();
        let question = Question::Replace { owner: &basis.owner(), old: &old, new, granted };
        if installer.consent.confirm(&question) {
            return Ok(());
        }
        Err(InstallError::NotReplaced { name: staged.name.clone() })
    }

    /// Refuses an update without all of its requests. A denial of policy does not stop a version
    /// that was accepted with all requests.
    fn check_complete(
        &self,
        operation: &Operation<'_>,
        decision: &Decision,
    ) -> Result<(), InstallError> {
        let Operation::Update(update) = operation else { return Ok(()) };
        let is_missing =
            |denied: &&Denied| !denied.is_optional && (!update.accept || denied.policy.is_none());
        if !decision.denied.iter().any(|denied| is_missing(&denied)) {
            return Ok(());
        }
        let staged = &self.verified.staged;
        Err(InstallError::AsksForMore {
            name: staged.name.clone(),
            to: staged.reference().revision().to_owned(),
            missing: decision.denied.clone(),
        })
    }

    fn not_decided(&self, operation: &Operation<'_>, why: NotDecided) -> InstallError {
        let name = self.verified.staged.name.clone();
        match why {
            NotDecided::Missing(missing) => InstallError::NotAllowed { name, missing },
            NotDecided::Declined => {
                InstallError::Declined { name, change: self.verified.change(operation) }
            }
        }
    }
}

impl Verified {
    /// Returns the artifact as it is proposed.
    fn proposed<'a>(&'a self, source: &'a str) -> ProposedArtifact<'a> {
        let (reference, artifact) = (self.staged.reference(), self.staged.artifact());
        ProposedArtifact {
            version: artifact.version(reference),
            reference,
            source,
            size: self.staged.binary().size,
            description: artifact.description(),
            signature: self.evidence.as_ref().map(|evidence| &evidence.signature),
            first_use: self.basis.first_use(),
            created: artifact.manifest.annotations.get(CREATED).and_then(|at| created(at)),
        }
    }

    /// Returns the proposed change.
    fn change(&self, operation: &Operation<'_>) -> ProposedChange {
        let replaced = self.replaced();
        match (operation, replaced) {
            (Operation::RollBack(roll_back), _) => {
                ProposedChange::RollBack { generation: roll_back.generation.number }
            }
            (_, None) => ProposedChange::New,
            (Operation::Install(_), Some(replaced)) => ProposedChange::Over(replaced),
            (Operation::Update(_), Some(replaced)) => ProposedChange::Update(replaced),
        }
    }

    /// Returns the artifact that it replaces, if that is another.
    pub(super) fn replaced(&self) -> Option<Replaced> {
        let new = self.staged.reference();
        let old = self.basis.pinned().filter(|old| old != new)?;
        Some(Replaced::new(old, new))
    }
}

/// Returns when an artifact was made, as its publisher says.
fn created(annotation: &str) -> Option<Timestamp> {
    annotation.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A time is shown only where it is one: the publisher can write anything.
    #[test]
    fn creation_is_a_time_or_nothing() {
        let time = "2026-01-02T03:04:05Z";
        assert_eq!(created(time).map(|at| at.to_string()).as_deref(), Some(time));
        for other in ["", "yesterday", "2026-01-02T03:04:05Z\nsigned by us", "2026-13-02T03:04:05Z"]
        {
            assert_eq!(created(other), None, "{other:?}");
        }
    }
}
