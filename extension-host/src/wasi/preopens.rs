//! `wasi:filesystem/preopens`: the granted directories, each under its own path.
//!
//! Below a directory, Wasmtime uses the kernel's rules for `openat2`, so that neither `..` nor a
//! link nor a rename leads out.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::preopens::{self, Host};

use super::context::note_directories;
use super::replace::replace_in;
use crate::calling::CallState;

/// The interface, in the version that Wasmtime registers it under.
const PREOPENS: &str = "wasi:filesystem/preopens@0.2.12";

type Directories = Vec<(Resource<Descriptor>, String)>;

/// Links `wasi:filesystem/preopens` of WASI 0.2.
pub(crate) fn link_preopens(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    preopens::add_to_linker::<_, WasiFilesystem>(linker, CallState::filesystem)?;
    replace_directories(linker, PREOPENS, |state| state.filesystem().get_directories())
}

/// Makes the function of an interface note that the extension looked for its directories.
/// `directories` returns them.
pub(super) fn replace_directories(
    linker: &mut Linker<CallState>,
    interface: &str,
    directories: fn(&mut CallState) -> wasmtime::Result<Directories>,
) -> wasmtime::Result<()> {
    replace_in(linker, interface, |interface| {
        interface.func_wrap(
            "get-directories",
            move |mut store: StoreContextMut<'_, CallState>, (): ()| {
                note_directories(&store.data().gate);
                Ok((directories(store.data_mut())?,))
            },
        )
    })
}
