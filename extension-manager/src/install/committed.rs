//! Last stage: the installed extension.

use std::path::PathBuf;

use core_types::{ExtensionName, Grant, OciReference, TimedGrant};
use extension_depot::{InstallPlan, SignatureState};
use extension_host::{Purpose, boot_time};

use super::decided::Decided;
use super::error::InstallError;
use super::operation::{InstallOptions, Operation, Prior};
use super::staged::{Content, Staged};
use super::verified::Verified;
use crate::consent::{Decision, warn_of_missing};
use crate::events::Phase;
use crate::installer::Installer;
use crate::retry::Round;
use crate::rules::Replaced;

/// An extension that was installed, with the pin, the grants and the signer that it was decided on:
/// the depot compared all three with its files under its lock.
#[derive(Debug)]
pub struct Committed {
    /// Its name.
    pub name: ExtensionName,
    /// Its version.
    pub version: String,
    /// Its reference, pinned.
    pub reference: OciReference,
    /// Its manifest.
    pub manifest: PathBuf,
    /// The state of its signature, if that was verified.
    pub signature: Option<SignatureState>,
    /// The artifact that was installed before, if it was another.
    pub replaced: Option<Replaced>,
    /// The decision.
    pub decision: Decision,
    /// The purpose.
    pub purpose: Purpose,
}

impl Decided<'_> {
    /// Carries the decision out, if nothing that it was made upon has changed.
    pub(super) fn commit(
        self,
        installer: &Installer<'_>,
        operation: &Operation<'_>,
    ) -> Result<Round<Committed>, InstallError> {
        installer.phase(&self.examined.verified.staged.name, Phase::Installing);
        match Round::of(self.write(installer, operation), InstallError::is_change)? {
            Round::Changed => Ok(Round::Changed),
            Round::Done(()) => {
                let committed = self.committed(installer);
                committed.finish(installer, operation)?;
                Ok(Round::Done(committed))
            }
        }
    }

    fn write(
        &self,
        installer: &Installer<'_>,
        operation: &Operation<'_>,
    ) -> Result<(), InstallError> {
        let Verified { staged, basis, evidence } = &self.examined.verified;
        let (depot, capabilities) = (installer.depot(), self.decision.capabilities.as_ref());
        let arrived = match (&staged.content, operation, &self.standing.prior) {
            (_, Operation::RollBack(roll_back), Prior::Updating(kept)) => {
                let capabilities = capabilities.unwrap_or(kept);
                let generation = roll_back.generation;
                return Ok(depot.lock()?.roll_back(basis, generation, capabilities)?);
            }
            (Content::Arrived(arrived), _, _) => arrived,
            (Content::Kept { .. }, _, _) => {
                unreachable!("only a rollback starts with what is installed")
            }
        };
        let order = InstallPlan {
            basis,
            source: &self.source(operation),
            capabilities,
            reason: operation.reason(),
            evidence: evidence.as_ref(),
            seed: operation.seed(),
            claimed: staged.claimed.as_ref(),
        };
        Ok(depot.lock()?.install(arrived, &order)?)
    }

    /// Returns the source for the record.
    fn source(&self, operation: &Operation<'_>) -> String {
        match operation {
            Operation::Install(InstallOptions { source, .. }) => source.clone(),
            Operation::Update(_) | Operation::RollBack(_) => {
                self.examined.verified.staged.reference().unpinned().to_string()
            }
        }
    }

    fn committed(self, installer: &Installer<'_>) -> Committed {
        let verified = &self.examined.verified;
        let Staged { name, .. } = &verified.staged;
        let reference = verified.staged.reference().clone();
        Committed {
            version: verified.staged.artifact().version(&reference),
            manifest: installer.depot().places().manifest(name),
            name: name.clone(),
            signature: verified.evidence.as_ref().map(|evidence| evidence.signature.clone()),
            replaced: verified.replaced(),
            reference,
            purpose: self.examined.purpose,
            decision: self.decision,
        }
    }
}

impl Committed {
    /// Does what follows an installation: grants that end with the session, and trust in a signer
    /// that the user named.
    fn finish(
        &self,
        installer: &Installer<'_>,
        operation: &Operation<'_>,
    ) -> Result<(), InstallError> {
        let Decision { granted, for_session, .. } = &self.decision;
        if let Operation::Install(options) = operation {
            let asked = granted.iter().filter(|grant| !options.grant.contains(grant)).cloned();
            let asked: Vec<_> = asked.collect();
            warn_of_missing(installer.directories(), installer.events(), &asked);
        }
        if !for_session.is_empty() {
            self.grant_for_session(installer, for_session)?;
        }
        match operation.signer() {
            Some(signer) => installer.trust(&self.reference, signer),
            None => Ok(()),
        }
    }

    fn grant_for_session(
        &self,
        installer: &Installer<'_>,
        grants: &[Grant],
    ) -> Result<(), InstallError> {
        let now = boot_time();
        let timed = |grant: &Grant| TimedGrant { grant: grant.clone(), until: None };
        let add = |all: &mut core_types::TimedGrants| {
            grants.iter().for_each(|grant| all.add(timed(grant), now));
            true
        };
        let depot = installer.depot();
        depot.lock()?.change_timed_grants(&self.name, Some(&self.reference), add)?;
        Ok(())
    }
}
