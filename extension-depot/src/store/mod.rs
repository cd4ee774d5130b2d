//! The collection of installed extensions: their manifests, records and artifacts.
//!
//! A [`Depot`] reads the collection, and a [`LockedDepot`] changes it: the lock is the type. Each
//! operation that changes it has a file of its own, with the name of the operation; those on
//! manifests, generations and signers are in the rooms of these.

pub(crate) mod basis;
mod confirm_origin;
pub(crate) mod depot;
mod install;
pub(crate) mod installed_error;
pub(crate) mod layout;
pub(crate) mod locked_depot;
mod open;
pub(crate) mod owner;
pub(crate) mod record;
pub(crate) mod remove;
mod repair;
mod verify;

pub use basis::{Basis, BasisError, ChangedMeanwhile};
pub use confirm_origin::ConfirmOriginError;
pub use depot::{Depot, Installed, Listed};
pub use install::{CommitError, InstallPlan};
pub use installed_error::{ExtensionNotFound, FindError, InstalledError, NotInstalled};
pub use locked_depot::LockedDepot;
pub use open::{OpenExtensionError, Opened, PolicyCheckError, RecordedSignatureError};
pub use owner::{CheckNameError, OtherSource};
pub use record::{CheckedSignature, Record};
pub use remove::{RemoveError, Removed};
pub use repair::RepairError;
pub use verify::{Finding, Verification};
