//! One call about a workload.

use wasmtime::{Instance, Store};

use super::environment::environment;
use super::messages::{DeleteResponse, decode};
use super::request::{WorkloadAction, WorkloadAnswer, WorkloadOutcome, WorkloadRequest};
use super::session::Session;
use super::workload::{Workload, WorkloadError};
use crate::calling::{CallReport, Gate, Process, Watch, Work};
use crate::error::CallError;
use crate::extension::{Extension, Ready};
use crate::modules::{GuestMemory, ModuleFault, ModuleState, ReadyModule, start};

impl Extension {
    /// Calls an extension of Suffiks about a workload, in a new instance and within all limits.
    ///
    /// The call needs a Tokio runtime with time enabled.
    pub async fn call_workload(&self, request: WorkloadRequest) -> CallReport<WorkloadOutcome> {
        let gate = Gate::new(self.permissions.clone());
        let (action, session) = (request.action, Session::from(request));
        let watch = Watch::new(self.observer.as_ref(), gate.clone(), action.function());
        let report = match &self.ready {
            Ready::Module(module) if module.is_suffiks => {
                let process = Process::default();
                let state = |deadline| {
                    ModuleState::new(&self.setup(&gate, &process, deadline), Some(session))
                };
                self.run(&gate, state, WorkloadCall { module, action, extension: self }).await
            }
            _ => CallReport::failed(CallError::NoWorkloads, &gate),
        };
        watch.ended(&report, |_| false);
        report
    }

    /// Calls about a workload and waits for the answer.
    ///
    /// # Panics
    /// Within a Tokio runtime: use [`Extension::call_workload`] there.
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

/// Calls an entry point, and reads the bytes that it returns, if any.
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
    let response: DeleteResponse = decode("Delete", "DeleteResponse", &bytes)?;
    Ok(Some(response.error).filter(|error| !error.is_empty()))
}
