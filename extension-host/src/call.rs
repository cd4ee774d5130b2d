//! One call: an instance of its own, all limits, and what came out.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use core_types::{Activity, Capability, LimitName};
use tokio::runtime::Runtime;
use wasmtime::component::wasm_wave;
use wasmtime::component::{ComponentExportIndex, Val};
use wasmtime::{Store, Trap};
use wasmtime_wasi::I32Exit;

use crate::arguments::Arguments;
use crate::directories::DirectoryError;
use crate::error::{CallError, LimitExceeded};
use crate::exports::{self, ExportedFunction};
use crate::extension::Extension;
use crate::gate::Gate;
use crate::json;
use crate::observe::Watch;
use crate::output::OutputFull;
use crate::state::CallState;

/// The fuel after which a guest hands control back, so that its deadline can be looked at: well under a millisecond.
const FUEL_SLICE: u64 = 500_000;

/// What became of a call.
#[derive(Debug)]
pub struct CallReport {
    /// The value that came back, or why there is none.
    pub outcome: Result<Returned, CallError>,
    /// What the call used.
    pub usage: Usage,
    /// What the guest printed and logged, up to the limit. It is a stranger's text: escape it before a terminal sees it.
    pub output: Vec<u8>,
    /// What it touched and was refused.
    pub activity: Activity,
}

/// The value that a function returned.
#[derive(Debug, Clone, PartialEq)]
pub struct Returned {
    value: Option<Val>,
    is_bytes: bool,
}

/// What a call used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Units of fuel. The same input uses the same fuel.
    pub fuel: u64,
    /// The bytes of all linear memories at the end, which is the most there ever was.
    pub memory_bytes: usize,
    /// The elements of all tables at the end, which is the most there ever was.
    pub table_elements: usize,
    /// Wall-clock time, instantiation included.
    pub elapsed: Duration,
}

impl Extension {
    /// Calls a function in a new instance. Needs a tokio runtime with time enabled; dropping the future ends the call.
    pub async fn call(&self, function: &str, arguments: &Arguments) -> CallReport {
        let gate = Gate::new(self.permissions.clone());
        let watch = Watch::new(self.observer.as_ref(), gate.clone(), function);
        let report = match self.prepare(function, arguments) {
            Ok(prepared) => self.run(prepared, gate).await,
            Err(error) => CallReport::failed(error, &gate),
        };
        watch.ended(&report);
        report
    }

    /// Calls a function in a new instance and waits for it.
    ///
    /// # Panics
    /// Within a tokio runtime, where [`Extension::call`] is to be used.
    pub fn call_blocking(&self, function: &str, arguments: &Arguments) -> CallReport {
        thread_local! {
            static RUNTIME: RefCell<Option<CallRuntime>> = const { RefCell::new(None) };
        }
        let with_network = self.permissions.authority.grants_now_or_later(Capability::Network);
        RUNTIME.with_borrow_mut(|slot| {
            let made = match slot.take().filter(|runtime| runtime.with_network || !with_network) {
                Some(runtime) => Ok(runtime),
                None => CallRuntime::new(with_network),
            };
            match made {
                Ok(runtime) => slot.insert(runtime).block_on(self.call(function, arguments)),
                Err(error) => CallReport::failed(CallError::Other(error.into()), &Gate::new(self.permissions.clone())),
            }
        })
    }

    /// Everything that can be found out before any code runs.
    fn prepare(&self, name: &str, arguments: &Arguments) -> Result<Prepared, CallError> {
        let function = exports::find(&self.functions, name)?;
        if !function.is_callable() {
            return Err(CallError::Uncallable { function: function.to_string() });
        }
        let arguments = arguments.values(&function.ty)?;
        let results = vec![Val::Bool(false); function.ty.results().len()];
        Ok(Prepared { export: self.export_index(function)?, arguments, results, is_bytes: function.returns_bytes() })
    }

    fn export_index(&self, function: &ExportedFunction) -> Result<ComponentExportIndex, CallError> {
        let lookup = |parent: Option<&ComponentExportIndex>, name: &str| {
            let found = self.component.get_export_index(parent, name);
            found.ok_or_else(|| CallError::NoSuchFunction { name: name.to_owned(), callable: self.functions.clone() })
        };
        match &function.interface {
            Some(interface) => lookup(Some(&lookup(None, interface)?), &function.name),
            None => lookup(None, &function.name),
        }
    }

    /// Instantiates and calls within the limits.
    async fn run(&self, prepared: Prepared, gate: Gate) -> CallReport {
        let started = Instant::now();
        let limit = Duration::from_millis(self.limits().get(LimitName::Timeout).value);
        let mut store = match self.store(gate.clone(), started + limit) {
            Ok(store) => store,
            Err(error) => return CallReport::failed(error.into(), &gate),
        };
        let outcome = match tokio::time::timeout(limit, self.instantiate_and_call(&mut store, prepared)).await {
            Ok(result) => result.map_err(|error| self.classify(error, store.data())),
            Err(_) => Err(self.exceeded(LimitName::Timeout)),
        };
        let outcome = match outcome {
            Ok(_) if store.data().output.ran_over() => Err(self.exceeded(LimitName::Output)),
            other => other,
        };
        let usage = self.usage(&store, started);
        CallReport { outcome, usage, output: store.data().output.contents(), activity: gate.noted() }
    }

    fn usage(&self, store: &Store<CallState>, started: Instant) -> Usage {
        let limiter = &store.data().limiter;
        Usage {
            fuel: self.limits().get(LimitName::Fuel).value - store.get_fuel().unwrap_or_default(),
            memory_bytes: limiter.memory_bytes(),
            table_elements: limiter.table_elements(),
            elapsed: started.elapsed(),
        }
    }

    /// A store with every limit in place, before anything is instantiated in it.
    fn store(&self, gate: Gate, deadline: Instant) -> Result<Store<CallState>, DirectoryError> {
        let state = CallState::new(gate, &self.config, &self.backends, deadline)?;
        let mut store = Store::new(&self.engine, state);
        let value = |name| self.limits().get(name).value;
        let bytes = usize::try_from(value(LimitName::Transfer)).unwrap_or(usize::MAX).saturating_mul(1 << 20);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(bytes);
        store.set_max_component_handles(usize::try_from(value(LimitName::Handles)).unwrap_or(usize::MAX));
        // Both fail only on engines without fuel, and ours has it.
        let _ = store.set_fuel(value(LimitName::Fuel));
        let _ = store.fuel_async_yield_interval(Some(FUEL_SLICE));
        Ok(store)
    }

    async fn instantiate_and_call(
        &self,
        store: &mut Store<CallState>,
        prepared: Prepared,
    ) -> wasmtime::Result<Returned> {
        let Prepared { export, arguments, mut results, is_bytes } = prepared;
        let instance = self.instance.instantiate_async(&mut *store).await?;
        let function =
            instance.get_func(&mut *store, export).ok_or_else(|| wasmtime::Error::msg("the export is no function"))?;
        function.call_async(&mut *store, &arguments, &mut results).await?;
        Ok(Returned { value: results.pop(), is_bytes })
    }

    fn exceeded(&self, name: LimitName) -> CallError {
        CallError::Limit(LimitExceeded { limit: self.limits().get(name).clone() })
    }

    /// Tells what an error of the engine means.
    fn classify(&self, error: wasmtime::Error, state: &CallState) -> CallError {
        if let Some(name) = exceeded_limit(&error, state) {
            return self.exceeded(name);
        }
        if let Some(I32Exit(code)) = error.downcast_ref() {
            return CallError::Exited { failed: *code != 0 };
        }
        match error.downcast_ref::<Trap>() {
            Some(trap) => CallError::Trap { reason: trap.to_string().trim_start_matches("wasm trap: ").to_owned() },
            None => CallError::Other(error),
        }
    }
}

/// The limit that an error comes from, if it comes from one.
///
/// A guest that is refused memory usually crashes a moment later in its own allocator, so a refusal explains a crash.
fn exceeded_limit(error: &wasmtime::Error, state: &CallState) -> Option<LimitName> {
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => return Some(LimitName::Fuel),
        Some(Trap::StackOverflow) => return Some(LimitName::Stack),
        _ => {}
    }
    if state.is_expired() {
        return Some(LimitName::Timeout);
    }
    if error.downcast_ref::<OutputFull>().is_some() || state.output.ran_over() {
        return Some(LimitName::Output);
    }
    state.limiter.refused().or_else(|| exceeded_by_message(error))
}

/// Limits for which Wasmtime has no type of error. Tests make sure that its words stay these.
fn exceeded_by_message(error: &wasmtime::Error) -> Option<LimitName> {
    let known = [
        ("fuel allocated for hostcalls has been exhausted", LimitName::Transfer),
        ("instance count too high", LimitName::Instances),
        ("store handle limit exceeded", LimitName::Handles),
        ("resource table has no free keys", LimitName::Handles),
    ];
    let messages: Vec<_> = error.chain().map(ToString::to_string).collect();
    let named = |words: &str| messages.iter().any(|message| message.contains(words));
    known.into_iter().find_map(|(words, name)| named(words).then_some(name))
}

/// A call that is ready to run.
struct Prepared {
    export: ComponentExportIndex,
    arguments: Vec<Val>,
    results: Vec<Val>,
    is_bytes: bool,
}

/// A runtime for calls of one thread.
struct CallRuntime {
    runtime: Option<Runtime>,
    with_network: bool,
}

impl CallRuntime {
    /// What sockets need is made only for extensions that may have them.
    fn new(with_network: bool) -> std::io::Result<Self> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time();
        if with_network {
            builder.enable_io();
        }
        Ok(Self { runtime: Some(builder.build()?), with_network })
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        match &self.runtime {
            Some(runtime) => runtime.block_on(future),
            None => unreachable!("the runtime is there until it is dropped"),
        }
    }
}

/// A host call that was left because its time was over may still wait in a thread; nothing waits for it.
impl Drop for CallRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl CallReport {
    /// A call that was not started.
    fn failed(error: CallError, gate: &Gate) -> Self {
        Self { outcome: Err(error), usage: Usage::default(), output: Vec::new(), activity: gate.noted() }
    }
}

impl Returned {
    /// The value as a person reads it: text as it stands, anything else as WAVE; empty for no value.
    ///
    /// Bytes come out as WAVE as well: see [`Returned::bytes`].
    pub fn to_text(&self) -> String {
        match self.plain() {
            None => String::new(),
            Some(Val::String(text)) => text.clone(),
            Some(other) => wasm_wave::to_string(other).unwrap_or_else(|error| format!("({error})")),
        }
    }

    /// The bytes of a `list<u8>`, which are data rather than text.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let Some(Val::List(values)) = self.plain().filter(|_| self.is_bytes) else { return None };
        values.iter().map(|value| if let Val::U8(byte) = value { Some(*byte) } else { None }).collect()
    }

    /// The value as JSON, in the form that [`Arguments::Json`] reads.
    pub fn to_json(&self) -> serde_json::Value {
        self.value.as_ref().map_or(serde_json::Value::Null, json::from_val)
    }

    /// Whether the function returned a `result` and it is an error.
    pub fn is_err(&self) -> bool {
        matches!(self.value, Some(Val::Result(Err(_))))
    }

    /// Whether there is a value to show.
    pub fn is_empty(&self) -> bool {
        self.plain().is_none()
    }

    /// The value itself; for a `result` what is inside.
    fn plain(&self) -> Option<&Val> {
        match self.value.as_ref()? {
            Val::Result(Ok(payload) | Err(payload)) => payload.as_deref(),
            other => Some(other),
        }
    }
}
