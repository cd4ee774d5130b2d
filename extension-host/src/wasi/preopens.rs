//! `wasi:filesystem`: the directories that are granted, each under its own path, and nothing else.
//!
//! What an extension does below a directory that it got is between it and the kernel's rules for
//! `openat2`, which Wasmtime uses so that no `..`, link or rename leads out.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::preopens::{self, Host};

use crate::calling::CallState;

/// The interface, in the version that Wasmtime registers it under.
const PREOPENS: &str = "wasi:filesystem/preopens@0.2.12";

type Directories = Vec<(Resource<Descriptor>, String)>;

/// Links `wasi:filesystem/preopens`, with one thing added: it is noted that the extension looked
/// for directories.
pub(crate) fn link_preopens(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    preopens::add_to_linker::<_, WasiFilesystem>(linker, CallState::filesystem)?;
    linker.allow_shadowing(true);
    let get_directories =
        |mut store: StoreContextMut<'_, CallState>, (): ()| -> wasmtime::Result<(Directories,)> {
            store.data().note_directories();
            Ok((store.data_mut().filesystem().get_directories()?,))
        };
    linker.instance(PREOPENS)?.func_wrap("get-directories", get_directories)?;
    linker.allow_shadowing(false);
    Ok(())
}
