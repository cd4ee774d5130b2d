//! The collection of installed extensions: their manifests, records and artifacts.
//!
//! A [`Depot`] reads the collection, and a [`LockedDepot`] changes it: the lock is the type. Each
//! operation that changes it has a file of its own, with the name of the operation; those on
//! manifests, generations and signers are in the rooms of these.

pub(crate) mod basis;
mod confirm_origin;
pub(crate) mod depot;
pub(crate) mod depot_error;
mod install;
pub(crate) mod layout;
pub(crate) mod locked_depot;
mod open;
pub(crate) mod record;
pub(crate) mod remove;
mod repair;
mod verify;

pub use basis::Basis;
pub use depot::{Depot, Installed, Listed};
pub use depot_error::DepotError;
pub use install::InstallOrder;
pub use locked_depot::LockedDepot;
pub use open::Opened;
pub use record::{CheckedSignature, Record};
pub use remove::Removed;
pub use verify::{Finding, Verification};
