//! An artifact: the documents that lead from a digest to the layers with a WebAssembly binary.

use core_types::{Digest, OciReference};

use crate::archives::unpack::UnpackError;
use crate::oci::blob::{BlobError, digest_of};
use crate::oci::descriptor::{DESCRIPTION, Descriptor, VERSION};
use crate::oci::document::Document;
use crate::oci::image::ImageManifest;
use crate::oci::image_error::ImageError;
use crate::oci::media_type;

/// An artifact in an OCI registry or layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The digest of the manifest or index that the tag resolved to. A reference is pinned to it.
    pub digest: Digest,
    /// The size in bytes of the document with that digest.
    pub document_size: u64,
    /// The digest of the image manifest, which is another one when there is an index above it.
    pub manifest_digest: Digest,
    /// The size of the image manifest in bytes.
    pub manifest_size: u64,
    /// The image manifest.
    pub manifest: ImageManifest,
}

/// Why a digest does not lead to an artifact.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// A blob on the way.
    #[error("the artifact is damaged")]
    Blob(#[from] BlobError),
    /// The documents.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The layers.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The binary was packed in a layer, and its digest is not recorded.
    #[error("the record of which binary its layer has is missing")]
    Unrecorded,
}

impl Artifact {
    /// Follows a digest to its image manifest. `read` gives the bytes of a document, already
    /// verified.
    pub(crate) fn resolve<E: From<ImageError>>(
        digest: Digest,
        mut read: impl FnMut(&Digest) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let bytes = read(&digest)?;
        match Document::parse(&bytes, None)? {
            Document::Manifest(manifest) => Ok(Self::new(digest, &bytes, *manifest)?),
            Document::Index(index) => {
                let size = bytes.len() as u64;
                let entry = index.wasm_entry()?;
                Ok(Self::of_index((digest, size), entry, &read(&entry.digest)?)?)
            }
        }
    }

    /// Creates the artifact of an image manifest that is pinned by itself or by the index above it.
    pub(crate) fn new(
        digest: Digest,
        bytes: &[u8],
        manifest: ImageManifest,
    ) -> Result<Self, ImageError> {
        manifest.wasm_layer()?;
        let (manifest_digest, manifest_size) = (digest_of(bytes), bytes.len() as u64);
        Ok(Self { digest, document_size: manifest_size, manifest_digest, manifest_size, manifest })
    }

    /// Returns the layer that is the binary by its media type. Nothing where that shows only in the
    /// bytes of the layers.
    pub(crate) fn declared(&self) -> Option<&Descriptor> {
        self.manifest.wasm_layer().ok().flatten()
    }

    /// Returns the artifact of the image manifest in these bytes, to which an entry of an index
    /// with this digest and size leads.
    pub(crate) fn of_index(
        (index, size): (Digest, u64),
        entry: &Descriptor,
        bytes: &[u8],
    ) -> Result<Self, ImageError> {
        if entry.size != bytes.len() as u64 {
            let reason =
                format!("it has {} bytes, and the index above it says {}", bytes.len(), entry.size);
            return Err(ImageError::Malformed { reason });
        }
        match Document::parse(bytes, None)? {
            Document::Manifest(manifest) => {
                Ok(Self { document_size: size, ..Self::new(index, bytes, *manifest)? })
            }
            Document::Index(_) => {
                Err(ImageError::Malformed { reason: "it is an index inside an index".to_owned() })
            }
        }
    }

    /// Points at the document that it is pinned to.
    pub(crate) fn document(&self) -> Descriptor {
        let is_index = self.digest != self.manifest_digest;
        let media_type = if is_index { media_type::INDEX } else { media_type::MANIFEST };
        Descriptor::new(media_type, self.digest, self.document_size)
    }

    /// Returns the version for people: the annotation, else the tag, else 0.0.0.
    pub fn version(&self, reference: &OciReference) -> String {
        let annotation =
            self.manifest.annotations.get(VERSION).filter(|version| is_short_text(version));
        annotation.cloned().unwrap_or_else(|| reference.revision().to_owned())
    }

    /// Returns the archive of its documentation, if it has one.
    pub fn docs_layer(&self) -> Option<&Descriptor> {
        self.manifest.layers.iter().find(|layer| layer.media_type == media_type::DOCS)
    }

    /// Returns the publisher's description of the extension, if it is one line of text.
    pub fn description(&self) -> Option<&str> {
        self.manifest
            .annotations
            .get(DESCRIPTION)
            .map(String::as_str)
            .filter(|text| is_short_text(text))
    }

    /// Returns the blobs that belong to the artifact, the documents included. A binary that was
    /// unpacked is not among them.
    pub(crate) fn digests(&self) -> Vec<Digest> {
        let mut digests = vec![self.digest, self.manifest_digest];
        digests.extend(self.manifest.blobs().map(|blob| blob.digest));
        digests.sort();
        digests.dedup();
        digests
    }
}

/// Text that is worth keeping in a manifest: one line without control characters.
fn is_short_text(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control)
}
