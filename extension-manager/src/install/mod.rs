//! The way of an extension onto this machine.
//!
//! Each stage is a type that is made from the one before, and one pipeline serves install, update,
//! sync, import and rollback: `Resolved`, `Staged`, `Verified`, `Examined`, `Decided`,
//! [`Committed`]. The basis of the decision is read once and compared by the depot under its lock.
//! An `Operation` has the work and its terms.

mod committed;
mod decided;
mod error;
mod examined;
mod fetch;
mod operation;
mod pipeline;
mod resolved;
mod staged;
mod verified;

pub use committed::Committed;
pub use error::InstallError;
pub use operation::InstallOptions;
pub(crate) use operation::{Operation, RollBack, Update};
pub use pipeline::{InstallRequest, Installation};
pub(crate) use staged::{Content, Staged};
