//! What belongs to an artifact and is not part of it.

use core_types::Digest;

use crate::oci::descriptor::Descriptor;
use crate::oci::image::ImageManifest;

/// An artifact that refers to another one, such as a signature, with all its bytes. Each blob is
/// what its digest says, and nothing of what they say is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its image manifest, with the tag that it is found under, if it is found by one.
    pub descriptor: Descriptor,
    /// The image manifest.
    pub manifest: ImageManifest,
    /// The image manifest and its blobs.
    pub blobs: Vec<(Digest, Vec<u8>)>,
}
