//! Carries out a plan.

use core_types::{ChangeKind, ExtensionName, OciReference};
use extension_depot::Staged as StagedArtifact;
use extension_depot::registry::{Progress, RegistryError};
use extension_host::{Binary, IntoCacheError, compile_many};

use super::error::{StepProblem, SyncError};
use super::list::List;
use super::options::SyncOptions;
use super::step::{Planned, StepState};
use crate::events::Phase;
use crate::events::Wait;
use crate::install::InstallError;
use crate::installer::Installer;

/// Fetched artifacts, by their places in the plan.
type Arrived = Vec<(usize, StagedArtifact)>;

impl Installer<'_> {
    /// Makes the changes without a network first. Then fetches some artifacts at a time, compiles
    /// with all processors, puts each into place, and records those of the list.
    pub(super) fn apply(
        &self,
        plan: &mut [Planned],
        list: Option<&List>,
        options: &SyncOptions,
    ) -> Result<(), SyncError> {
        for Planned { step, .. } in plan.iter_mut() {
            self.adjust(step);
            list.into_iter().for_each(|list| self.prune(list, step));
        }
        let _work: Vec<_> = plan.iter().map(|planned| self.work_on(&planned.step.name)).collect();
        let arrived = self.stage_planned(plan, options.allow_plain_http)?;
        let (fetched, other): (Vec<_>, Vec<_>) =
            arrived.into_iter().partition(|(at, _)| plan[*at].step.state == StepState::ToFetch);
        self.restore_planned(plan, &fetched)?;
        for (at, arrived) in other {
            let _work = self.work_on(&plan[at].step.name);
            match self.put_in_place(&plan[at], arrived, list, options) {
                Ok((state, granted)) => {
                    plan[at].step.grant = granted;
                    plan[at].step.end(Ok(state));
                }
                Err(error) => plan[at].step.end(Err(error.into())),
            }
        }
        list.map_or(Ok(()), |list| self.note_list(list, plan))
    }

    /// Fetches and compiles the missing artifacts. Failures are noted in the plan.
    fn stage_planned(
        &self,
        plan: &mut [Planned],
        allow_plain_http: bool,
    ) -> Result<Arrived, SyncError> {
        let wanted = self.wanted(plan, allow_plain_http);
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let (places, references): (Vec<_>, Vec<_>) = wanted.into_iter().unzip();
        let names: Vec<_> = places.iter().map(|at| plan[*at].step.name.clone()).collect();
        let (staged, failed) = self.fetch_and_compile(&names, &references)?;
        let mut arrived = Vec::new();
        for (at, result) in places.iter().copied().zip(staged) {
            match result {
                Ok(staged) => arrived.push((at, staged)),
                Err(error) => plan[at].step.end(Err(error.into())),
            }
        }
        for (at, error) in failed.into_iter().map(|(place, error)| (places[place], error)) {
            arrived.retain(|(place, _)| *place != at);
            plan[at].step.end(Err(StepProblem::Compile(error)));
        }
        Ok(arrived)
    }

    /// Compiles fetched artifacts while others are fetched.
    #[expect(clippy::type_complexity, reason = "two lists of results, for the one caller")]
    fn fetch_and_compile(
        &self,
        names: &[ExtensionName],
        references: &[OciReference],
    ) -> Result<(Vec<Result<StagedArtifact, RegistryError>>, Vec<(usize, IntoCacheError)>), SyncError>
    {
        let fetch = |arrived: &dyn Fn(usize, &StagedArtifact)| {
            let work = async |report: &dyn Fn(&ExtensionName, Progress)| {
                let report = |place: usize, progress| report(&names[place], progress);
                self.registry().stage_all(self.depot(), references, &report, arrived).await
            };
            let what = Wait::ResolvingMany(references.len());
            self.network.download(self.events(), &what, work)
        };
        let Some(compiler) = self.manager.compiler() else {
            let staged = fetch(&|_, _| {}).map_err(InstallError::Runtime)?;
            return Ok((staged, Vec::new()));
        };
        let cache = self.manager.code_cache();
        let (staged, failed) = compile_many(&cache, &compiler, references.len(), |queue| {
            fetch(&|place, staged| {
                let path = staged.binary().path.clone();
                let binary = Binary { place, path, digest: staged.binary().digest };
                self.phase(&names[place], Phase::Compiling);
                // Who compiles is there for as long as this goes on.
                let _ = queue.send(binary);
            })
        });
        Ok((staged.map_err(InstallError::Runtime)?, failed))
    }

    /// Returns the allowed artifacts to fetch, by their places in the plan.
    fn wanted(&self, plan: &mut [Planned], allow_plain_http: bool) -> Vec<(usize, OciReference)> {
        let mut wanted = Vec::new();
        for (at, planned) in plan.iter_mut().enumerate() {
            let Some(reference) = planned.step.reference.clone() else { continue };
            if !planned.step.state.is_to_do() {
                continue;
            }
            match self.check_fetch(&reference, allow_plain_http) {
                Ok(()) => wanted.push((at, reference)),
                Err(problem) => planned.step.end(Err(problem)),
            }
        }
        wanted
    }

    fn check_fetch(
        &self,
        reference: &OciReference,
        allow_plain_http: bool,
    ) -> Result<(), StepProblem> {
        if reference.is_local() {
            return Err(StepProblem::FromFile);
        }
        self.check_source(ChangeKind::Install, reference)?;
        Ok(self.check_transport(reference, allow_plain_http)?)
    }

    /// Puts the bytes of manifests that are there already back into place, all at once. The
    /// manifests stay as they are, to the byte.
    fn restore_planned(
        &self,
        plan: &mut [Planned],
        fetched: &[(usize, StagedArtifact)],
    ) -> Result<(), SyncError> {
        if fetched.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = fetched.iter().map(|(at, _)| plan[*at].step.name.clone()).collect();
        let all: Vec<_> =
            names.iter().zip(fetched).map(|(name, (_, staged))| (name, staged)).collect();
        let restored = self.depot().lock()?.repair(&all).map_err(SyncError::Files)?;
        for ((at, _), result) in fetched.iter().zip(restored) {
            plan[*at].step.end(result.map(|()| StepState::Fetched).map_err(StepProblem::from));
        }
        Ok(())
    }
}
