//! Updating an extension.

use core_types::{ChangeKind, ExtensionName, OciReference};
use extension_depot::{Basis, Installed, Staged as StagedArtifact};

use super::available::{Age, Available};
use super::error::UpdateError;
use crate::consent::{Decision, PriorGrants, decide_alone};
use crate::events::{Phase, Wait};
use crate::install::{InstallError, Operation, Staged, Update};
use crate::installer::Installer;
use crate::retry::{Round, until_it_holds};

/// On which terms an extension is updated.
#[derive(Debug, Clone, Copy, Default)]
pub struct UpdateOptions {
    /// Whether the further requests of a newer version are granted.
    pub accept: bool,
    /// Whether it can come without TLS where others came with it.
    pub allow_plain_http: bool,
    /// Whether a tag that leads to other bytes is refused.
    pub locked: bool,
    /// Whether a version is taken however new it is.
    pub now: bool,
    /// Whether nothing changes.
    pub dry_run: bool,
}

/// A completed or planned update.
#[derive(Debug)]
pub struct Updated {
    /// The artifact before.
    pub from: OciReference,
    /// The newer artifact, if there is one.
    pub to: Option<OciReference>,
    /// The installed version compared with the registry.
    pub age: Age,
    /// The decision, or the one without any question.
    pub decision: Decision,
    /// Whether it is installed now.
    pub is_applied: bool,
}

impl Installer<'_> {
    /// Returns the target of an update. A pinned extension is not looked up.
    ///
    /// # Errors
    /// When it is not installed, or its registry cannot be asked.
    pub fn newer(
        &self,
        name: &ExtensionName,
        options: &UpdateOptions,
    ) -> Result<Available, UpdateError> {
        let _work = self.work_on(name);
        let installed = self.depot().installed(name)?;
        self.find(&installed, options)
    }

    /// Updates one extension. The installed version stays until the new one is verified, compiled,
    /// linked and has all of its requests. If another process changes it meanwhile, the update
    /// starts from the new state.
    ///
    /// # Errors
    /// When any of that fails.
    pub fn update(
        &self,
        name: &ExtensionName,
        options: &UpdateOptions,
    ) -> Result<Updated, UpdateError> {
        let _work = self.work_on(name);
        let round = || {
            let installed = self.depot().installed(name)?;
            let installed = self.confirm_origin(installed, options)?;
            let basis = self.depot().basis_of(&installed)?;
            match self.update_on(&installed, &basis, options) {
                // A replaced artifact may be gone, so a missing one is not an error.
                Err(_) if !basis.still_holds(self.depot())? => Ok(Round::Changed),
                round => round,
            }
        };
        until_it_holds(name, round)
    }

    /// Updates the installed artifact, as long as it is the same.
    fn update_on(
        &self,
        installed: &Installed,
        basis: &Basis,
        options: &UpdateOptions,
    ) -> Result<Round<Updated>, UpdateError> {
        let Available { age, target, .. } = self.find(installed, options)?;
        let from = installed.reference.clone();
        let nothing = |to, decision| Updated { from, to, age, decision, is_applied: false };
        let Some(target) = target else {
            return Ok(Round::Done(nothing(None, Decision::default())));
        };
        if age == Age::Moved && options.locked {
            let (name, installed) = (installed.name.clone(), installed.reference.clone());
            return Err(UpdateError::MovedWhileLocked { name, installed });
        }
        let arrived = self.fetch_for(&installed.name, &target)?;
        let to = Some(arrived.reference.clone());
        if options.dry_run {
            let decision = self.decide_alone_on(installed, &arrived)?;
            return Ok(Round::Done(nothing(to, decision)));
        }
        let update =
            Update { from: installed, grant: &[], accept: options.accept, allow_downgrade: false };
        let staged = Staged::arrived(&installed.name, arrived).on(basis.clone());
        match self.carry_out_once(staged, &Operation::Update(update))? {
            Round::Changed => Ok(Round::Changed),
            Round::Done(committed) => {
                let updated = nothing(to, committed.decision);
                Ok(Round::Done(Updated { is_applied: true, ..updated }))
            }
        }
    }

    /// Finds the newer artifact.
    fn find(
        &self,
        installed: &Installed,
        options: &UpdateOptions,
    ) -> Result<Available, UpdateError> {
        let Installed { loaded, reference, .. } = installed;
        if loaded.manifest.extension.pinned {
            return Ok(Available::not_looked_for(reference, Age::Pinned));
        }
        self.check_source(ChangeKind::Update, reference)?;
        self.check_transport(reference, options.allow_plain_http)?;
        let min_age = if options.now { None } else { self.config.min_release_age() };
        self.phase(&installed.name, Phase::Resolving);
        let (look, query) = (self.look(min_age), reference.repository_query());
        let work = look.for_update(reference);
        let found = self.network.wait(self.events(), &Wait::Resolving(&query), work);
        found.map_err(InstallError::Runtime)?
    }

    /// Decides about a newer version without a question.
    fn decide_alone_on(
        &self,
        installed: &Installed,
        new: &StagedArtifact,
    ) -> Result<Decision, UpdateError> {
        let requests = self.manager.examine_update(installed, new.binary())?.requests;
        let base = installed.loaded.manifest.granted();
        Ok(decide_alone(PriorGrants::Updating(&base), &requests, &self.config.policies))
    }
}
