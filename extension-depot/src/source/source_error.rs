//! The reasons why a source gives no artifact.

use std::io;
use std::path::PathBuf;

use core_types::ReferenceError;

use crate::archives::unpack::UnpackError;
use crate::oci::artifact::ArtifactError;
use crate::oci::blob::BlobError;
use crate::oci::image_error::ImageError;
use crate::source::staging::StagingError;

/// Why a local source gives no artifact.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// It is larger than sesame takes.
    #[error("`{}` is larger than {most} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is taken.
        most: u64,
    },
    /// It has other bytes than its user said.
    #[error("`{}` does not match the expected digest", path.display())]
    Digest {
        /// The file.
        path: PathBuf,
        /// Both digests.
        source: BlobError,
    },
    /// It is not an OCI image layout.
    #[error("`{}` is not an OCI image layout", path.display())]
    NoLayout {
        /// The directory or tar.
        path: PathBuf,
    },
    /// The layout does not have that entry, or several.
    #[error("`{}` has no single entry{}; it has {found}", path.display(), tag.as_ref().map(|tag| format!(" `{}`", tag.escape_debug())).unwrap_or_default())]
    NoEntry {
        /// The directory or tar.
        path: PathBuf,
        /// The entry that was asked for.
        tag: Option<String>,
        /// The entries that there are.
        found: String,
    },
    /// The tag cannot be the revision of a reference.
    #[error("the entry cannot be referred to")]
    Reference(#[from] ReferenceError),
    /// The documents of the artifact.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// Staging failed.
    #[error(transparent)]
    Staging(#[from] StagingError),
}

impl From<ImageError> for SourceError {
    fn from(error: ImageError) -> Self {
        Self::Artifact(error.into())
    }
}

impl From<UnpackError> for SourceError {
    fn from(error: UnpackError) -> Self {
        Self::Artifact(error.into())
    }
}

impl From<BlobError> for SourceError {
    fn from(error: BlobError) -> Self {
        Self::Artifact(error.into())
    }
}
