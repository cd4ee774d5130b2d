//! Why nothing can be said about a binary.

use core_types::ExtensionName;
use extension_depot::BlobError;
use extension_host::{HostError, RequestError};

use super::events::EventsMismatch;
use crate::error::CodeError;

/// Why nothing can be said about a binary, or why it could never start here.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    /// Its bytes are missing or damaged.
    #[error("the binary of `{name}` is damaged")]
    Damaged {
        /// The extension.
        name: ExtensionName,
        /// The problem.
        source: BlobError,
    },
    /// It does not compile or link.
    #[error("`{name}` does not start here")]
    Host {
        /// The extension.
        name: ExtensionName,
        /// The problem.
        source: Box<HostError>,
    },
    /// It does not compile.
    #[error(transparent)]
    Code(Box<CodeError>),
    /// Its code and its author do not agree about events.
    #[error(transparent)]
    Events(#[from] EventsMismatch),
    /// The author's requests cannot be parsed.
    #[error(transparent)]
    Requests(#[from] RequestError),
}

impl ExamineError {
    /// Adds the extension's name to an error of the host.
    pub(super) fn of_host(name: &ExtensionName, source: HostError) -> Self {
        Self::Host { name: name.clone(), source: Box::new(source) }
    }
}

impl From<CodeError> for ExamineError {
    fn from(error: CodeError) -> Self {
        Self::Code(Box::new(error))
    }
}
