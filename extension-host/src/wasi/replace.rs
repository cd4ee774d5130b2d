//! Replacements for functions of WASI.

use wasmtime::component::{Linker, LinkerInstance};

use crate::calling::CallState;

/// Replaces functions that Wasmtime has linked for an interface.
pub(super) fn replace_in(
    linker: &mut Linker<CallState>,
    interface: &str,
    replace: impl FnOnce(&mut LinkerInstance<'_, CallState>) -> wasmtime::Result<()>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    replace(&mut linker.instance(interface)?)?;
    linker.allow_shadowing(false);
    Ok(())
}
