//! What can go wrong with an extension on the side of the host.

use core_types::Limit;

use crate::arguments::ArgumentError;
use crate::directories::DirectoryError;
use crate::exports::{ExportedFunction, Uncallable};
use crate::imports::Refusal;
use crate::modules::ModuleFault;

/// Why an extension cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The engine does not start on this machine.
    #[error("cannot start the WebAssembly engine")]
    Engine(#[source] wasmtime::Error),
    /// The bytes are neither a component nor a module.
    #[error("this is no WebAssembly: it starts with {found}")]
    NotWasm {
        /// The first bytes, in a form for people.
        found: String,
    },
    /// The compiler refuses the code.
    #[error("cannot compile the extension")]
    Compile(#[source] wasmtime::Error),
    /// Compiled code does not load.
    #[error("cannot load the compiled extension")]
    Load(#[source] wasmtime::Error),
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
    #[error("the extension exited instead of returning a value{}", if *failed { ", with a failure" } else { "" })]
    Exited {
        /// Whether it said that it failed.
        failed: bool,
    },
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
