//! Whether what is installed is still what was installed.

use std::fmt;

use core_types::{Digest, ExtensionName, OciReference};

use crate::archives::unpack::UnpackError;
use crate::manifest::manifest_file::MAX_SIZE;
use crate::oci::binary::binary_digest;
use crate::oci::blob::{BlobError, read_blob, read_plain};
use crate::oci::image::MAX_BLOB;
use crate::store::depot::{Depot, Installed};
use crate::store::depot_error::DepotError;

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
    /// The layer that the binary was unpacked from.
    Unpack(UnpackError),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extension(error) => with_causes(f, error),
            Self::Unpack(error) => with_causes(f, error),
            Self::Blob(error) => fmt::Display::fmt(error, f),
        }
    }
}

fn with_causes(f: &mut fmt::Formatter<'_>, error: &dyn std::error::Error) -> fmt::Result {
    write!(f, "{error}")?;
    std::iter::successors(error.source(), |cause| cause.source())
        .try_for_each(|cause| write!(f, ": {cause}"))
}

/// How often an extension is looked at again that others keep changing.
const MOST_LOOKS: usize = 10;

impl Depot {
    /// Reads and hashes everything that belongs to an extension. Where another process changes it
    /// in the meantime, what is there then is looked at.
    ///
    /// # Errors
    /// [`DepotError::NotFound`] when there is none, or none any more. Everything else that is wrong
    /// is a finding.
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
            Ok(installed) => (Some(installed.reference.clone()), self.findings(&installed)),
            Err(error @ DepotError::NotFound { .. }) => return Err(error),
            Err(error) => {
                let reference = match &error {
                    DepotError::Artifact { reference, .. } => Some((**reference).clone()),
                    DepotError::NotInstalled { reference, .. } => reference.as_deref().cloned(),
                    // The record is damaged, and the manifest still says where it can be had from.
                    _ => self
                        .manifest(name)
                        .ok()
                        .flatten()
                        .and_then(|loaded| loaded.manifest.extension.oci),
                };
                (reference, vec![Finding::Extension(error)])
            }
        };
        Ok(Verification { name: name.clone(), reference, findings })
    }

    fn findings(&self, installed: &Installed) -> Vec<Finding> {
        let Installed { artifact, binary, .. } = installed;
        let check = |digest: &Digest| {
            read_blob(&self.places().blob(digest), digest, MAX_BLOB).err().map(Finding::Blob)
        };
        let layers = artifact.manifest.blobs().filter_map(|blob| check(&blob.digest));
        let mut findings: Vec<_> = layers.collect();
        if artifact.declared().is_some() || !findings.is_empty() {
            return findings;
        }
        // What the record says of the layers is not believed here, and its binary is another file
        // than they are.
        match binary_digest(&artifact.manifest, &|digest| self.places().blob(digest)) {
            Err(error) => findings.push(Finding::Unpack(error)),
            Ok(found) if found != binary.digest => {
                findings.push(Finding::Blob(BlobError::Digest {
                    expected: found,
                    found: binary.digest,
                }));
            }
            Ok(_) => findings.extend(check(&binary.digest)),
        }
        findings
    }
}
