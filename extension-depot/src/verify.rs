//! Whether what is installed is still what was installed.

use std::fmt;

use core_types::{ExtensionName, OciReference};

use crate::blob::{BlobError, read_blob, read_plain};
use crate::depot::Depot;
use crate::depot_error::DepotError;
use crate::image::{Descriptor, MAX_BLOB};
use crate::manifest_file::MAX_SIZE;

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

/// How often an extension is looked at again that others keep changing.
const MOST_LOOKS: usize = 10;

impl Depot {
    /// Reads and hashes everything that belongs to an extension. Where another process changes it in the meantime, what is
    /// there then is looked at.
    ///
    /// # Errors
    /// [`DepotError::NotFound`] when there is none, or none any more. Everything else that is wrong is a finding.
    pub fn verify(&self, name: &ExtensionName) -> Result<Verification, DepotError> {
        let manifest = || read_plain(&self.places().manifest(name), MAX_SIZE).ok();
        for _ in 0..MOST_LOOKS {
            let before = manifest();
            let verification = self.look_over(name)?;
            if verification.findings.is_empty() || before == manifest() {
                return Ok(verification);
            }
        }
        self.look_over(name)
    }

    fn look_over(&self, name: &ExtensionName) -> Result<Verification, DepotError> {
        let (reference, findings) = match self.installed(name) {
            Ok(installed) => {
                let check =
                    |blob: &Descriptor| read_blob(&self.places().blob(&blob.digest), &blob.digest, MAX_BLOB).err();
                let findings = installed.artifact.manifest.blobs().filter_map(check).map(Finding::Blob).collect();
                (Some(installed.reference), findings)
            }
            Err(error @ DepotError::NotFound { .. }) => return Err(error),
            Err(error) => {
                let reference = match &error {
                    DepotError::Artifact { reference, .. } => Some((**reference).clone()),
                    DepotError::NotInstalled { reference, .. } => reference.as_deref().cloned(),
                    _ => None,
                };
                (reference, vec![Finding::Extension(error)])
            }
        };
        Ok(Verification { name: name.clone(), reference, findings })
    }
}
