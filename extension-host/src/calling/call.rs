//! One call: a store of its own, all limits, and the outcome.

use std::borrow::Cow;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;

use core_types::{Capability, LimitName};
use wasmtime::component::{ComponentExportIndex, InstancePre, Val};
use wasmtime::{CallHook, Store, ThrownException, Trap};
use wasmtime_wasi::I32Exit;

use super::bytes_call::BytesCall;
use super::call_state::CallState;
use super::gate::Gate;
use super::observe::Watch;
use super::process::{Process, Setup, split_arguments};
use super::report::{CallReport, Returned, Usage};
use super::runtime;
use crate::capabilities::BackendError;
use crate::directories::DirectoryError;
use crate::error::{CallError, LimitExceeded};
use crate::extension::{Extension, Ready};
use crate::limits::{AddressSpaceTooSmall, Bounded, Output, OutputClosed, transfer_bytes};
use crate::modules::{Abort, ModuleFault};
use crate::values::{Arguments, ExportedFunction, FindError, find, json};

/// The fuel after which a guest hands control back so that the timer sees its deadline: well under
/// a millisecond of computing.
const FUEL_SLICE: u64 = 500_000;
/// The entries of Wasmtime's own table for each handle of a guest: a stream or future takes three,
/// and the task that works on it one.
#[cfg(feature = "wasi-0-3")]
const ENTRIES_PER_HANDLE: usize = 4;

/// The reason of a guest that ended with tasks left and nothing that could wake one of them.
const DEADLOCK: &str = "deadlock: it waits for an event that cannot come";

/// Work in a store with all bounds.
pub(crate) trait Work<S>: Send {
    /// The result of the work.
    type Output: Send;

    /// Does the work.
    fn run(
        self,
        store: &mut Store<S>,
    ) -> impl Future<Output = wasmtime::Result<Self::Output>> + Send;

    /// Keeps the changes of work that ended by itself.
    fn commit(_: &mut S) -> Result<(), BackendError> {
        Ok(())
    }
}

impl Extension {
    /// Calls a function in a new instance.
    ///
    /// The call needs a Tokio runtime with time enabled. Dropping the future ends the call.
    pub async fn call(&self, function: &str, arguments: &Arguments) -> CallReport {
        let gate = self.gate();
        let watch = Watch::new(self.observer.as_ref(), gate.clone(), function);
        let report = match self.find(function, arguments) {
            Ok((function, arguments, process)) => {
                self.call_function(&gate, function, &arguments, process).await
            }
            Err(error) => CallReport::failed(error, &gate),
        };
        watch.ended(&report, Returned::is_err);
        report
    }

    /// Returns the arguments of a function as a JSON array, in the form that [`Arguments::Json`]
    /// reads.
    ///
    /// # Errors
    /// When there is no such function, or the arguments do not fit it.
    pub fn arguments_in_json(
        &self,
        function: &str,
        arguments: &Arguments,
    ) -> Result<String, CallError> {
        let values = arguments.values(&self.callable(function)?.ty)?;
        Ok(serde_json::Value::from_iter(values.iter().map(json::from_val)).to_string())
    }

    /// Finds the function, and decides how the arguments reach it.
    pub(super) fn find<'a>(
        &self,
        function: &str,
        arguments: &'a Arguments,
    ) -> Result<(&ExportedFunction, Cow<'a, Arguments>, Process), CallError> {
        let function = self.callable(function)?;
        let (arguments, process) = split_arguments(function, arguments)?;
        Ok((function, arguments, process))
    }

    /// Calls a function that was found.
    pub(crate) async fn call_function(
        &self,
        gate: &Gate,
        function: &ExportedFunction,
        arguments: &Arguments,
        process: Process,
    ) -> CallReport {
        match &self.ready {
            Ready::Component(component) => match self.prepare(component, function, arguments) {
                Ok(call) => {
                    let state = |deadline| CallState::new(&self.setup(gate, &process, deadline));
                    self.run(gate, state, call).await
                }
                Err(error) => CallReport::failed(error, gate),
            },
            Ready::Module(module) => {
                self.call_module(module, gate, function, arguments, &process).await
            }
        }
    }

    pub(crate) fn gate(&self) -> Gate {
        Gate::new(self.permissions.clone())
    }

    /// Calls a function in a new instance and waits for it.
    ///
    /// # Panics
    /// Within a Tokio runtime: use [`Extension::call`] there.
    pub fn call_blocking(&self, function: &str, arguments: &Arguments) -> CallReport {
        self.wait_for(self.call(function, arguments))
    }

    /// Calls a function in a new instance and waits for it, or for `interrupted`, which ends the
    /// call. Returns `None` when it was interrupted.
    ///
    /// # Panics
    /// Within a Tokio runtime: use [`Extension::call`] there.
    pub fn call_until_blocking(
        &self,
        function: &str,
        arguments: &Arguments,
        interrupted: impl Future<Output = ()>,
    ) -> Option<CallReport> {
        self.wait_until(self.may_connect(), self.call(function, arguments), interrupted)
    }

    /// Waits for a call on this thread's runtime, or for `interrupted`.
    pub(super) fn wait_until<T>(
        &self,
        with_io: bool,
        call: impl Future<Output = CallReport<T>>,
        interrupted: impl Future<Output = ()>,
    ) -> Option<CallReport<T>> {
        let work = async {
            tokio::select! {
                biased;
                () = interrupted => None,
                report = call => Some(report),
            }
        };
        runtime::block_on(with_io, work).unwrap_or_else(|error| Some(self.without_runtime(error)))
    }

    /// Waits for a call on this thread's runtime.
    pub(crate) fn wait_for<T>(&self, call: impl Future<Output = CallReport<T>>) -> CallReport<T> {
        runtime::block_on(self.may_connect(), call)
            .unwrap_or_else(|error| self.without_runtime(error))
    }

    fn may_connect(&self) -> bool {
        self.permissions.authority.grants_now_or_later(Capability::Network)
    }

    /// Reports a call for which the system gives no runtime.
    pub(super) fn without_runtime<T>(&self, error: io::Error) -> CallReport<T> {
        CallReport::failed(CallError::Other(error.into()), &self.gate())
    }

    /// Checks everything that can be checked before any code runs.
    fn prepare<'a>(
        &'a self,
        component: &'a InstancePre<CallState>,
        function: &ExportedFunction,
        arguments: &Arguments,
    ) -> Result<ComponentCall<'a>, CallError> {
        let values = match BytesCall::new(&function.ty, arguments)? {
            Some(call) => Values::Static(call),
            None => Values::Dynamic {
                arguments: arguments.values(&function.ty)?,
                results: vec![Val::Bool(false); function.ty.results.len()],
                is_bytes: function.returns_bytes(),
            },
        };
        let export = self.export_index(component, function)?;
        Ok(ComponentCall { component, export, values, is_program: function.is_program() })
    }

    /// Finds the callable function of this name.
    fn callable(&self, name: &str) -> Result<&ExportedFunction, CallError> {
        let function = find(&self.functions, name).map_err(|error| self.not_found(name, error))?;
        match &function.uncallable {
            None => Ok(function),
            Some(reason) => Err(CallError::Uncallable {
                function: function.to_string(),
                reason: reason.clone(),
            }),
        }
    }

    fn not_found(&self, name: &str, error: FindError) -> CallError {
        if let Some(reason) = self.code.why_unlisted(name) {
            return CallError::Uncallable { function: name.escape_debug().to_string(), reason };
        }
        let name = name.to_owned();
        match error {
            FindError::None => CallError::NoSuchFunction { name, exports: self.functions.to_vec() },
            FindError::Several(candidates) => CallError::Ambiguous { name, candidates },
        }
    }

    fn export_index(
        &self,
        component: &InstancePre<CallState>,
        function: &ExportedFunction,
    ) -> Result<ComponentExportIndex, CallError> {
        let lookup = |parent: Option<&ComponentExportIndex>, name: &str| {
            let found = component.component().get_export_index(parent, name);
            found.ok_or_else(|| self.not_found(name, FindError::None))
        };
        match &function.interface {
            Some(interface) => lookup(Some(&lookup(None, interface)?), &function.name),
            None => lookup(None, &function.name),
        }
    }

    /// Gathers the parts from which the state of a call is made.
    pub(crate) fn setup<'a>(
        &'a self,
        gate: &'a Gate,
        process: &'a Process,
        deadline: Instant,
    ) -> Setup<'a> {
        Setup { gate, config: &self.config, backends: &self.backends, process, deadline }
    }

    /// Does work in a new store within the limits.
    pub(crate) async fn run<S: Bounded, W: Work<S>>(
        &self,
        gate: &Gate,
        state: impl FnOnce(Instant) -> Result<S, DirectoryError>,
        work: W,
    ) -> CallReport<W::Output> {
        let started = Instant::now();
        let limit = self.limits().timeout();
        let mut store = match state(started + limit) {
            Ok(state) => self.store(state),
            Err(error) => return CallReport::failed(error.into(), gate),
        };
        let output = store.data().bounds().output.clone();
        let outcome =
            match tokio::time::timeout(limit, unless_closed(output, work.run(&mut store))).await {
                Ok(result) => result.map_err(|error| self.classify(error, store.data())),
                Err(_) => Err(self.exceeded(LimitName::Timeout)),
            };
        let outcome = match outcome {
            Ok(value) => {
                store.data().bounds().ran_over().map_or(Ok(value), |name| Err(self.exceeded(name)))
            }
            other => other,
        };
        let outcome = committed::<S, W>(outcome, store.data_mut());
        let usage = self.usage(&store, started);
        let output = &store.data().bounds().output;
        CallReport {
            outcome,
            usage,
            output: output.contents(),
            stderr_tail: output.stderr_tail(),
            activity: gate.noted(),
        }
    }

    fn usage<S: Bounded>(&self, store: &Store<S>, started: Instant) -> Usage {
        let limiter = &store.data().bounds().limiter;
        Usage {
            fuel: self.limits().get(LimitName::Fuel).value - store.get_fuel().unwrap_or_default(),
            memory_bytes: limiter.memory_bytes(),
            table_elements: limiter.table_elements(),
            written_bytes: store.data().bounds().written.written(),
            elapsed: started.elapsed(),
        }
    }

    /// Makes a store with every limit in place, before anything is instantiated in it.
    fn store<S: Bounded>(&self, state: S) -> Store<S> {
        let mut store = Store::new(&self.engine, state);
        let value = |name| self.limits().get(name).value;
        store.limiter(|state| &mut state.bounds_mut().limiter);
        store.set_hostcall_fuel(transfer_bytes(self.limits()));
        let handles = usize::try_from(value(LimitName::Handles)).unwrap_or(usize::MAX);
        store.set_max_component_handles(handles);
        store.data_mut().table().set_max_capacity(handles);
        #[cfg(feature = "wasi-0-3")]
        if let Some(table) = store.concurrent_resource_table() {
            table.set_max_capacity(handles.saturating_mul(ENTRIES_PER_HANDLE));
        }
        // Work of the host costs no fuel, copies between streams among it: a guest that does little
        // else would hand control back too rarely for its deadline. The hook runs before every host
        // function and every built-in function of Wasmtime.
        store.call_hook(|context, hook| match hook {
            CallHook::CallingHost => Ok(context.data().bounds().check_time()?),
            _ => Ok(()),
        });
        // Both fail only on engines without fuel, and ours has it.
        let _ = store.set_fuel(value(LimitName::Fuel));
        let _ = store.fuel_async_yield_interval(Some(FUEL_SLICE));
        store
    }

    fn exceeded(&self, name: LimitName) -> CallError {
        CallError::Limit(LimitExceeded { limit: self.limits().get(name).clone() })
    }

    /// Translates an error of the engine.
    fn classify<S: Bounded>(&self, error: wasmtime::Error, state: &S) -> CallError {
        // A guest that exits chose how it ends, so that its status comes before limits and
        // refusals.
        if let Some(I32Exit(status)) = error.downcast_ref() {
            return CallError::Exited { status: *status };
        }
        if error.downcast_ref::<OutputClosed>().is_some() {
            return CallError::OutputClosed;
        }
        if let Some(name) = state.bounds().exceeded(&error) {
            return self.exceeded(name);
        }
        if let Some(fault) = error.downcast_ref::<ModuleFault>() {
            return CallError::Fault(fault.clone());
        }
        if let Some(abort) = error.downcast_ref::<Abort>() {
            return CallError::Trap { reason: abort.to_string() };
        }
        if error.is::<ThrownException>() {
            return CallError::Trap {
                reason: "it threw an exception that nothing catches".to_owned(),
            };
        }
        let (memories, initial) = (self.code.memories(), self.code.initial_memory());
        if let Some(error) = AddressSpaceTooSmall::of(&error, memories, initial) {
            return CallError::AddressSpace(error);
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::AsyncDeadlock) => CallError::Trap { reason: DEADLOCK.to_owned() },
            Some(trap) => CallError::Trap {
                reason: trap.to_string().trim_start_matches("wasm trap: ").to_owned(),
            },
            None => CallError::Other(error),
        }
    }
}

/// Commits the changes of work that ended by itself: it returned, an error included, or exited.
/// Stopped work keeps nothing.
fn committed<S, W: Work<S>>(
    outcome: Result<W::Output, CallError>,
    state: &mut S,
) -> Result<W::Output, CallError> {
    if matches!(outcome, Ok(_) | Err(CallError::Exited { .. })) {
        W::commit(state).map_err(CallError::Storage)?;
    }
    outcome
}

/// Does the work unless the reader of the output goes away. WASI 0.3 tells only the guest, which
/// could go on.
async fn unless_closed<T>(
    output: Output,
    work: impl Future<Output = wasmtime::Result<T>>,
) -> wasmtime::Result<T> {
    let mut work = pin!(work);
    poll_fn(|context| match work.as_mut().poll(context) {
        _ if output.is_closed() => Poll::Ready(Err(OutputClosed.into())),
        result => result,
    })
    .await
}

/// Tells whether an error is an exit with status 0, which is how many programs return.
pub(crate) fn is_good_exit(error: &wasmtime::Error) -> bool {
    matches!(error.downcast_ref(), Some(I32Exit(0)))
}

/// A call of a component that is ready to run.
struct ComponentCall<'a> {
    component: &'a InstancePre<CallState>,
    export: ComponentExportIndex,
    values: Values,
    is_program: bool,
}

/// The arguments of a component.
enum Values {
    Static(BytesCall),
    Dynamic { arguments: Vec<Val>, results: Vec<Val>, is_bytes: bool },
}

impl Work<CallState> for ComponentCall<'_> {
    type Output = Returned;

    fn commit(state: &mut CallState) -> Result<(), BackendError> {
        state.storage.commit()
    }

    async fn run(self, store: &mut Store<CallState>) -> wasmtime::Result<Returned> {
        let instance = self.component.instantiate_async(&mut *store).await?;
        let function = instance
            .get_func(&mut *store, self.export)
            .ok_or_else(|| wasmtime::Error::msg("the export is not a function"))?;
        let ended = match self.values {
            Values::Static(call) => call.run(function, store).await,
            Values::Dynamic { arguments, mut results, is_bytes } => {
                let ended = function.call_async(&mut *store, &arguments, &mut results).await;
                ended.map(|()| Returned::of_value(results.pop(), is_bytes))
            }
        };
        match ended {
            Err(error) if self.is_program && is_good_exit(&error) => {
                Ok(Returned::of_value(None, false))
            }
            other => other,
        }
    }
}
