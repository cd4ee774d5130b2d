//! Installs the contents of manifests or of a list, and nothing else: a plan for every extension
//! first, then its steps.

mod apply;
mod drift;
mod error;
mod list;
mod operation;
mod options;
mod place;
mod plan;
mod prospect;
mod step;

pub use error::{StepProblem, SyncError};
pub use list::ListSource;
pub use options::SyncOptions;
pub use prospect::Prospect;
pub use step::{Step, StepState};
