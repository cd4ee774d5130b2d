//! Examinations of binaries before anything of them is installed, published or tested: they are
//! compiled and linked, their requests are read, and none of their code runs.

mod built_binary;
mod error;
mod findings;
mod linked;

pub use built_binary::BuiltBinary;
pub use error::ExamineError;
pub use findings::Findings;
