//! One call about a workload.

use std::collections::BTreeSet;

use wasmtime::{Instance, Store};

use super::changes::Changes;
use super::environment::{CommandEnvironment, environment};
use super::messages::DeleteResponse;
use super::resources::Resources;
use super::session::Session;
use super::workload::{Workload, WorkloadError};
use crate::call::Work;
use crate::error::CallError;
use crate::extension::{Extension, Ready};
use crate::gate::Gate;
use crate::modules::{GuestMemory, ModuleFault, ModuleState, ReadyModule, start};
use crate::observe::Watch;
use crate::program::Process;
use crate::report::CallReport;

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

impl Extension {
    /// Asks an extension of Suffiks about a workload, in a new instance and within all limits.
    /// Needs a tokio runtime with time enabled.
    pub async fn call_workload(&self, request: WorkloadRequest) -> CallReport<WorkloadOutcome> {
        let gate = Gate::new(self.permissions.clone());
        let (action, session) = (request.action, Session::from(request));
        let watch = Watch::new(self.observer.as_ref(), gate.clone(), action.function());
        let report = match &self.ready {
            Ready::Module(module) if module.is_suffiks => {
                let state = |deadline| {
                    self.module_state(&gate, &Process::default(), deadline, Some(session))
                };
                self.run(&gate, state, WorkloadCall { module, action, extension: self }).await
            }
            _ => CallReport::failed(CallError::NoWorkloads, &gate),
        };
        watch.ended(&report, |_| false);
        report
    }

    /// Asks about a workload and waits for the answer.
    ///
    /// # Panics
    /// Within a tokio runtime, where [`Extension::call_workload`] is to be used.
    pub fn call_workload_blocking(&self, request: WorkloadRequest) -> CallReport<WorkloadOutcome> {
        self.wait_for(self.call_workload(request))
    }
}

struct WorkloadCall<'a> {
    module: &'a ReadyModule,
    action: WorkloadAction,
    extension: &'a Extension,
}

impl Work<ModuleState> for WorkloadCall<'_> {
    type Output = WorkloadOutcome;

    async fn run(self, store: &mut Store<ModuleState>) -> wasmtime::Result<WorkloadOutcome> {
        let function = self.action.function();
        let instance = start(self.module, store, function).await?;
        let given = match self.action {
            WorkloadAction::Validate(kind) => {
                instance
                    .get_typed_func::<i32, ()>(&mut *store, function)?
                    .call_async(&mut *store, kind)
                    .await?;
                None
            }
            _ => bytes_from(&instance, store, function).await?,
        };
        let session = store.data_mut().session.take();
        let session =
            session.ok_or_else(|| wasmtime::Error::msg("the session ended before the call"))?;
        let answer = match self.action {
            WorkloadAction::Validate(_) => WorkloadAnswer::Validated(session.problems),
            WorkloadAction::Default => {
                WorkloadAnswer::Defaulted(defaulted(session.workload().clone(), given)?)
            }
            WorkloadAction::Sync => WorkloadAnswer::Synced(Box::new(session.changes)),
            WorkloadAction::Environment => {
                let (gate, Extension { config, backends, .. }) =
                    (store.data().gate.clone(), self.extension);
                WorkloadAnswer::Environment(
                    environment(session.changes, &gate, config, backends).await,
                )
            }
            WorkloadAction::Delete => WorkloadAnswer::Deleted(deletion_error(given)?),
        };
        Ok(WorkloadOutcome { answer, resources: session.resources })
    }
}

/// Calls an entry point, and reads the bytes that it gives back, if it gives any.
async fn bytes_from(
    instance: &Instance,
    store: &mut Store<ModuleState>,
    function: &str,
) -> wasmtime::Result<Option<Vec<u8>>> {
    if let Ok(entry) = instance.get_typed_func::<(), ()>(&mut *store, function) {
        entry.call_async(&mut *store, ()).await?;
        return Ok(None);
    }
    let packed = instance
        .get_typed_func::<(), i64>(&mut *store, function)?
        .call_async(&mut *store, ())
        .await?;
    let bytes =
        GuestMemory::of_instance(instance, &mut *store)?.read_packed(&mut *store, packed)?;
    store.data_mut().bounds.hold_json(bytes.as_deref().unwrap_or_default())?;
    Ok(bytes)
}

fn defaulted(workload: Workload, given: Option<Vec<u8>>) -> Result<Workload, ModuleFault> {
    let Some(bytes) = given else { return Ok(workload) };
    let bad = |reason| ModuleFault::BadMessage {
        function: "Defaulting",
        expected: "JSON object",
        reason,
    };
    let patch: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    if !patch.is_object() {
        return Err(bad("it would replace the whole workload".to_owned()));
    }
    let patched = workload.patched(&patch);
    Workload::new(patched.into_document())
        .map_err(|error: WorkloadError| bad(format!("afterwards {error}")))
}

fn deletion_error(given: Option<Vec<u8>>) -> Result<Option<String>, ModuleFault> {
    let Some(bytes) = given else { return Ok(None) };
    let response: DeleteResponse = super::messages::decode("Delete", "DeleteResponse", &bytes)?;
    Ok(Some(response.error).filter(|error| !error.is_empty()))
}
