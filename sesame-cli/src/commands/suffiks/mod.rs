//! Commands for modules of Suffiks.

pub mod wasi_test;
pub mod workload;
