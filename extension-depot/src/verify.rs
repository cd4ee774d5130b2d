//! Whether what is installed is still what was installed.

use std::fmt;

use core_types::{ExtensionName, OciReference};

use crate::blob::{BlobError, read_blob};
use crate::depot::Depot;
use crate::depot_error::DepotError;
use crate::image::{Descriptor, MAX_BLOB};

/// What looking at every byte of an extension found.
#[derive(Debug)]
pub struct Verification {
    /// The extension.
    pub name: ExtensionName,
    /// What it is pinned to, as far as that is known.
    pub reference: Option<OciReference>,
    /// What is wrong. Empty when all is well.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Debug)]
pub enum Finding {
    /// The manifest or the documents of the artifact.
    Extension(DepotError),
    /// A blob.
    Blob(BlobError),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extension(error) => {
                write!(f, "{error}")?;
                std::iter::successors(std::error::Error::source(error), |cause| cause.source())
                    .try_for_each(|cause| write!(f, ": {cause}"))
            }
            Self::Blob(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl Depot {
    /// Reads and hashes everything that belongs to an extension.
    pub fn verify(&self, name: &ExtensionName) -> Verification {
        match self.installed(name) {
            Ok(installed) => {
                let check =
                    |blob: &Descriptor| read_blob(&self.places().blob(&blob.digest), &blob.digest, MAX_BLOB).err();
                let findings = installed.artifact.manifest.blobs().filter_map(check).map(Finding::Blob).collect();
                Verification { name: name.clone(), reference: Some(installed.reference), findings }
            }
            Err(error) => {
                let reference = match &error {
                    DepotError::Artifact { reference, .. } => Some((**reference).clone()),
                    DepotError::NotInstalled { reference, .. } => reference.as_deref().cloned(),
                    _ => None,
                };
                Verification { name: name.clone(), reference, findings: vec![Finding::Extension(error)] }
            }
        }
    }
}
