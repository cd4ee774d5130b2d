//! Extensions of [Suffiks](https://suffiks.com): modules that validate, complete, extend and clean
//! up after a workload.
//!
//! Such a module imports the functions of the module `suffiks` and exports four entry points. Bytes
//! are exchanged as an address and a length in its memory. A result is both in one number,
//! `(address << 32) | length`, and 0 is none. `docs/wasi-runtime.md` has every function with its
//! payload.

mod call;
mod changes;
mod entry_points;
mod environment;
mod kubernetes;
mod messages;
mod request;
mod resources;
mod runtime;
mod session;
mod workload;

pub use changes::{Changes, EnvSource};
pub(crate) use entry_points::check_exports;
pub use environment::{CommandEnvironment, RefusedVariable, VariableRefusal};
pub use request::{
    ValidationProblem, WorkloadAction, WorkloadAnswer, WorkloadOutcome, WorkloadRequest,
};
pub use resources::{ResourceName, Resources};
pub(crate) use runtime::{IMPORT_MODULE, add_to_linker, nearest_function};
pub(crate) use session::Session;
pub use workload::{Workload, WorkloadError, plural_of};
