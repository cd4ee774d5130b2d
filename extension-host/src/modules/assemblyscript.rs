//! `env.abort`, by which AssemblyScript reports a failed assertion or an exception before it traps
//! (<https://www.assemblyscript.org/concepts.html#special-imports>).

use wasmtime::{Caller, Extern, Linker, Module};

use super::state::ModuleState;

/// The maximum of a message or a file name, in UTF-16 units: longer ones do not fit a line of an
/// error.
const MAX_TEXT: usize = 512;

/// The guest aborted with this message. Untrusted text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it aborted: {} ({}:{line}:{column})", message.escape_debug(), file.escape_debug())]
pub(crate) struct Abort {
    message: String,
    file: String,
    line: u32,
    column: u32,
}

/// The namespace and the name of the function.
const NAMESPACE: &str = "env";
const ABORT: &str = "abort";

/// Links `env.abort`, for modules that import it.
pub(crate) fn link_abort(linker: &mut Linker<ModuleState>) -> wasmtime::Result<()> {
    linker.func_wrap(NAMESPACE, ABORT, abort).map(drop)
}

/// Tells whether a module imports only `abort` from a namespace.
pub(crate) fn is_all_of(module: &Module, namespace: &str) -> bool {
    let mut imports = module.imports().filter(|import| import.module() == namespace);
    namespace == NAMESPACE && imports.all(|import| import.name() == ABORT)
}

fn abort(
    mut caller: Caller<'_, ModuleState>,
    message: u32,
    file: u32,
    line: u32,
    column: u32,
) -> wasmtime::Result<()> {
    let text = |address, unknown: &str, caller: &mut Caller<'_, ModuleState>| {
        string_at(caller, address)
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| unknown.to_owned())
    };
    let message = text(message, "no message", &mut caller);
    let file = text(file, "unknown file", &mut caller);
    Err(Abort { message, file, line, column }.into())
}

/// Reads a string of AssemblyScript: UTF-16 at the address, its length in bytes in the four bytes
/// before.
fn string_at(caller: &mut Caller<'_, ModuleState>, address: u32) -> Option<String> {
    let memory = caller.get_export("memory").and_then(Extern::into_memory)?;
    let data = memory.data(&*caller);
    let begin = usize::try_from(address).ok()?;
    let length = data.get(begin.checked_sub(4)?..begin)?;
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let bytes = data.get(begin..begin.checked_add(length)?)?;
    let units =
        bytes.chunks_exact(2).take(MAX_TEXT).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    Some(
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect(),
    )
}
