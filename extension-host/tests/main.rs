//! The engine as an embedder uses it.
//!
//! All of these tests are one program: each further program would link Wasmtime once more.

mod bytes;
mod cache;
mod capabilities;
mod desktop;
mod exports;
mod file_writes;
mod filesystem;
mod host_functions;
mod hostile_code;
mod limits;
mod modules;
mod network;
mod programs;
mod proposals;
mod storage;
mod support;
mod values;
#[cfg(feature = "wasi-0-3")]
mod wasi_0_3;
mod workloads;
