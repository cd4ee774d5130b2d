//! Sigstore bundles: an envelope ([DSSE](https://github.com/secure-systems-lab/dsse)) around a statement
//! ([in-toto](https://github.com/in-toto/attestation)) about the artifact.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core_types::Digest;
use serde::Deserialize;

use super::{Found, Signature};
use crate::attachment::Attachment;

pub(crate) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.";
pub(crate) const BUNDLE_0_3: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
pub(crate) const STATEMENT: &str = "application/vnd.in-toto+json";
pub(crate) const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Option<KeyHint>,
}

#[derive(Deserialize)]
struct KeyHint {
    #[serde(default)]
    hint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Deserialize)]
struct EnvelopeSignature {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    subject: Vec<Subject>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    digest: SubjectDigest,
}

#[derive(Deserialize)]
struct SubjectDigest {
    sha256: Option<String>,
}

/// The signature in a bundle, or nothing when the attachment is something else: no bundle, or an attestation.
pub(super) fn signature(attachment: &Attachment, digest: &Digest) -> Option<Found> {
    let layer = attachment.manifest.layers.iter().find(|layer| layer.media_type.starts_with(BUNDLE))?;
    if layer.media_type != BUNDLE_0_3 {
        return Some(Found::Unsupported(layer.media_type.escape_debug().to_string()));
    }
    let bytes = attachment.blobs.iter().find(|(blob, _)| *blob == layer.digest).map(|(_, bytes)| bytes);
    let Some(bundle) = bytes.and_then(|bytes| serde_json::from_slice::<Bundle>(bytes).ok()) else {
        return Some(Found::Unusable);
    };
    if bundle.media_type != BUNDLE_0_3 {
        return Some(Found::Unusable);
    }
    let (Some(key), Some(envelope)) = (bundle.verification_material.public_key, bundle.dsse_envelope) else {
        return Some(Found::Unsupported("a bundle with a certificate, or without an envelope".to_owned()));
    };
    read(envelope, key.hint, digest)
}

fn read(envelope: Envelope, hint: String, digest: &Digest) -> Option<Found> {
    let payload = STANDARD.decode(&envelope.payload).ok().filter(|_| envelope.payload_type == STATEMENT);
    let statement = payload.as_ref().and_then(|payload| serde_json::from_slice::<Statement>(payload).ok());
    let (Some(payload), Some(statement)) = (payload, statement) else { return Some(Found::Unusable) };
    if statement.predicate_type != SIGN {
        return None;
    }
    let hex = digest.hex();
    let speaks_of = statement.subject.iter().any(|subject| subject.digest.sha256.as_deref() == Some(hex.as_str()));
    let [EnvelopeSignature { sig }] = envelope.signatures.as_slice() else { return Some(Found::Unusable) };
    let signature = STANDARD.decode(sig).ok().filter(|_| speaks_of);
    let hint = Some(hint).filter(|hint| !hint.is_empty() && hint.len() <= 200);
    Some(signature.map_or(Found::Unusable, |signature| {
        Found::Signature(Signature { message: encoded(&envelope.payload_type, &payload), signature, hint })
    }))
}

/// The statement that an artifact with this digest is signed.
pub(crate) fn statement(digest: &Digest) -> String {
    let statement = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": digest.hex() }, "annotations": {} }],
        "predicateType": SIGN,
        "predicate": {},
    });
    statement.to_string()
}

/// What is signed: the pre-authentication encoding of the envelope's protocol.
pub(crate) fn encoded(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}
