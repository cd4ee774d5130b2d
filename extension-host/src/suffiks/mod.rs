//! Extensions of [Suffiks](https://suffiks.com): modules that validate, complete, extend and clean
//! up after a workload.
//!
//! Such a module imports the functions of the module `suffiks` and exports four entry points. Bytes
//! go to and fro as an address and a length in its memory; results of functions are both in one
//! number, `(address << 32) | length`, and 0 is nothing. `docs/wasi-runtime.md` has every function
//! with its payload.

mod call;
mod changes;
mod environment;
mod kubernetes;
mod messages;
mod resources;
mod runtime;
mod session;
mod workload;

use wasmtime::{ExternType, FuncType, Module, ValType};

pub use self::call::{
    ValidationProblem, WorkloadAction, WorkloadAnswer, WorkloadOutcome, WorkloadRequest,
};
pub use self::changes::{Changes, EnvSource};
pub use self::environment::{CommandEnvironment, RefusedVariable, VariableRefusal};
pub use self::resources::{ResourceName, Resources};
pub(crate) use self::runtime::{add_to_linker, nearest_function};
pub(crate) use self::session::Session;
pub use self::workload::{Workload, WorkloadError, plural_of};
use crate::error::HostError;

/// The import module of the functions.
pub(crate) const IMPORT_MODULE: &str = "suffiks";

/// What an extension must export, and the types that each can have. The first versions of the
/// runtime wanted no result of `Delete`.
const EXPORTS: [(&str, &[&str]); 6] = [
    ("Sync", &["() -> ()"]),
    ("Delete", &["() -> i64", "() -> ()"]),
    ("Defaulting", &["() -> i64"]),
    ("Validate", &["(i32) -> ()"]),
    ("malloc", &["(i32) -> i32"]),
    ("free", &["(i32) -> ()"]),
];

/// Makes sure that a module exports what an extension must, with the right types.
pub(crate) fn check_exports(module: &Module) -> Result<(), HostError> {
    let there: Vec<(String, String)> = module
        .exports()
        .filter_map(|export| match export.ty() {
            ExternType::Func(ty) => Some((export.name().to_owned(), type_text(&ty))),
            _ => None,
        })
        .collect();
    let is_there = |name: &str, types: &[&str]| {
        there.iter().any(|(has, ty)| has == name && types.contains(&ty.as_str()))
    };
    let has_memory =
        module.exports().any(|export| export.name() == "memory" && export.ty().memory().is_some());
    let functions = EXPORTS.iter().filter(|(name, types)| !is_there(name, types));
    let missing: Vec<_> = functions
        .map(|(name, types)| format!("`{name}{}`", types[0]))
        .chain((!has_memory).then(|| "a memory `memory`".to_owned()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let there =
        there.iter().take(40).map(|(name, ty)| format!("`{}{ty}`", name.escape_debug())).collect();
    Err(HostError::Exports { missing, there })
}

fn type_text(ty: &FuncType) -> String {
    let list = |types: &mut dyn Iterator<Item = ValType>| {
        types.map(|ty| ty.to_string()).collect::<Vec<_>>().join(", ")
    };
    let (parameters, results) = (list(&mut ty.params()), list(&mut ty.results()));
    let results = if ty.results().len() == 1 { results } else { format!("({results})") };
    format!("({parameters}) -> {results}")
}
