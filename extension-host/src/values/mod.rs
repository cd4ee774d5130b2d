//! Functions and their values: signatures, arguments as people type them (words, WAVE, JSON), and
//! values as JSON.

mod arguments;
mod example;
mod exports;
pub(crate) mod json;
mod labels;
mod numbers;
mod signature;
mod wave;

pub(crate) use arguments::Argument;
pub use arguments::{ArgumentError, Arguments, Word};
pub use exports::{EVENTS_INTERFACE, ExportedFunction, Uncallable};
pub(crate) use exports::{FindError, START, exports, find};
pub(crate) use signature::{Signature, is_bytes, signature_text, type_text};
