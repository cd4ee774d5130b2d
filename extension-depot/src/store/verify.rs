//! Checks installed extensions for changed bytes.

use std::fmt;

use core_types::{Digest, ExtensionName, OciReference, with_causes};
use private_files::read_regular;

use crate::archives::unpack::UnpackError;
use crate::manifest::manifest_file::MAX_SIZE;
use crate::oci::binary::binary_digest;
use crate::oci::blob::{BlobError, read_blob};
use crate::oci::descriptor::MAX_BLOB;
use crate::store::depot::{Depot, Installed};
use crate::store::installed_error::{ExtensionNotFound, FindError, InstalledError, NotInstalled};

/// What looking at every byte of an extension found.
#[derive(Debug)]
pub struct Verification {
    /// The extension.
    pub name: ExtensionName,
    /// The pinned reference, as far as it is known.
    pub reference: Option<OciReference>,
    /// The problem. Empty when all is well.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Debug)]
pub enum Finding {
    /// The manifest or the documents of the artifact.
    Extension(InstalledError),
    /// A blob.
    Blob(BlobError),
    /// The layer that the binary was unpacked from.
    Unpack(UnpackError),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extension(error) => f.write_str(&with_causes(error)),
            Self::Unpack(error) => f.write_str(&with_causes(error)),
            Self::Blob(error) => fmt::Display::fmt(error, f),
        }
    }
}

/// The looks at an extension that other processes keep changing. One change during a look is rare
/// already.
const MAX_LOOKS: usize = 10;

impl Depot {
    /// Reads and hashes everything that belongs to an extension. Where another process changes it
    /// in the meantime, it is checked again.
    ///
    /// # Errors
    /// When there is none, or none any more. Everything else that is wrong
    /// is a finding.
    pub fn verify(&self, name: &ExtensionName) -> Result<Verification, ExtensionNotFound> {
        let manifest = || read_regular(&self.places().manifest(name), MAX_SIZE).ok();
        for _ in 0..MAX_LOOKS {
            let before = manifest();
            let verification = self.look_over(name)?;
            if verification.findings.is_empty() || before == manifest() {
                return Ok(verification);
            }
        }
        self.look_over(name)
    }

    fn look_over(&self, name: &ExtensionName) -> Result<Verification, ExtensionNotFound> {
        let (reference, findings) = match self.installed(name) {
            Ok(installed) => (Some(installed.reference.clone()), self.findings(&installed)),
            Err(InstalledError::Find(FindError::NotFound(error))) => return Err(error),
            Err(error) => {
                let reference = match &error {
                    InstalledError::Artifact { reference, .. } => Some(reference.clone()),
                    InstalledError::NotInstalled(NotInstalled { reference, .. }) => {
                        reference.clone()
                    }
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
        // The record is not trusted here, and its binary is another file than they are.
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
