//! WebAssembly binaries and their compiled form.
//!
//! A binary is checked before it is compiled (its kind, its author's manifest), then compiled by
//! one engine and loaded by another. The unsafe code of this crate is in `compiled.rs`.

mod author_manifest;
mod binary;
mod compiled;
#[cfg(feature = "componentize")]
mod componentize;
mod engine;
mod error_cause;
mod not_executable;
#[cfg(feature = "componentize")]
mod wit_package;

pub use author_manifest::{
    DeclaredEvents, RequestError, author_manifest, custom_sections, declared_events,
    declared_settings, has_author_manifest, optional_for_author, requested_by_author,
    unknown_keys_of_author, with_author_manifest,
};
pub use binary::{CodeKind, check_binary};
pub use compiled::Code;
pub(crate) use compiled::{LoadedCode, compile};
#[cfg(feature = "componentize")]
pub use componentize::{ComponentizeError, TextEncoding, componentize, embed_world};
pub(crate) use engine::{compiling_engine, fingerprint, runtime_engine};
pub(crate) use error_cause::is_out_of_memory;
pub use not_executable::NotExecutable;
#[cfg(feature = "componentize")]
pub use wit_package::{WitError, WitPackage, check_wit, encode_wit};
