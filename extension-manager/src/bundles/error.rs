//! Why a bundle is not written or not installed.

use std::path::PathBuf;

use core_types::{ExtensionName, OciReference, ReferenceError};
use extension_depot::{BundleError, StorageError};

use crate::install::InstallError;

/// Why a bundle is not written or not installed.
#[derive(Debug, thiserror::Error)]
pub enum BundlesError {
    /// An extension cannot be found or installed.
    #[error(transparent)]
    Install(Box<InstallError>),
    /// The bundle cannot be written.
    #[error(transparent)]
    Write(BundleError),
    /// The data that an extension keeps cannot be read or written.
    #[error("the data of `{name}` cannot be used")]
    Storage {
        /// The extension.
        name: ExtensionName,
        /// The problem.
        source: StorageError,
    },
    /// The extension keeps data here already, which those of the bundle do not replace.
    #[error("`{name}` keeps data here already")]
    KeepsData {
        /// The extension.
        name: ExtensionName,
    },
    /// Nothing is installed.
    #[error("there is nothing to export: nothing is installed")]
    NothingToExport,
    /// The bundle does not have an extension that was asked for.
    #[error("the bundle `{}` has no extension `{name}`", bundle.display())]
    NotInBundle {
        /// The bundle.
        bundle: PathBuf,
        /// The extension.
        name: ExtensionName,
    },
    /// The file is an OCI layout, but not an export.
    #[error("`{}` is not a bundle of `sesame extension export`", bundle.display())]
    NoExtensions {
        /// The file.
        bundle: PathBuf,
    },
    /// The bytes of the bundle cannot be referred to.
    #[error(transparent)]
    OwnReference(ReferenceError),
    /// The bundle names an origin that nothing confirms, and a policy or the name wants to know.
    #[error("the bundle does not prove that `{name}` came from `{}`", claimed.identity())]
    UnprovenOrigin {
        /// The extension.
        name: ExtensionName,
        /// The claim of the bundle.
        claimed: OciReference,
    },
    /// The name belongs to other local bytes than those of the bundle.
    #[error("`{name}` is the name of other bytes, which are installed as `{}`", installed.identity())]
    OtherBytes {
        /// The extension.
        name: ExtensionName,
        /// The owner of the name.
        installed: OciReference,
        /// The bundle.
        bundle: PathBuf,
    },
    /// The name has a manifest for another source.
    #[error("`{name}` has a manifest for another source")]
    OtherManifest {
        /// The extension.
        name: ExtensionName,
    },
}

impl<E: Into<InstallError>> From<E> for BundlesError {
    fn from(error: E) -> Self {
        Self::Install(Box::new(error.into()))
    }
}
