//! Core modules: what they import and export, how they are made ready, and how they are called.
//!
//! A module with nothing but WASI's functions is called with numbers, or with bytes that go through
//! its `malloc`. One that imports `suffiks` works on workloads: see [`crate::suffiks`].

mod assemblyscript;
mod call;
mod fault;
mod file_writes;
mod memory;
mod state;

use wasmtime::component::Type;
use wasmtime::{ExternType, FuncType, InstancePre, Linker, Module, UnknownImportError, ValType};
use wasmtime_wasi::I32Exit;

pub(crate) use self::assemblyscript::Abort;
pub(crate) use self::call::start;
pub use self::fault::ModuleFault;
pub(crate) use self::memory::GuestMemory;
pub(crate) use self::state::ModuleState;
use crate::error::HostError;
use crate::exports::{ExportedFunction, Signature, Uncallable, signature_text, type_text};
use crate::foreign;
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

/// The functions of a module. Those can be called that take numbers and return one at most. What
/// toolchains export for themselves is left out.
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
        Some(Signature { results, .. }) if results.len() > 1 => {
            Some(Uncallable::Results { count: results.len() })
        }
        Some(_) => None,
    };
    ExportedFunction {
        interface: None,
        name: name.to_owned(),
        uncallable,
        ty: signature.unwrap_or_default(),
    }
}

/// The reason for a function whose types are not all numbers.
fn with_other_types(ty: &FuncType) -> Uncallable {
    let text = |ty: ValType| number(&ty).map_or_else(|| ty.to_string(), |ty| type_text(&ty));
    let parameters =
        ty.params().enumerate().map(|(at, ty)| format!("p{at}: {}", text(ty))).collect();
    let has_vector = ty.params().chain(ty.results()).any(|ty| matches!(ty, ValType::V128));
    Uncallable::CoreType {
        kind: if has_vector { "vector" } else { "reference" },
        signature: signature_text(parameters, ty.results().map(text).collect()),
    }
}

/// Whether a function is a toolchain's own, or has a name that nobody can type: names of modules
/// are any text, and shells complete them.
fn is_internal(name: &str) -> bool {
    let is_typed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let is_name =
        (1..=128).contains(&name.len()) && name.bytes().all(is_typed) && !name.starts_with('-');
    !is_name || name.starts_with("__") || name == "_initialize"
}

/// A type of numbers in the words of components, or nothing for one with other types.
fn signature(ty: &FuncType) -> Option<Signature> {
    let parameters: Option<Vec<_>> = ty.params().map(|ty| number(&ty)).collect();
    let parameters =
        parameters?.into_iter().enumerate().map(|(at, ty)| (format!("p{at}"), ty)).collect();
    let results = ty.results().map(|ty| number(&ty)).collect::<Option<_>>()?;
    Some(Signature { parameters, results, ..Signature::default() })
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

/// Links a module to everything that there is for modules. What a capability decides is decided
/// when it is asked for.
pub(crate) fn link(module: &Module) -> Result<ReadyModule, HostError> {
    let is_suffiks = is_suffiks(module);
    if is_suffiks {
        suffiks::check_exports(module)?;
    }
    let mut linker = Linker::new(module.engine());
    wasmtime_wasi::p1::add_to_linker_async(&mut linker, ModuleState::wasi)
        .map_err(HostError::Link)?;
    file_writes::link(&mut linker).map_err(HostError::Link)?;
    link_exit(&mut linker).map_err(HostError::Link)?;
    assemblyscript::link_abort(&mut linker).map_err(HostError::Link)?;
    suffiks::add_to_linker(&mut linker).map_err(HostError::Link)?;
    let instance = linker.instantiate_pre(module).map_err(|error| refused(module, error))?;
    let imports = |function: &str| {
        module.imports().any(|import| import.module() == WASI && import.name() == function)
    };
    Ok(ReadyModule {
        instance,
        is_suffiks,
        sees_environment: imports("environ_get"),
        finds_directories: imports("fd_prestat_dir_name"),
    })
}

/// Replaces `proc_exit`: Wasmtime's makes an error without the status of every status above 125,
/// with which languages abort.
fn link_exit(linker: &mut Linker<ModuleState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.func_wrap(WASI, "proc_exit", |status: i32| -> wasmtime::Result<()> {
        Err(I32Exit(status).into())
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Why a module does not link: everything that it imports from elsewhere, or the one function that
/// is not there or has another type.
fn refused(module: &Module, error: wasmtime::Error) -> HostError {
    let is_known = |namespace: &str| {
        namespace == WASI
            || namespace == suffiks::IMPORT_MODULE
            || assemblyscript::is_all_of(module, namespace)
    };
    let names = imports(module).into_iter().map(|import| import.name);
    let foreign: Vec<_> =
        names.filter(|name| !is_known(name)).map(|name| foreign(module, name)).collect();
    if !foreign.is_empty() {
        return HostError::Refused(foreign);
    }
    if let Some(unknown) = error.downcast_ref::<UnknownImportError>() {
        return HostError::Refused(vec![unknown_function(unknown.module(), unknown.name())]);
    }
    match mistyped(&error) {
        Some(refusal) => HostError::Refused(vec![refusal]),
        None => HostError::Link(error),
    }
}

/// A function that a namespace of this host does not have. Others have added to those of WASI.
fn unknown_function(namespace: &str, function: &str) -> Refusal {
    let import = format!("{namespace}.{function}");
    match foreign::of_namespace(namespace, &[function]) {
        Some(host) => Refusal::Foreign { import, host },
        None => Refusal::UnknownFunction {
            import,
            nearest: (namespace == suffiks::IMPORT_MODULE)
                .then(|| suffiks::nearest_function(function)),
        },
    }
}

/// What a namespace is that is not this host's.
fn foreign(module: &Module, namespace: String) -> Refusal {
    let of_namespace = module.imports().filter(|import| import.module() == namespace);
    let functions: Vec<_> = of_namespace.map(|import| import.name()).collect();
    match foreign::of_namespace(&namespace, &functions) {
        Some(host) => Refusal::Foreign { import: namespace, host },
        None => Refusal::UnknownFunction {
            nearest: nearest(&namespace),
            import: format!("{namespace}.{}", functions.first().unwrap_or(&"")),
        },
    }
}

/// The function that is imported with another type than it has. Wasmtime has no type for this
/// error; a test makes sure that its words stay these.
fn mistyped(error: &wasmtime::Error) -> Option<Refusal> {
    let mut messages = error.chain().map(ToString::to_string);
    let outer = messages.next()?;
    let import =
        outer.strip_prefix("incompatible import type for `")?.strip_suffix('`')?.replace("::", ".");
    Some(Refusal::OtherType { import, message: messages.collect::<Vec<_>>().join(": ") })
}

fn nearest(namespace: &str) -> Option<String> {
    let known = [WASI, suffiks::IMPORT_MODULE];
    known
        .into_iter()
        .find(|known| strsim::normalized_levenshtein(known, namespace) > 0.5)
        .map(str::to_owned)
}
