//! Why an extension is not updated.

use core_types::{ExtensionName, OciReference};
use extension_depot::ConfirmOriginError;

use crate::install::InstallError;

/// Why an extension is not updated. The installed version stays.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The newer version cannot be found or installed.
    #[error(transparent)]
    Install(Box<InstallError>),
    /// The origin that a bundle claims cannot be confirmed.
    #[error(transparent)]
    Confirm(#[from] ConfirmOriginError),
    /// The tag leads to other bytes, and the user wants the same.
    #[error("the tag `{}` of `{name}` has moved", installed.revision())]
    MovedWhileLocked {
        /// The extension.
        name: ExtensionName,
        /// The installed artifact.
        installed: OciReference,
    },
    /// An extension of a bundle would get the secrets of the place that it turned out to be from.
    #[error(
        "`{name}` may use secrets, which would be those of `{}` from now on", origin.identity()
    )]
    SecretsOfOrigin {
        /// The extension.
        name: ExtensionName,
        /// Its origin.
        origin: OciReference,
    },
}

impl<E: Into<InstallError>> From<E> for UpdateError {
    fn from(error: E) -> Self {
        Self::Install(Box::new(error.into()))
    }
}
