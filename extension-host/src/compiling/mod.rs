//! Compiling in child processes with bounds on time and memory, and the meaning of how they end.

mod batch;
mod child_error;
mod compiler;
mod fault;
mod limits;

pub use batch::{Binary, compile_many};
pub use child_error::CompileError;
pub use compiler::{CompilerCommand, CompilerFailure, CompilerJob, run_compiler};
pub use fault::CompileFault;
pub use limits::CompilerLimit;
