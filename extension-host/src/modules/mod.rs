//! Core modules: their imports and exports, how they are linked, and how they are called.
//!
//! A module with nothing but WASI's functions is called with numbers, or with bytes that go through
//! its `malloc`. One that imports `suffiks` works on workloads: see [`suffiks`].

mod assemblyscript;
mod call;
mod exports;
mod fault;
mod file_writes;
mod link;
mod memory;
mod refusals;
mod state;
mod suffiks;

pub(crate) use assemblyscript::Abort;
pub(crate) use call::start;
pub(crate) use exports::{exports, has_unnamed, why_unlisted};
pub use fault::ModuleFault;
pub(crate) use link::{ReadyModule, is_suffiks, link};
pub(crate) use memory::GuestMemory;
pub(crate) use refusals::imports;
pub(crate) use state::ModuleState;
pub use suffiks::{
    Changes, CommandEnvironment, EnvSource, RefusedVariable, ResourceName, Resources,
    ValidationProblem, VariableRefusal, Workload, WorkloadAction, WorkloadAnswer, WorkloadError,
    WorkloadOutcome, WorkloadRequest, plural_of,
};
