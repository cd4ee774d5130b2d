//! `env.abort`, by which AssemblyScript reports a failed assertion or an exception before it traps,
//! and the other functions that its compiler imports for itself
//! (<https://www.assemblyscript.org/concepts.html#special-imports>).

use wasmtime::{Caller, Extern, ExternType, ImportType, Linker, ValType};

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
/// The function in text, and its type.
pub(crate) const ABORT_IMPORT: &str = "env.abort";
pub(crate) const ABORT_TYPE: &str = "(func (param i32 i32 i32 i32))";
/// The functions that the compiler imports for itself: the name, the parameters and the results.
/// Their names are common words, which other guests use with other types.
const SPECIAL_IMPORTS: [(&str, &str, &str); 3] = [
    (ABORT, "i32 i32 i32 i32", ""),
    ("seed", "", "f64"),
    ("trace", "i32 i32 f64 f64 f64 f64 f64", ""),
];

/// Links `env.abort`, for modules that import it.
pub(crate) fn link_abort(linker: &mut Linker<ModuleState>) -> wasmtime::Result<()> {
    linker.func_wrap(NAMESPACE, ABORT, abort).map(drop)
}

/// Tells whether an import is the function that [`link_abort`] links.
pub(crate) fn is_abort(import: &ImportType<'_>) -> bool {
    (import.module(), import.name()) == (NAMESPACE, ABORT) && !is_namesake(import)
}

/// Tells whether an import has the name of a function of the compiler and another type.
pub(crate) fn is_namesake(import: &ImportType<'_>) -> bool {
    let is_it = |name: &str| (NAMESPACE, name) == (import.module(), import.name());
    let special = SPECIAL_IMPORTS.iter().find(|(name, ..)| is_it(name));
    special.is_some_and(|(_, parameters, results)| !has_type(&import.ty(), parameters, results))
}

fn has_type(ty: &ExternType, parameters: &str, results: &str) -> bool {
    ty.func().is_some_and(|ty| words(ty.params()) == parameters && words(ty.results()) == results)
}

fn words(types: impl Iterator<Item = ValType>) -> String {
    types.map(|ty| ty.to_string()).collect::<Vec<_>>().join(" ")
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
