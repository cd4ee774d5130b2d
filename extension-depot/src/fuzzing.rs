//! Entry points for fuzzers: readers of untrusted bytes that are private otherwise.

use core_types::{Digest, OciReference};

use crate::oci::attachment::Attachment;
use crate::oci::descriptor::Descriptor;
use crate::oci::document::Document;
use crate::oci::image::ImageManifest;
use crate::registry::auth::challenge::Challenges;
use crate::trust::signature::{bundle, classic};

/// Reads an image manifest or index as it comes from a registry, and looks for what would be
/// installed.
pub fn document(bytes: &[u8], declared: Option<&str>) -> bool {
    match Document::parse(bytes, declared) {
        Ok(Document::Manifest(manifest)) => manifest.wasm_layer().is_ok(),
        Ok(Document::Index(index)) => index.wasm_entry().is_ok(),
        Err(error) => error.to_string().is_empty(),
    }
}

/// Reads the header `WWW-Authenticate`.
pub fn challenge(header: &str) -> bool {
    !Challenges::parse(header).known().is_empty()
}

/// Reads a signature, in both forms, from what says that it is one.
pub fn signature(bytes: &[u8], reference: &OciReference, digest: &Digest) -> usize {
    let layer = Descriptor::of(bundle::BUNDLE_0_3, bytes);
    let manifest = ImageManifest::new(layer.clone(), vec![layer.clone()]);
    let of_bundle = Attachment {
        descriptor: layer.clone(),
        manifest,
        blobs: vec![(layer.digest, bytes.to_vec())],
    };
    let found = usize::from(bundle::signature(&of_bundle, digest).is_some());
    let Ok(manifest) = serde_json::from_slice::<ImageManifest>(bytes) else { return found };
    let blobs = manifest.layers.iter().map(|layer| (layer.digest, bytes.to_vec())).collect();
    found
        + classic::signatures(&Attachment { descriptor: layer, manifest, blobs }, reference, digest)
            .len()
}
