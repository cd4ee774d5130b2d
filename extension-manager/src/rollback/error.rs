//! Why an extension does not go back.

use core_types::ExtensionName;
use extension_depot::{GenerationError, HistoryError};

use crate::install::InstallError;

/// Why an extension does not go back. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// The generation cannot be restored.
    #[error(transparent)]
    Install(Box<InstallError>),
    /// The history cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The bytes of the generation cannot be had.
    #[error(transparent)]
    Generation(#[from] GenerationError),
    /// The generation does not exist.
    #[error("`{name}` has no generation {number}")]
    NoGeneration {
        /// The extension.
        name: ExtensionName,
        /// The number.
        number: u32,
    },
    /// All generations have the same bytes.
    #[error("`{name}` has never been another version here")]
    NoOther {
        /// The extension.
        name: ExtensionName,
    },
}

impl<E: Into<InstallError>> From<E> for RollbackError {
    fn from(error: E) -> Self {
        Self::Install(Box::new(error.into()))
    }
}
