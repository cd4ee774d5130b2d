//! What belongs to an artifact and is not part of it.

use core_types::Digest;

use crate::oci::descriptor::Descriptor;
use crate::oci::image::ImageManifest;

/// An artifact that refers to another one, such as a signature, with all its bytes. The blobs match
/// their digests, and their contents are not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its image manifest, with the tag that it is found under, if it is found by one.
    pub descriptor: Descriptor,
    /// The image manifest.
    pub manifest: ImageManifest,
    /// The image manifest and its blobs.
    pub blobs: Vec<(Digest, Vec<u8>)>,
}

impl Attachment {
    /// Returns the bytes of a blob, if it was fetched.
    #[cfg(feature = "registry")]
    pub(crate) fn blob(&self, digest: &Digest) -> Option<&[u8]> {
        let found = self.blobs.iter().find(|(blob, _)| blob == digest);
        found.map(|(_, bytes)| bytes.as_slice())
    }
}
