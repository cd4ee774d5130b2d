//! Why an extension cannot be found or read.

use core_types::{ExtensionName, OciReference};

use crate::files::state_file::StateFileError;
use crate::manifest::manifest_file::ManifestError;
use crate::oci::artifact::ArtifactError;

/// An extension of this name does not exist.
#[derive(Debug, thiserror::Error)]
#[error("there is no extension `{name}`")]
pub struct ExtensionNotFound {
    /// The name.
    pub name: ExtensionName,
}

/// An extension has a manifest, but nothing was installed for it yet.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` has a manifest but is not installed")]
pub struct NotInstalled {
    /// The name.
    pub name: ExtensionName,
    /// Where it would come from, if the manifest says so.
    pub reference: Option<OciReference>,
}

/// Why the manifest of an extension cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The manifest is missing.
    #[error(transparent)]
    NotFound(#[from] ExtensionNotFound),
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// Why an installed extension cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InstalledError {
    /// It has no manifest that can be used.
    #[error(transparent)]
    Find(#[from] FindError),
    /// Its manifest is not pinned.
    #[error(transparent)]
    NotInstalled(#[from] NotInstalled),
    /// The manifest is pinned to an artifact that is not there or damaged.
    #[error("the artifact of `{name}` is missing or damaged")]
    Artifact {
        /// The name.
        name: ExtensionName,
        /// The pinned reference of the manifest.
        reference: OciReference,
        /// The problem.
        source: ArtifactError,
    },
    /// Its record, which tells its binary, cannot be read.
    #[error(transparent)]
    Record(#[from] StateFileError),
}
