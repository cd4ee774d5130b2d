//! Installs the contents of manifests or of a list, and nothing else: a plan for every extension
//! first, then its steps.

mod apply;
mod drift;
mod error;
mod list;
mod operation;
mod place;
mod plan;
mod step;

pub use error::{StepProblem, SyncError};
pub use list::ListSource;
pub use operation::SyncOptions;
pub use step::{Step, StepState};
