//! One call of a module's function.

use wasmtime::component::Val as ComponentVal;
use wasmtime::{Instance, Store, Val};

use super::link::ReadyModule;
use super::memory::GuestMemory;
use super::state::ModuleState;
use crate::calling::{CallReport, Gate, Process, Returned, Work, is_good_exit};
use crate::error::CallError;
use crate::extension::Extension;
use crate::values::{ArgumentError, Arguments, ExportedFunction, START};
use crate::wasi::{note_directories, note_environment};

impl Extension {
    /// Calls a function of a module in a new instance.
    pub(crate) async fn call_module(
        &self,
        module: &ReadyModule,
        gate: &Gate,
        function: &ExportedFunction,
        arguments: &Arguments,
        process: &Process,
    ) -> CallReport {
        match self.prepare_module(module, function, arguments) {
            Ok(call) => {
                let state = |deadline| ModuleState::new(&self.setup(gate, process, deadline), None);
                self.run(gate, state, call).await
            }
            Err(error) => CallReport::failed(error, gate),
        }
    }

    fn prepare_module<'a>(
        &'a self,
        module: &'a ReadyModule,
        function: &'a ExportedFunction,
        arguments: &Arguments,
    ) -> Result<ModuleCall<'a>, CallError> {
        let arguments = match arguments {
            Arguments::Bytes(bytes) => bytes_for(function, bytes)?,
            other => {
                ModuleArguments::Numbers(other.values(&function.ty)?.iter().map(to_core).collect())
            }
        };
        Ok(ModuleCall { module, function, arguments })
    }
}

/// Checks that a function takes an address and a length for each of these bytes.
fn bytes_for(
    function: &ExportedFunction,
    bytes: &[Vec<u8>],
) -> Result<ModuleArguments, ArgumentError> {
    let takes_pairs = function.ty.parameters.len() == bytes.len() * 2;
    let is_address =
        |(_, ty): &(String, wasmtime::component::Type)| *ty == wasmtime::component::Type::S32;
    if takes_pairs && function.ty.parameters.iter().all(is_address) {
        Ok(ModuleArguments::Bytes(bytes.to_vec()))
    } else {
        Err(ArgumentError::Bytes { found: bytes.len(), signature: function.signature() })
    }
}

/// Converts a number of a component to that of a module; other values do not get here.
fn to_core(value: &ComponentVal) -> Val {
    match value {
        ComponentVal::S32(number) => Val::I32(*number),
        ComponentVal::S64(number) => Val::I64(*number),
        ComponentVal::Float32(number) => Val::F32(number.to_bits()),
        ComponentVal::Float64(number) => Val::F64(number.to_bits()),
        other => unreachable!("functions of modules take numbers, and this is {other:?}"),
    }
}

fn from_core(value: &Val) -> Option<ComponentVal> {
    match value {
        Val::I32(number) => Some(ComponentVal::S32(*number)),
        Val::I64(number) => Some(ComponentVal::S64(*number)),
        Val::F32(bits) => Some(ComponentVal::Float32(f32::from_bits(*bits))),
        Val::F64(bits) => Some(ComponentVal::Float64(f64::from_bits(*bits))),
        _ => None,
    }
}

/// A call of a module that is ready to run.
struct ModuleCall<'a> {
    module: &'a ReadyModule,
    function: &'a ExportedFunction,
    arguments: ModuleArguments,
}

enum ModuleArguments {
    Numbers(Vec<Val>),
    Bytes(Vec<Vec<u8>>),
}

impl Work<ModuleState> for ModuleCall<'_> {
    type Output = Returned;

    async fn run(self, store: &mut Store<ModuleState>) -> wasmtime::Result<Returned> {
        let instance = start(self.module, store, &self.function.name).await?;
        let takes_bytes = matches!(self.arguments, ModuleArguments::Bytes(_));
        let arguments = match self.arguments {
            ModuleArguments::Numbers(numbers) => numbers,
            ModuleArguments::Bytes(each) => give_all(&instance, store, &each).await?,
        };
        let function = instance
            .get_func(&mut *store, &self.function.name)
            .ok_or_else(|| wasmtime::Error::msg("the export is not a function"))?;
        let mut results = vec![Val::I32(0); self.function.ty.results.len()];
        let ended = function.call_async(&mut *store, &arguments, &mut results).await;
        if self.function.is_program() && ended.as_ref().is_err_and(is_good_exit) {
            return Ok(Returned::of_value(None, false));
        }
        ended?;
        match results.first() {
            Some(Val::I64(packed)) if takes_bytes => {
                let bytes = GuestMemory::of_instance(&instance, &mut *store)?
                    .read_packed(&mut *store, *packed)?;
                Ok(bytes.map_or_else(|| Returned::of_value(None, false), Returned::of_bytes))
            }
            other => Ok(Returned::of_value(other.and_then(from_core), false)),
        }
    }
}

/// Puts each argument into the module, as an address and a length.
async fn give_all(
    instance: &Instance,
    store: &mut Store<ModuleState>,
    arguments: &[Vec<u8>],
) -> wasmtime::Result<Vec<Val>> {
    let memory = GuestMemory::of_instance(instance, &mut *store)?;
    let mut numbers = Vec::with_capacity(arguments.len() * 2);
    for bytes in arguments {
        let address = memory.give(&mut *store, bytes).await?;
        numbers.extend([Val::I32(address as i32), Val::I32(bytes.len() as i32)]);
    }
    Ok(numbers)
}

/// Instantiates a module and lets its runtime set itself up, as far as it has one: `_initialize` of
/// a library, and for an extension of Suffiks also the `_start` of a program, after which that ends
/// or not.
pub(crate) async fn start(
    module: &ReadyModule,
    store: &mut Store<ModuleState>,
    function: &str,
) -> wasmtime::Result<Instance> {
    // The host does not see which of WASI's functions are called: everything granted counts as
    // seen.
    if module.sees_environment {
        note_environment(&store.data().gate);
    }
    if module.finds_directories {
        note_directories(&store.data().gate);
    }
    let instance = module.instance.instantiate_async(&mut *store).await?;
    let starts =
        if module.is_suffiks { ["_initialize", START].as_slice() } else { &["_initialize"] };
    for name in starts.iter().filter(|name| **name != function) {
        if let Ok(start) = instance.get_typed_func::<(), ()>(&mut *store, name) {
            let ended = start.call_async(&mut *store, ()).await;
            ended.or_else(|error| if is_good_exit(&error) { Ok(()) } else { Err(error) })?;
        }
    }
    Ok(instance)
}
