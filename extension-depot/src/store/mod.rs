//! The collection of installed extensions: their manifests, records and artifacts.
//!
//! A [`Depot`] reads the collection. Each operation that changes it has a file of its own, with the
//! name of the operation. Artifacts are staged first, so that everything that can fail has failed
//! before the first file of an installed extension changes.

pub(crate) mod basis;
pub(crate) mod depot;
pub(crate) mod depot_error;
pub(crate) mod install;
pub(crate) mod layout;
pub(crate) mod quarantine;
pub(crate) mod record;
pub(crate) mod remove;
pub(crate) mod staging;
mod verify;

pub use basis::Basis;
pub use depot::{Depot, InstallOrder, Installed, Listed};
pub use depot_error::DepotError;
pub use quarantine::{Opened, Quarantine};
pub use record::{CheckedSignature, Record};
pub use remove::Removed;
pub use staging::{Staged, StagingError};
pub use verify::{Finding, Verification};
