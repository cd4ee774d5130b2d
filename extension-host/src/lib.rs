//! Runs extensions in [Wasmtime](https://docs.wasmtime.dev) with exactly the capabilities and
//! within exactly the limits that are granted. A desktop program embeds it to offer extensions of
//! its own:
//!
//! ```
//! use extension_host::{Arguments, Host, Permissions};
//! # let bytes = include_bytes!("../../tests/guests/built/greeting.wasm");
//!
//! let host = Host::new()?;
//! let extension = host.extension(&host.compile(bytes)?, Permissions::default().with_config_read())?;
//! let report = extension.call_blocking("greet", &Arguments::words(["World"]));
//!
//! assert_eq!(report.outcome?.to_text(), "Hello, World!");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Compiling takes much longer than calling: [`CodeCache`] keeps what was compiled, and
//! [`Extension::call`] can be called any number of times. Every call gets an instance of its own,
//! so that calls cannot see each other.
//!
//! # What is guaranteed
//! A guest reaches what it was granted and nothing else; every call ends within its limits;
//! whatever a guest does, the host does not panic. Bulk operations over memory are not interrupted,
//! so a call can overrun its time by what the memory limit lets one of them take. Compiling is
//! bounded only through [`CompilerCommand`].
#![deny(unsafe_code)]

mod address_space;
mod arguments;
mod backends;
mod binary;
mod bindings;
mod bounds;
mod bytes_call;
mod cache;
mod call;
mod call_runtime;
mod capabilities;
mod code;
mod compile_error;
mod compile_fault;
mod compile_many;
mod compiler;
mod compiler_limits;
#[cfg(feature = "componentize")]
mod componentize;
mod directories;
mod engine;
mod error;
mod example;
mod executable;
mod exports;
mod extension;
mod foreign;
mod gate;
#[cfg(feature = "network")]
mod http_access;
mod imports;
mod interfaces;
mod json;
mod labels;
mod limiter;
mod modules;
mod numbers;
mod observe;
mod output;
mod program;
mod protected;
mod purpose;
mod rate;
mod report;
mod requests;
mod state;
mod suffiks;
#[cfg(feature = "wasi-0-3")]
mod wasi_0_3;
mod wave;
#[cfg(feature = "componentize")]
mod wit_package;
mod write_budget;

pub use address_space::AddressSpaceTooSmall;
pub use arguments::{ArgumentError, Arguments, Word};
pub use backends::{
    BackendError, Backends, Clipboard, Environment, Notification, Notifier, PATIENCE, Publisher,
    RecordedAnswer, RecordedWeb, SecretStore, patiently,
};
pub use binary::check_binary;
pub use cache::{CacheError, CodeCache, CodeKey};
pub use capabilities::MAX_SECRET;
#[cfg(feature = "secrets")]
pub use capabilities::SecretService;
#[cfg(feature = "notification")]
pub use capabilities::SessionNotifier;
#[cfg(feature = "ipc")]
pub use capabilities::SessionPublisher;
#[cfg(feature = "clipboard")]
pub use capabilities::{Display, HolderCommand, HolderFailure, SessionClipboard, hold_clipboard};
pub use code::{Code, CodeKind};
pub use compile_error::CompileError;
pub use compile_fault::CompileFault;
pub use compile_many::{Binary, compile_many};
pub use compiler::{CompilerCommand, CompilerFailure, CompilerJob, run_compiler};
pub use compiler_limits::CompilerLimit;
#[cfg(feature = "componentize")]
pub use componentize::{ComponentizeError, componentize};
/// What an extension is given.
pub use core_types::Permissions;
pub use directories::{DirectoryError, DirectoryRules};
pub use error::{CallError, HostError, LimitExceeded};
pub use executable::{NotExecutable, check_executable};
pub use exports::{ExportedFunction, FunctionQuery, Uncallable};
pub use extension::{Extension, Host, IntoCacheError};
pub use foreign::ForeignHost;
pub use gate::boot_time;
#[cfg(feature = "network")]
pub use http_access::HttpAccess;
pub use imports::{Import, Refusal};
pub use modules::ModuleFault;
pub use output::OutputSink;
pub use program::Program;
pub use purpose::Purpose;
pub use rate::RateLimits;
pub use report::{CallReport, Returned, Usage};
pub use requests::{
    RequestError, author_manifest, declared_settings, has_author_manifest, requested_by_author,
    with_author_manifest,
};
pub use state::CallState;
pub use suffiks::{
    Changes, CommandEnvironment, EnvSource, RefusedVariable, ResourceName, Resources,
    ValidationProblem, VariableRefusal, Workload, WorkloadAction, WorkloadAnswer, WorkloadError,
    WorkloadOutcome, WorkloadRequest, plural_of,
};
/// The engine, in the version that this crate works with.
pub use wasmtime;
#[cfg(feature = "componentize")]
pub use wit_package::{WitError, WitPackage, check_wit, encode_wit};
