//! Going back to what an extension was.

mod error;
mod operation;

pub use error::RollbackError;
pub use operation::RolledBack;
