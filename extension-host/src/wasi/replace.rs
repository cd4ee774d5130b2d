//! Functions of WASI with something of ours around them.

use wasmtime::component::{Linker, LinkerInstance};

use crate::calling::CallState;

/// Puts functions in the place of those that Wasmtime has linked for an interface.
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
