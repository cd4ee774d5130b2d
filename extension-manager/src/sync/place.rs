//! Putting what arrived into place.

use core_types::{ExtensionEntry, Grant};
use extension_depot::{ChangedMeanwhile, Staged as StagedArtifact};

use super::list::List;
use super::options::SyncOptions;
use super::step::{Planned, Step, StepState};
use crate::consent::Decision;
use crate::events::Note;
use crate::install::{InstallError, InstallOptions, Operation, Staged, Update};
use crate::installer::Installer;
use crate::retry::Round;

/// The outcome of putting one into place: the state of its step, and the list's grants that it got.
pub(super) type Placed = (StepState, Vec<Grant>);

impl Installer<'_> {
    /// Installs or updates one extension. A list asks on behalf of its extensions; what policy lets
    /// it have needs no question.
    pub(super) fn put_in_place(
        &self,
        planned: &Planned,
        arrived: StagedArtifact,
        list: Option<&List>,
        options: &SyncOptions,
    ) -> Result<Placed, InstallError> {
        let Planned { step, entry, .. } = planned;
        let (state, decision) = if step.state == StepState::ToUpdate {
            (StepState::Updated, self.update_to(step, arrived, options)?)
        } else {
            let decision = self.install_planned(planned, arrived, list, options)?;
            let is_pin = step.state == StepState::ToPin;
            (if is_pin { StepState::Pinned } else { StepState::Installed }, decision)
        };
        Ok((state, asked_by(entry.as_ref(), decision.granted)))
    }

    fn install_planned(
        &self,
        planned: &Planned,
        arrived: StagedArtifact,
        list: Option<&List>,
        options: &SyncOptions,
    ) -> Result<Decision, InstallError> {
        let Planned { step, entry, is_new } = planned;
        let name = &step.name;
        let published = list.and_then(|list| list.published.as_ref());
        let approved = |entry| super::drift::approved(self.config, published, entry);
        let grant = entry.as_ref().map(approved).unwrap_or_default();
        // An extension that a manifest named before is its user's.
        let source = match list {
            Some(list) if *is_new => list.words.clone(),
            _ => arrived.reference.unpinned().to_string(),
        };
        let terms = InstallOptions {
            source,
            grant: &grant,
            grant_requested: options.grant_requested,
            entry: entry.as_ref(),
            allow_downgrade: options.allow_downgrade,
            names_bytes: true,
            // A manifest without a list is pinned to what it names itself.
            planned: step.reference.as_ref().filter(|_| list.is_none()),
            ..InstallOptions::default()
        };
        let staged = Staged::arrived(name, arrived);
        let committed = self.carry_out(staged, &Operation::Install(&terms))?;
        for denied in &committed.decision.denied {
            self.note(&Note::NotGranted { name, denied });
        }
        Ok(committed.decision)
    }

    /// Puts the version of a list in the place of the installed one.
    fn update_to(
        &self,
        Step { name, grant, .. }: &Step,
        arrived: StagedArtifact,
        options: &SyncOptions,
    ) -> Result<Decision, InstallError> {
        let installed = self.depot().installed(name)?;
        let update = Update {
            from: &installed,
            grant,
            accept: options.grant_requested,
            allow_downgrade: options.allow_downgrade,
        };
        let staged = Staged::arrived(name, arrived);
        match self.carry_out_once(staged, &Operation::Update(update))? {
            Round::Done(committed) => Ok(committed.decision),
            Round::Changed => Err(ChangedMeanwhile { name: name.clone() }.into()),
        }
    }
}

fn asked_by(entry: Option<&ExtensionEntry>, mut granted: Vec<Grant>) -> Vec<Grant> {
    granted.retain(|grant| entry.is_some_and(|entry| entry.capabilities.covers(grant)));
    granted
}
