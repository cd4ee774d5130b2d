//! WASI as Wasmtime has it, with additions of this host: only granted things are there, the guest's
//! looks at them are noted, and its writes are counted. WASI's first version is in `modules`.

mod context;
mod environment;
mod file_writes;
mod http;
mod preopens;
mod refused_writes;
mod replace;
#[cfg(feature = "wasi-0-3")]
pub(crate) mod wasi_0_3;

pub(crate) use context::{note_directories, note_environment, wasi};
pub(crate) use environment::link_environment;
pub(crate) use file_writes::link_files;
pub(crate) use http::link_http_types;
pub(crate) use preopens::link_preopens;
