//! Restores earlier generations of an extension.

mod error;
mod operation;

pub use error::RollbackError;
pub use operation::RolledBack;
