//! What can go wrong with an extension on the side of the host.

use core_types::Limit;

use crate::code::{NotExecutable, is_out_of_memory};
use crate::compiling::CompileFault;
use crate::directories::DirectoryError;
use crate::limits::AddressSpaceTooSmall;
use crate::linking::Refusal;
use crate::modules::ModuleFault;
use crate::values::{ArgumentError, ExportedFunction, Uncallable};

/// Why an extension cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The engine does not start on this machine.
    #[error("cannot start the WebAssembly engine")]
    Engine(#[source] wasmtime::Error),
    /// The bytes are neither a component nor a module.
    #[error("not an extension: it is {found}")]
    NotWasm {
        /// What the bytes are.
        found: String,
    },
    /// A module says which component it is to be, and cannot be that.
    #[error("this module is meant to be a component and is not one yet: {reason}")]
    NotComponent {
        /// Why, or what to do.
        reason: String,
    },
    /// The compiler refuses the code.
    #[error("cannot compile the extension")]
    Fault(#[source] CompileFault),
    /// The compiler was refused memory by the system.
    #[error("cannot compile the extension")]
    Compile(#[source] wasmtime::Error),
    /// Compiled code does not load.
    #[error("cannot load the compiled extension")]
    Load(#[source] wasmtime::Error),
    /// The system does not let this process run what it has compiled.
    #[error(transparent)]
    NotExecutable(#[from] NotExecutable),
    /// Imports that are not granted or not there.
    #[error("{}", refusals(.0))]
    Refused(Vec<Refusal>),
    /// Imports that are there and have other functions or types than expected.
    #[error("the extension does not fit this host")]
    Link(#[source] wasmtime::Error),
    /// A module that imports `suffiks` and does not export what an extension of Suffiks must.
    #[error(
        "an extension of Suffiks has to export {}, and this module does not; it exports {}",
        missing.join(", "),
        if there.is_empty() { "nothing".to_owned() } else { there.join(", ") }
    )]
    Exports {
        /// What is missing or of another type, with the type that it has to have.
        missing: Vec<String>,
        /// What there is.
        there: Vec<String>,
    },
}

impl HostError {
    /// An error of the compiler.
    pub(crate) fn of_compiler(error: wasmtime::Error) -> Self {
        if is_out_of_memory(&error) {
            Self::Compile(error)
        } else {
            Self::Fault(CompileFault::of(&error))
        }
    }

    /// Whether the compiler was refused memory.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Compile(error) | Self::Engine(error) if is_out_of_memory(error))
    }
}

fn refusals(refusals: &[Refusal]) -> String {
    let lines: Vec<_> = refusals.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

/// Why a call gave no value.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There is no such function.
    #[error("there is no function `{}`", name.escape_debug())]
    NoSuchFunction {
        /// The name that was asked for.
        name: String,
        /// What there is, whether it can be called or not.
        exports: Vec<ExportedFunction>,
    },
    /// Several interfaces export the function.
    #[error("`{}` is exported by several interfaces", name.escape_debug())]
    Ambiguous {
        /// The name that was asked for.
        name: String,
        /// The functions of that name.
        candidates: Vec<ExportedFunction>,
    },
    /// The function is there and cannot be called.
    #[error("cannot call `{function}`: {reason}")]
    Uncallable {
        /// The function.
        function: String,
        /// Why it cannot be called.
        reason: Uncallable,
    },
    /// A directory that is granted cannot be had. The extension was not started.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The arguments do not fit.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// The call went over a limit.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The process was given too little address space.
    #[error(transparent)]
    AddressSpace(#[from] AddressSpaceTooSmall),
    /// The guest ended abnormally.
    #[error("the extension crashed: {reason}")]
    Trap {
        /// What WebAssembly calls the trap.
        reason: String,
    },
    /// A module and the host did not understand each other.
    #[error("the extension broke off: {0}")]
    Fault(ModuleFault),
    /// It was asked about a workload and works on none.
    #[error("the extension does not work on workloads; only modules that import `suffiks` do")]
    NoWorkloads,
    /// The guest ended by itself instead of returning.
    #[error("the extension exited with status {status} instead of returning a value")]
    Exited {
        /// The status that it gave.
        status: i32,
    },
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

/// A limit that a call went over. The call was stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the extension went over its limit of {}: {} ({})", limit.name, limit.value_with_unit(), limit.origin)]
pub struct LimitExceeded {
    /// The limit, its value and where it was set.
    pub limit: Limit,
}
