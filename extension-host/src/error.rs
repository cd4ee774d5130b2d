//! Errors of the host.

use core_types::Limit;
use core_types::event::EventName;

use crate::capabilities::BackendError;
use crate::code::{NotExecutable, is_out_of_memory};
use crate::compiling::CompileFault;
use crate::directories::DirectoryError;
use crate::limits::AddressSpaceTooSmall;
use crate::linking::Refusal;
use crate::modules::ModuleFault;
use crate::values::{ArgumentError, EVENTS_INTERFACE, ExportedFunction, Uncallable};

/// Why an extension cannot be linked.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The engine does not start on this machine.
    #[error("cannot start the WebAssembly engine")]
    Engine(#[source] wasmtime::Error),
    /// The bytes are neither a component nor a module.
    #[error("not an extension: it is {found}")]
    NotWasm {
        /// A description of the bytes.
        found: String,
    },
    /// A module describes a component that it cannot become.
    #[error("this module is meant to be a component and is not one yet: {reason}")]
    NotComponent {
        /// The reason.
        reason: String,
    },
    /// The compiler refuses the code.
    #[error("cannot compile the extension")]
    Fault(#[source] CompileFault),
    /// The system refused memory to the compiler.
    #[error("cannot compile the extension")]
    Compile(#[source] wasmtime::Error),
    /// Compiled code does not load.
    #[error("cannot load the compiled extension")]
    Load(#[source] wasmtime::Error),
    /// The system does not let this process run its compiled code.
    #[error(transparent)]
    NotExecutable(#[from] NotExecutable),
    /// Imports that are not granted or do not exist.
    #[error("{}", refusals(.0))]
    Refused(Vec<Refusal>),
    /// Imports that exist with other functions or types.
    #[error("the extension does not fit this host")]
    Link(#[source] wasmtime::Error),
    /// A module that imports `suffiks` without the exports of an extension of Suffiks.
    #[error(
        "an extension of Suffiks has to export {}, and this module does not; it exports {}",
        missing.join(", "),
        if there.is_empty() { "nothing".to_owned() } else { there.join(", ") }
    )]
    Exports {
        /// The missing exports, with the types that they need.
        missing: Vec<String>,
        /// The existing exports.
        there: Vec<String>,
    },
}

impl HostError {
    /// Classifies an error of the compiler.
    pub(crate) fn of_compiler(error: wasmtime::Error) -> Self {
        if is_out_of_memory(&error) {
            Self::Compile(error)
        } else {
            Self::Fault(CompileFault::of(&error))
        }
    }

    /// Tells whether the system refused memory to the compiler.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Compile(error) | Self::Engine(error) if is_out_of_memory(error))
    }
}

fn refusals(refusals: &[Refusal]) -> String {
    let lines: Vec<_> = refusals.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

/// Why a call returned no value.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The function does not exist.
    #[error("there is no function `{}`", name.escape_debug())]
    NoSuchFunction {
        /// The requested name.
        name: String,
        /// All functions, callable or not.
        exports: Vec<ExportedFunction>,
    },
    /// Several interfaces export the function.
    #[error("`{}` is exported by several interfaces", name.escape_debug())]
    Ambiguous {
        /// The requested name.
        name: String,
        /// The functions of that name.
        candidates: Vec<ExportedFunction>,
    },
    /// The function cannot be called.
    #[error("cannot call `{function}`: {reason}")]
    Uncallable {
        /// The function.
        function: String,
        /// The reason.
        reason: Uncallable,
    },
    /// A granted directory is not available. The extension was not started.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The event is not granted. The extension was not started.
    #[error(transparent)]
    NotWoken(#[from] NotWoken),
    /// The extension does not handle events.
    #[error("the extension does not handle events: it does not export `{EVENTS_INTERFACE}`")]
    NoEvents,
    /// The arguments do not fit.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// The call exceeded a limit.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The process has too little address space.
    #[error(transparent)]
    AddressSpace(#[from] AddressSpaceTooSmall),
    /// The guest crashed.
    #[error("the extension crashed: {reason}")]
    Trap {
        /// WebAssembly's name of the trap.
        reason: String,
    },
    /// A module violated the ABI between it and the host.
    #[error("the extension violated the module ABI: {0}")]
    Fault(ModuleFault),
    /// A call about a workload, of an extension that works on none.
    #[error("the extension does not work on workloads; only modules that import `suffiks` do")]
    NoWorkloads,
    /// The guest exited instead of returning.
    #[error("the extension exited with status {status} instead of returning a value")]
    Exited {
        /// Its status.
        status: i32,
    },
    /// The guest ended by itself, and its changes to its storage are lost.
    #[error("the changes of the extension to its storage are not kept")]
    Storage(#[source] BackendError),
    /// The extension is not a program.
    #[error("the extension is not a program: it exports neither `wasi:cli/run` nor `_start`")]
    NoProgram,
    /// The reader of a program's output is gone.
    #[error("the reader of the program's output is gone")]
    OutputClosed,
    /// Something between host and guest failed.
    #[error("the call failed")]
    Other(#[source] wasmtime::Error),
}

/// An event that does not wake an extension.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{event}` does not wake it: {rule}")]
pub struct NotWoken {
    /// The event.
    pub event: EventName,
    /// Whether a policy decided, so that a grant does not help.
    pub is_by_policy: bool,
    /// The rule, in words.
    pub rule: String,
}

impl NotWoken {
    /// Describes a refused event.
    pub fn new(event: EventName, refusal: &core_types::Refusal) -> Self {
        Self { event, is_by_policy: refusal.is_by_policy(), rule: refusal.to_string() }
    }
}

/// A limit that a call exceeded. The call was stopped.
///
/// ```
/// use core_types::{EffectiveLimits, LimitName, parse_toml};
/// use extension_host::{Arguments, CallError, Host, Permissions};
///
/// # let endless = wat::parse_str(r#"(module (func (export "spin") (loop (br 0))))"#)?;
/// let limits = parse_toml("max_fuel = 1_000_000")?.value;
/// let permissions =
///     Permissions { limits: EffectiveLimits::new(&limits, &[]), ..Permissions::default() };
/// let host = Host::new()?;
/// let extension = host.extension(&host.compile(&endless)?, permissions)?;
/// let report = extension.call_blocking("spin", &Arguments::words::<&str>([]));
/// match report.outcome {
///     Err(CallError::Limit(exceeded)) => assert_eq!(exceeded.limit.name, LimitName::Fuel),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the extension went over its limit of {}: {} ({})", limit.name, limit.value_with_unit(), limit.origin)]
pub struct LimitExceeded {
    /// The limit with its value and origin.
    pub limit: Limit,
}
