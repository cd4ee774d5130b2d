//! Sigstore bundles: an envelope ([DSSE](https://github.com/secure-systems-lab/dsse)) around a
//! statement ([in-toto](https://github.com/in-toto/attestation)) about the artifact.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core_types::Digest;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::oci::attachment::Attachment;
use crate::trust::signature::found::{Found, Signature};
use crate::trust::signature::keyless::SignedByCertificate;

pub(crate) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.";
pub(crate) const BUNDLE_0_3: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
pub(crate) const STATEMENT: &str = "application/vnd.in-toto+json";
/// The annotation for the type of the statement in a bundle.
pub(crate) const PREDICATE_OF_BUNDLE: &str = "dev.sigstore.bundle.predicateType";
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
    certificate: Option<IgnoredAny>,
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

/// Returns the signature in a bundle, or nothing when the attachment is something else: no bundle,
/// or an attestation.
pub(crate) fn signature(attachment: &Attachment, digest: &Digest) -> Option<Found> {
    let layer =
        attachment.manifest.layers.iter().find(|layer| layer.media_type.starts_with(BUNDLE))?;
    if layer.media_type != BUNDLE_0_3 {
        return Some(Found::Unsupported(layer.media_type.escape_debug().to_string()));
    }
    let read = |bytes| Some((bytes, serde_json::from_slice::<Bundle>(bytes).ok()?));
    let Some((bytes, bundle)) = attachment.blob(&layer.digest).and_then(read) else {
        return Some(Found::Unusable);
    };
    if bundle.media_type != BUNDLE_0_3 {
        return Some(Found::Unusable);
    }
    let Some(envelope) = bundle.dsse_envelope else {
        return Some(Found::Unsupported("a bundle without an envelope".to_owned()));
    };
    match (bundle.verification_material.public_key, bundle.verification_material.certificate) {
        (Some(key), None) => by_key(envelope, key.hint, digest),
        (None, Some(_)) => by_certificate(&envelope, bytes, digest),
        _ => Some(Found::Unsupported(
            "a bundle with neither just a key nor just a certificate".to_owned(),
        )),
    }
}

/// Returns the statement in an envelope, if it is that an artifact is signed. What there is instead
/// may be nothing to look at: an attestation is not a signature.
fn signed(envelope: &Envelope) -> Result<(Vec<u8>, Statement), Option<Found>> {
    let payload =
        STANDARD.decode(&envelope.payload).ok().filter(|_| envelope.payload_type == STATEMENT);
    let statement =
        payload.as_ref().and_then(|payload| serde_json::from_slice::<Statement>(payload).ok());
    let (Some(payload), Some(statement)) = (payload, statement) else {
        return Err(Some(Found::Unusable));
    };
    if statement.predicate_type == SIGN { Ok((payload, statement)) } else { Err(None) }
}

impl Statement {
    fn speaks_of(&self, digest: &Digest) -> bool {
        let hex = digest.hex();
        self.subject.iter().any(|subject| subject.digest.sha256.as_deref() == Some(hex.as_str()))
    }
}

fn by_certificate(envelope: &Envelope, bundle: &[u8], digest: &Digest) -> Option<Found> {
    let statement = match signed(envelope) {
        Ok((_, statement)) => statement,
        Err(other) => return other,
    };
    let signature = SignedByCertificate::read(bundle).filter(|_| statement.speaks_of(digest));
    Some(signature.map_or(Found::Unusable, |signature| Found::ByCertificate(Box::new(signature))))
}

fn by_key(envelope: Envelope, hint: String, digest: &Digest) -> Option<Found> {
    let (payload, statement) = match signed(&envelope) {
        Ok(signed) => signed,
        Err(other) => return other,
    };
    let [EnvelopeSignature { sig }] = envelope.signatures.as_slice() else {
        return Some(Found::Unusable);
    };
    let signature = STANDARD.decode(sig).ok().filter(|_| statement.speaks_of(digest));
    let hint = Some(hint).filter(|hint| !hint.is_empty() && hint.len() <= 200);
    Some(signature.map_or(Found::Unusable, |signature| {
        Found::ByKey(Signature {
            message: encoded(&envelope.payload_type, &payload),
            signature,
            hint,
        })
    }))
}

/// Returns the statement that an artifact with this digest is signed.
pub(crate) fn statement(digest: &Digest) -> String {
    let statement = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": digest.hex() }, "annotations": {} }],
        "predicateType": SIGN,
        "predicate": {},
    });
    statement.to_string()
}

/// Returns the signed bytes: the pre-authentication encoding of the envelope's protocol.
pub(crate) fn encoded(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}
