//! Finds the binary of a staged artifact.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;

use core_types::Digest;

use crate::archives::unpack::{UnpackError, Unpacked};
use crate::oci::artifact::Artifact;
use crate::oci::binary::{Binary, Carrier, carrier, unpack_layer};
use crate::oci::descriptor::Descriptor;
use crate::oci::image::ImageManifest;
use crate::source::staging::Staging;

/// The name of a binary while it is unpacked. No digest is written like this.
const UNPACKING: &str = "unpacking";

impl Staging {
    /// Finds the binary of an artifact whose blobs are all there and verified, and unpacks it where
    /// it is packed.
    pub(crate) fn binary(&self, artifact: &Artifact) -> Result<Binary, UnpackError> {
        let blob = |digest: &Digest| self.blob(digest);
        match carrier(&artifact.manifest, &blob)? {
            Carrier::Plain(layer) => Ok(Binary {
                path: self.blob(&layer.digest),
                digest: layer.digest,
                size: layer.size,
            }),
            Carrier::Packed(layer) => self.unpack(&artifact.manifest, layer),
        }
    }

    fn unpack(&self, manifest: &ImageManifest, layer: &Descriptor) -> Result<Binary, UnpackError> {
        let unpacking = self.file(UNPACKING);
        let failed = |source| UnpackError::Io { path: unpacking.clone(), source };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&unpacking).map_err(failed)?;
        let packed = self.blob(&layer.digest);
        let Unpacked { digest, size } = unpack_layer(manifest, layer, &packed, &mut file)?;
        file.sync_all().map_err(failed)?;
        let path = self.blob(&digest);
        fs::rename(&unpacking, &path).map_err(failed)?;
        Ok(Binary { path, digest, size })
    }
}
