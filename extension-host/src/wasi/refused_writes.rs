//! Notes where a guest asked to write in a directory that it may only read.
//!
//! Wasmtime refuses this by itself and tells only the guest. Opening a file is all that is noted:
//! what an extension saves begins with it, and runtimes try to make directories of their own
//! wherever they read.

use std::fs::read_link;

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView};

use crate::calling::CallState;
use crate::held_path::held_path;

/// Notes that a guest was refused to open a file for writing below this directory.
pub(super) fn note_refused_write(state: &mut CallState, directory: &Resource<Descriptor>) {
    let Ok(Descriptor::Dir(directory)) = state.filesystem().table.get(directory) else { return };
    if !directory.perms.write_not_permitted() {
        return;
    }
    if let Ok(place) = read_link(held_path(&directory.dir)) {
        state.gate.note_refused_write(state.backends().directories.depth_above(&place));
    }
}
