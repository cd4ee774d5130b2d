//! Linking a module to everything that this host has for modules.

use wasmtime::{InstancePre, Linker, Module};
use wasmtime_wasi::I32Exit;

use super::refusals::refused;
use super::state::{ModuleState, WASI};
use super::{assemblyscript, file_writes, suffiks};
use crate::error::HostError;

/// A module that is linked.
pub(crate) struct ReadyModule {
    pub(crate) instance: InstancePre<ModuleState>,
    pub(crate) is_suffiks: bool,
    /// Whether it can read its environment.
    pub(crate) sees_environment: bool,
    /// Whether it can find directories.
    pub(crate) finds_directories: bool,
}

/// Tells whether a module works on workloads.
pub(crate) fn is_suffiks(module: &Module) -> bool {
    module.imports().any(|import| import.module() == suffiks::IMPORT_MODULE)
}

/// Links a module to everything that this host has for modules. Capabilities are checked at each
/// request.
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

/// Replaces `proc_exit`: for a status above 125, with which languages abort, Wasmtime's makes an
/// error without the status.
fn link_exit(linker: &mut Linker<ModuleState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.func_wrap(WASI, "proc_exit", |status: i32| -> wasmtime::Result<()> {
        Err(I32Exit(status).into())
    })?;
    linker.allow_shadowing(false);
    Ok(())
}
