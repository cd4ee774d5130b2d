//! Core modules: what they import and export, how they are made ready, and how they are called.
//!
//! A module with nothing but WASI's functions is called with numbers, or with bytes that go through its `malloc`. One
//! that imports `suffiks` works on workloads: see [`crate::suffiks`].

mod call;
mod fault;
mod memory;
mod state;

use wasmtime::component::Type;
use wasmtime::{ExternType, FuncType, InstancePre, Linker, Module, UnknownImportError, ValType};

pub(crate) use self::call::start;
pub use self::fault::ModuleFault;
pub(crate) use self::memory::GuestMemory;
pub(crate) use self::state::ModuleState;
use crate::error::HostError;
use crate::exports::{ExportedFunction, Signature, Uncallable, signature_text, type_text};
use crate::imports::{Import, Refusal};
use crate::suffiks;

/// The import module of WASI's first version.
const WASI: &str = "wasi_snapshot_preview1";

/// A module that is linked.
pub(crate) struct ReadyModule {
    pub(crate) instance: InstancePre<ModuleState>,
    pub(crate) is_suffiks: bool,
    /// Whether it can see its environment.
    pub(crate) sees_environment: bool,
    /// Whether it can find directories.
    pub(crate) finds_directories: bool,
}

/// What a module imports, one entry for each namespace.
pub(crate) fn imports(module: &Module) -> Vec<Import> {
    let mut names: Vec<_> = module.imports().map(|import| import.module().to_owned()).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|name| Import { name, capability: None }).collect()
}

/// The functions of a module. Those can be called that take numbers and return one at most. What toolchains export for
/// themselves is left out.
pub(crate) fn exports(module: &Module) -> Vec<ExportedFunction> {
    let functions = module.exports().filter_map(|export| match export.ty() {
        ExternType::Func(ty) if !is_internal(export.name()) => Some(exported(export.name(), &ty)),
        _ => None,
    });
    functions.collect()
}

fn exported(name: &str, ty: &FuncType) -> ExportedFunction {
    let signature = signature(ty);
    let uncallable = match &signature {
        None => Some(with_other_types(ty)),
        Some(Signature { results, .. }) if results.len() > 1 => Some(Uncallable::Results { count: results.len() }),
        Some(_) => None,
    };
    ExportedFunction { interface: None, name: name.to_owned(), uncallable, ty: signature.unwrap_or_default() }
}

/// The reason for a function whose types are not all numbers.
fn with_other_types(ty: &FuncType) -> Uncallable {
    let text = |ty: ValType| number(&ty).map_or_else(|| ty.to_string(), |ty| type_text(&ty));
    let parameters = ty.params().enumerate().map(|(at, ty)| format!("p{at}: {}", text(ty))).collect();
    let has_vector = ty.params().chain(ty.results()).any(|ty| matches!(ty, ValType::V128));
    Uncallable::CoreType {
        kind: if has_vector { "vector" } else { "reference" },
        signature: signature_text(parameters, ty.results().map(text).collect()),
    }
}

/// Whether a function is a toolchain's own, or has a name that nobody can type: names of modules are any text, and shells
/// complete them.
fn is_internal(name: &str) -> bool {
    let is_typed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let is_name = (1..=128).contains(&name.len()) && name.bytes().all(is_typed) && !name.starts_with('-');
    !is_name || name.starts_with("__") || name == "_initialize"
}

/// A type of numbers in the words of components, or nothing for one with other types.
fn signature(ty: &FuncType) -> Option<Signature> {
    let parameters: Option<Vec<_>> = ty.params().map(|ty| number(&ty)).collect();
    let parameters = parameters?.into_iter().enumerate().map(|(at, ty)| (format!("p{at}"), ty)).collect();
    let results = ty.results().map(|ty| number(&ty)).collect::<Option<_>>()?;
    Some(Signature { parameters, results })
}

fn number(ty: &ValType) -> Option<Type> {
    match ty {
        ValType::I32 => Some(Type::S32),
        ValType::I64 => Some(Type::S64),
        ValType::F32 => Some(Type::Float32),
        ValType::F64 => Some(Type::Float64),
        ValType::V128 | ValType::Ref(_) => None,
    }
}

/// Whether a module works on workloads.
pub(crate) fn is_suffiks(module: &Module) -> bool {
    module.imports().any(|import| import.module() == suffiks::IMPORT_MODULE)
}

/// Links a module to everything that there is for modules. What a capability decides is decided when it is asked for.
pub(crate) fn link(module: &Module) -> Result<ReadyModule, HostError> {
    let is_suffiks = is_suffiks(module);
    if is_suffiks {
        suffiks::check_exports(module)?;
    }
    let mut linker = Linker::new(module.engine());
    wasmtime_wasi::p1::add_to_linker_async(&mut linker, ModuleState::wasi).map_err(HostError::Link)?;
    suffiks::add_to_linker(&mut linker).map_err(HostError::Link)?;
    let instance = linker.instantiate_pre(module).map_err(|error| refused(module, error))?;
    let imports = |function: &str| module.imports().any(|import| import.module() == WASI && import.name() == function);
    Ok(ReadyModule {
        instance,
        is_suffiks,
        sees_environment: imports("environ_get"),
        finds_directories: imports("fd_prestat_dir_name"),
    })
}

/// Why a module does not link: everything that it imports from elsewhere, or the one function that is not there.
fn refused(module: &Module, error: wasmtime::Error) -> HostError {
    let is_known = |namespace: &str| namespace == WASI || namespace == suffiks::IMPORT_MODULE;
    let foreign: Vec<_> = imports(module)
        .into_iter()
        .filter(|import| !is_known(&import.name))
        .map(|import| Refusal::Unknown { nearest: nearest(&import.name), import: import.name })
        .collect();
    if !foreign.is_empty() {
        return HostError::Refused(foreign);
    }
    match error.downcast_ref::<UnknownImportError>() {
        Some(unknown) => HostError::Refused(vec![Refusal::Unknown {
            import: format!("{}.{}", unknown.module(), unknown.name()),
            nearest: (unknown.module() == suffiks::IMPORT_MODULE).then(|| suffiks::nearest_function(unknown.name())),
        }]),
        None => HostError::Link(error),
    }
}

fn nearest(namespace: &str) -> Option<String> {
    let known = [WASI, suffiks::IMPORT_MODULE];
    known.into_iter().find(|known| strsim::normalized_levenshtein(known, namespace) > 0.5).map(str::to_owned)
}
