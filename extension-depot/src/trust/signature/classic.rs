//! The classic form: a manifest under the tag `sha256-HEX.sig`, with a layer for each signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core_types::{Digest, OciPrefix, OciReference};
use serde::Deserialize;

use crate::oci::attachment::Attachment;
use crate::oci::descriptor::Descriptor;
use crate::trust::signature::found::{Found, Signature};

pub(crate) const LAYER: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
pub(crate) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const KIND: &str = "cosign container image signature";

#[derive(Deserialize)]
struct Claim {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Identity {
    docker_reference: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: String,
}

/// Returns the signatures of an attachment, which has none when it is something else.
pub(crate) fn signatures(
    attachment: &Attachment,
    reference: &OciReference,
    digest: &Digest,
) -> Vec<Found> {
    let layers = attachment.manifest.layers.iter().filter(|layer| layer.media_type == LAYER);
    layers.map(|layer| signature(attachment, layer, reference, digest)).collect()
}

fn signature(
    attachment: &Attachment,
    layer: &Descriptor,
    reference: &OciReference,
    digest: &Digest,
) -> Found {
    if layer.annotations.contains_key(CERTIFICATE) {
        return Found::Unsupported("a signature by certificate".to_owned());
    }
    let signature = layer.annotations.get(SIGNATURE).and_then(|text| STANDARD.decode(text).ok());
    let payload = attachment.blob(&layer.digest).map(<[u8]>::to_vec);
    match (signature, payload) {
        (Some(signature), Some(message)) if speaks_of(&message, reference, digest) => {
            Found::ByKey(Signature { message, signature, hint: None })
        }
        _ => Found::Unusable,
    }
}

/// Returns the signed claim: this digest belongs to this repository.
pub(crate) fn claim(reference: &OciReference, digest: &Digest) -> String {
    let repository = format!("{}/{}", reference.registry(), reference.repository());
    let critical = serde_json::json!({
        "identity": { "docker-reference": repository },
        "image": { "docker-manifest-digest": digest.to_string() },
        "type": KIND,
    });
    serde_json::json!({ "critical": critical, "optional": null }).to_string()
}

/// Returns whether the signed claim is about this digest in this repository.
fn speaks_of(payload: &[u8], reference: &OciReference, digest: &Digest) -> bool {
    let Ok(Claim { critical }) = serde_json::from_slice::<Claim>(payload) else { return false };
    // The signer may have written the registry in another way.
    let is_repository = |claimed: OciPrefix| {
        claimed.covers(reference.registry(), &reference.repository())
            && claimed.components().join("/") == reference.repository()
    };
    critical.kind == KIND
        && critical.image.docker_manifest_digest == digest.to_string()
        && critical.identity.docker_reference.parse().is_ok_and(is_repository)
}
