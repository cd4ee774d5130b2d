//! Runs extensions in [Wasmtime](https://docs.wasmtime.dev) with exactly the granted capabilities
//! and limits. A desktop program embeds it to offer extensions of its own:
//!
//! ```
//! use extension_host::{Arguments, Host, Permissions};
//! # let bytes = include_bytes!("../../tests/guests/built/greeting.wasm");
//!
//! let host = Host::new()?;
//! let permissions = Permissions::default().with_config_read();
//! let extension = host.extension(&host.compile(bytes)?, permissions)?;
//! let report = extension.call_blocking("greet", &Arguments::words(["World"]));
//!
//! assert_eq!(report.outcome?.to_text(), "Hello, World!");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Compiling takes much longer than calling: [`CodeCache`] keeps compiled code, and
//! [`Extension::call`] can be called any number of times. Every call gets an instance of its own, so
//! that calls cannot see each other.
//!
//! # Guarantees
//! A guest reaches its grants and nothing else; every call ends within its limits; the host does not
//! panic whatever a guest does. Bulk operations over memory are not interrupted, so that a call can
//! overrun its time by one of them, which the memory limit bounds. Compiling is bounded only through
//! [`CompilerCommand`].
#![deny(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

mod bindings;
mod cache;
mod calling;
mod capabilities;
mod code;
mod compiling;
mod directories;
mod error;
mod extension;
mod held_path;
mod host;
mod limits;
mod linking;
mod modules;
mod purpose;
mod values;
mod wasi;

pub use cache::{CacheError, CodeCache, CodeKey, IntoCacheError, check_executable};
pub use calling::{
    CallReport, CallState, LastMinute, Program, RateLimits, Returned, Usage, boot_time,
};
pub use capabilities::*;
pub use code::{
    Code, CodeKind, DeclaredEvents, NotExecutable, RequestError, author_manifest, check_binary,
    custom_sections, declared_events, declared_settings, has_author_manifest, optional_for_author,
    requested_by_author, unknown_keys_of_author, with_author_manifest,
};
#[cfg(feature = "componentize")]
pub use code::{
    ComponentizeError, TextEncoding, WitError, WitPackage, check_wit, componentize, embed_world,
    encode_wit,
};
pub use compiling::{
    Binary, CompileError, CompileFault, CompilerCommand, CompilerFailure, CompilerJob,
    CompilerLimit, compile_many, run_compiler,
};
/// The permissions of an extension.
pub use core_types::Permissions;
pub use directories::{DirectoryError, DirectoryRules};
pub use error::{CallError, HostError, LimitExceeded, NotWoken};
pub use extension::Extension;
pub use host::Host;
pub use limits::{AddressSpaceTooSmall, OutputSink};
pub use linking::{ForeignHost, Import, Refusal};
pub use modules::{
    Changes, CommandEnvironment, EnvSource, ModuleFault, RefusedVariable, ResourceName, Resources,
    ValidationProblem, VariableRefusal, Workload, WorkloadAction, WorkloadAnswer, WorkloadError,
    WorkloadOutcome, WorkloadRequest, plural_of,
};
pub use purpose::Purpose;
pub use values::{ArgumentError, Arguments, EVENTS_INTERFACE, ExportedFunction, Uncallable, Word};
/// The engine, in the version that this crate uses.
pub use wasmtime;
