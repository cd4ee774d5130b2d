//! Examinations of binaries before anything of them is installed, published or tested: they are
//! compiled and linked, their requests are read, and none of their code runs.

mod author;
mod built_binary;
mod error;
mod events;
mod findings;
mod linked;

pub use author::{declared_by, requested_by, starts_without};
pub use built_binary::BuiltBinary;
pub use error::ExamineError;
pub use events::EventsMismatch;
pub use findings::{Findings, requests_of};
