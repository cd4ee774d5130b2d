//! The outcome of a command, and the exit code that follows from it.

use std::path::PathBuf;

use core_types::{ErrorKind, ExtensionName, StorageKey};
use extension_depot::registry::KeptLogin;
use extension_depot::{ActivityEntry, ActivityFinding, Orphan};

use super::events::{DeliveredEvent, WakingEvents};
use super::installation::{
    Collection, Freshness, Installation, PastGeneration, Removal, Rollback, Step, StepState, Update,
};
use super::publishing::{DocsPage, Published};
use super::report::{
    Call, Change, Check, ConfigValue, Diagnosis, FileCheck, Health, Info, Inspection, Learned,
    Refusal, Row, Settings, Trust,
};
use super::session::SessionService;
use super::session_files::ServiceInstallation;
use super::storage::StorageReport;
use super::testing::TestedFile;
use super::workload::WorkloadReport;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// The outcome of a command.
pub enum Outcome {
    /// `install`, `import`
    Installed(Vec<Installation>),
    /// `list`
    Listed(Vec<Row>),
    /// `call`
    Called(Box<Call>),
    /// `run`: the exit status of the program
    Ran(u8),
    /// `info`
    Info(Box<Info>),
    /// `set --list`
    Settings(Box<Settings>),
    /// `remove`
    Removed(Vec<Removal>),
    /// `enable`, `disable`, `grant`, `revoke`, `login`, `logout`
    Changed(Vec<Change>),
    /// `verify`
    Verified(Vec<Check>),
    /// `call --learn`
    Learned(Box<Learned>),
    /// `secret list`
    Secrets(Vec<String>),
    /// `storage`
    Storage(StorageReport),
    /// `storage get`
    Stored { key: StorageKey, value: Vec<u8> },
    /// `session install`
    ServiceInstalled(Box<ServiceInstallation>),
    /// `list --orphans`
    Orphans(Vec<Orphan>),
    /// `activity`
    Activity(Vec<ActivityEntry>),
    /// `activity verify`
    ActivityVerified { lines: usize, findings: Vec<ActivityFinding> },
    /// `why`
    Why { name: ExtensionName, refused: Vec<Refusal> },
    /// `events`
    Events(Box<WakingEvents>),
    /// `trigger`
    Delivered(DeliveredEvent),
    /// `session status`; nothing when no service runs
    Session(Option<Box<SessionService>>),
    /// `session emit`: the number of extensions that the event reaches
    Emitted(u32),
    /// `session stop`: whether a service ran
    Stopped(bool),
    /// `sync`
    Synced { steps: Vec<Step>, is_check: bool },
    /// `outdated`
    Outdated(Vec<Freshness>),
    /// `update`
    Updated(Vec<Update>),
    /// `history`
    History(Vec<PastGeneration>),
    /// `rollback`
    RolledBack(Rollback),
    /// `gc`
    Collected(Collection),
    /// `config show`
    Config { values: Vec<ConfigValue>, with_origin: bool },
    /// `config validate`
    Validated(Vec<FileCheck>),
    /// `doctor`
    Diagnosed(Vec<Diagnosis>),
    /// `registry list`
    Logins(Vec<KeptLogin>),
    /// `trust list`
    Trust(Trust),
    /// `registry tags`
    Tags(Vec<String>),
    /// `new`
    Created { directory: PathBuf, written: Vec<PathBuf> },
    /// `wasi test`, `test`
    Tested(Vec<TestedFile>),
    /// `publish`, `wasi publish`
    Published(Published),
    /// `docs`
    Docs(Box<DocsPage>),
    /// `docs --list`
    Pages(Vec<String>),
    /// `workload`
    Workload(Box<WorkloadReport>),
    /// `inspect`
    Inspected(Box<Inspection>),
    /// `logs`: the output, and whether it is shown raw
    Log { text: Vec<u8>, raw: bool },
    /// `schema`
    Schemas(Vec<String>),
    /// `schema NAME`
    Schema(Box<serde_json::Value>),
    /// `completions`
    Script(Vec<u8>),
    /// `man`
    Written(Vec<PathBuf>),
    /// A command with several names, of which some failed.
    PartialFailure { done: Box<Self>, failures: Vec<Failure> },
    /// `demo`, which has shown everything already.
    AlreadyPrinted(ExitCode),
}

impl Outcome {
    /// Collects the outcomes for several names. A failure does not stop the others.
    pub fn of_each<N, T>(
        names: &[N],
        act: impl FnMut(&N) -> Result<T, Failure>,
        done: impl FnOnce(Vec<T>) -> Self,
    ) -> Result<Self, Failure> {
        let (mut good, mut failures) = (Vec::new(), Vec::new());
        for result in names.iter().map(act) {
            match result {
                Ok(value) => good.push(value),
                Err(failure) => failures.push(failure),
            }
        }
        match failures.len() {
            0 => Ok(done(good)),
            1 if good.is_empty() => Err(failures.remove(0)),
            _ => Ok(Self::PartialFailure { done: Box::new(done(good)), failures }),
        }
    }

    /// Collects the same, with each failure as `map` makes it.
    pub fn with_failures(self, map: impl Fn(Failure) -> Failure) -> Self {
        match self {
            Self::PartialFailure { done, failures } => {
                Self::PartialFailure { done, failures: failures.into_iter().map(map).collect() }
            }
            whole => whole,
        }
    }

    /// Returns the exit code.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Called(call) if call.returned.is_err() => ErrorKind::Failure.into(),
            Self::Verified(checks) if checks.iter().any(|check| !check.findings.is_empty()) => {
                ErrorKind::Local.into()
            }
            Self::ActivityVerified { findings, .. } if !findings.is_empty() => {
                ErrorKind::Local.into()
            }
            Self::Synced { steps, .. }
                if steps.iter().any(|step| step.state == StepState::Failed) =>
            {
                ErrorKind::Failure.into()
            }
            Self::Synced { steps, is_check: true }
                if steps.iter().any(|step| step.state != StepState::Done) =>
            {
                ErrorKind::Failure.into()
            }
            Self::Validated(files) if files.iter().any(|file| file.problem.is_some()) => {
                ErrorKind::Failure.into()
            }
            Self::Diagnosed(all) if all.iter().any(|one| one.health == Health::Bad) => {
                ErrorKind::Local.into()
            }
            Self::Workload(report) if report.is_refusal() => ErrorKind::Failure.into(),
            Self::Tested(files) if files.iter().any(TestedFile::has_failed) => {
                ErrorKind::Failure.into()
            }
            Self::Learned(learned) if learned.result.is_err() => ErrorKind::Failure.into(),
            Self::PartialFailure { failures, .. } => failures
                .first()
                .map_or(ExitCode::Failed(ErrorKind::Failure), |failure| failure.code()),
            Self::Ran(status) => ExitCode::Passed(*status),
            Self::Inspected(inspection) => {
                inspection.refusal.as_ref().map_or(ExitCode::Done, |refusal| refusal.code())
            }
            Self::AlreadyPrinted(code) => *code,
            _ => ExitCode::Done,
        }
    }
}
