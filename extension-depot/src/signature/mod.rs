//! Who signed an artifact.
//!
//! The two forms that [cosign](https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md) writes are read: the
//! classic one under the tag `sha256-HEX.sig`, and
//! [bundles](https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto) of version 0.3 that refer to
//! the artifact. What is checked is that a key signed this digest; neither needs a network beyond fetching, nor a log.
//! Signatures by certificate ("keyless") are recognised and not supported.

mod bundle;
mod classic;
mod key;
mod secret_key;

use core_types::OciReference;

pub(crate) use bundle::{BUNDLE, BUNDLE_0_3, SIGN, STATEMENT, encoded, statement};
pub(crate) use classic::{LAYER as CLASSIC, SIGNATURE, claim};
pub(crate) use key::ECDSA_PREFIX;
pub use key::{KeyError, PublicKey};
pub use secret_key::{SecretKey, SecretKeyError};

use crate::attachment::Attachment;
use crate::signature_state::SignatureState;

/// The most signatures of one artifact that are read.
pub(crate) const MOST_SIGNATURES: usize = 64;

impl SignatureState {
    /// What the signatures among these attachments of an artifact come to, where these keys are trusted.
    pub fn of(reference: &OciReference, attachments: &[Attachment], keys: &[PublicKey]) -> Self {
        let digest = match reference.pinned_digest() {
            Ok(Some(digest)) => digest,
            _ => return Self::Unchecked { reason: "nothing is pinned to a digest".to_owned() },
        };
        let found = attachments.iter().flat_map(|attachment| {
            let classic = classic::signatures(attachment, reference, &digest);
            classic.into_iter().chain(bundle::signature(attachment, &digest))
        });
        let (mut hints, mut unsupported, mut signed) = (Vec::new(), None, false);
        for found in found.take(MOST_SIGNATURES) {
            match found {
                Found::Signature(signature) => {
                    signed = true;
                    if let Some(key) = keys.iter().find(|key| key.verifies(&signature.message, &signature.signature)) {
                        return Self::Verified { key: *key.fingerprint() };
                    }
                    hints.extend(signature.hint);
                }
                Found::Unusable => signed = true,
                Found::Unsupported(form) => unsupported = Some(form),
            }
        }
        match (signed, unsupported) {
            (true, _) => Self::NotTrusted { hints },
            (false, Some(form)) => Self::Unsupported { form },
            (false, None) => Self::Unsigned,
        }
    }
}

/// Something that is there for a signature.
pub(crate) enum Found {
    /// A signature over a message that says the right things about the artifact.
    Signature(Signature),
    /// Something that should be one, and is broken or speaks of something else.
    Unusable,
    /// A form that is not checked.
    Unsupported(String),
}

/// A signature before any key has been tried.
pub(crate) struct Signature {
    /// What was signed.
    pub(crate) message: Vec<u8>,
    /// The signature itself.
    pub(crate) signature: Vec<u8>,
    /// What it says about its key.
    pub(crate) hint: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::digest_of;
    use crate::image::{Descriptor, ImageManifest};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use core_types::Digest;
    use proptest::prelude::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

    /// Somebody who signs, in one of two ways.
    enum Signer {
        Ecdsa(Box<EcdsaKeyPair>),
        Ed25519(Box<Ed25519KeyPair>),
    }

    impl Signer {
        fn ecdsa() -> Self {
            let random = SystemRandom::new();
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("random");
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random);
            Self::Ecdsa(Box::new(pair.expect("a key")))
        }

        fn ed25519() -> Self {
            let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("random");
            Self::Ed25519(Box::new(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key")))
        }

        fn public(&self) -> PublicKey {
            let (prefix, raw) = match self {
                // The standard form of keys of these kinds, up to the key itself.
                Self::Ecdsa(pair) => ("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", &pair.public_key().as_ref()[1..]),
                Self::Ed25519(pair) => ("MCowBQYDK2VwAyEA", pair.public_key().as_ref()),
            };
            let mut der = STANDARD.decode(prefix).expect("base64");
            der.extend_from_slice(raw);
            let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der));
            PublicKey::from_pem(pem.as_bytes()).expect("a key")
        }

        fn sign(&self, message: &[u8]) -> Vec<u8> {
            match self {
                Self::Ecdsa(pair) => pair.sign(&SystemRandom::new(), message).expect("signed").as_ref().to_vec(),
                Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            }
        }
    }

    fn reference() -> OciReference {
        "ghcr.io/my-org/x:1".parse::<OciReference>().expect("valid").pinned_to(digest_of(b"the manifest"))
    }

    fn attachment(layers: Vec<(Descriptor, Vec<u8>)>, artifact_type: Option<&str>) -> Attachment {
        let (descriptors, bytes): (Vec<_>, Vec<_>) = layers.into_iter().unzip();
        let blobs = descriptors.iter().map(|layer| layer.digest).zip(bytes).collect();
        let manifest = ImageManifest {
            artifact_type: artifact_type.map(str::to_owned),
            ..ImageManifest::new(Descriptor::of("application/vnd.oci.empty.v1+json", b"{}"), descriptors)
        };
        Attachment { descriptor: Descriptor::of("", b""), manifest, blobs }
    }

    fn claim(repository: &str, digest: &Digest) -> Vec<u8> {
        format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"{repository}"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"cosign container image signature"}},"optional":null}}"#
        )
        .into_bytes()
    }

    fn classic(payload: Vec<u8>, signature: &str) -> Attachment {
        let mut layer = Descriptor::of("application/vnd.dev.cosign.simplesigning.v1+json", &payload);
        layer.annotations.insert("dev.cosignproject.cosign/signature".to_owned(), signature.to_owned());
        attachment(vec![(layer, payload)], None)
    }

    fn signed_classic(signer: &Signer, repository: &str, digest: &Digest) -> Attachment {
        let payload = claim(repository, digest);
        let signature = STANDARD.encode(signer.sign(&payload));
        classic(payload, &signature)
    }

    fn statement(digest: &Digest, predicate: &str) -> String {
        let hex = digest.hex();
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{hex}"}}}}],"predicateType":"{predicate}","predicate":{{}}}}"#
        )
    }

    fn bundle_text(signer: &Signer, statement: &str) -> String {
        let kind = "application/vnd.in-toto+json";
        let message = format!("DSSEv1 {} {kind} {} {statement}", kind.len(), statement.len());
        let (payload, signature) = (STANDARD.encode(statement), STANDARD.encode(signer.sign(message.as_bytes())));
        format!(
            r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{{"publicKey":{{"hint":"h"}}}},"dsseEnvelope":{{"payload":"{payload}","payloadType":"{kind}","signatures":[{{"sig":"{signature}"}}]}}}}"#
        )
    }

    fn bundle(text: &str) -> Attachment {
        let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let layer = Descriptor::of(kind, text.as_bytes());
        attachment(vec![(layer, text.as_bytes().to_vec())], Some(kind))
    }

    const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

    #[test]
    fn both_forms_are_verified_by_the_key_that_signed_and_by_no_other() {
        let (reference, other) = (reference(), Signer::ecdsa().public());
        let digest = reference.pinned_digest().expect("whole").expect("pinned");
        for signer in [Signer::ecdsa(), Signer::ed25519()] {
            let verified = SignatureState::Verified { key: *signer.public().fingerprint() };
            let forms = [
                signed_classic(&signer, "ghcr.io/my-org/x", &digest),
                bundle(&bundle_text(&signer, &statement(&digest, SIGN))),
            ];
            for form in forms {
                let state = |keys: &[PublicKey]| SignatureState::of(&reference, std::slice::from_ref(&form), keys);
                assert_eq!(state(&[other.clone(), signer.public()]), verified);
                assert!(matches!(state(std::slice::from_ref(&other)), SignatureState::NotTrusted { .. }));
                assert!(matches!(state(&[]), SignatureState::NotTrusted { .. }));
            }
        }
        assert_eq!(SignatureState::of(&reference, &[], &[other]), SignatureState::Unsigned);
    }

    #[test]
    fn what_speaks_of_something_else_is_no_signature_of_this() {
        let (reference, signer) = (reference(), Signer::ecdsa());
        let digest = reference.pinned_digest().expect("whole").expect("pinned");
        let elsewhere = digest_of(b"another manifest");
        let mut tampered = claim("ghcr.io/my-org/x", &digest);
        let signature = STANDARD.encode(signer.sign(&tampered));
        tampered.push(b' ');
        let forms = [
            signed_classic(&signer, "ghcr.io/my-org/x", &elsewhere),
            signed_classic(&signer, "ghcr.io/my-org/y", &digest),
            signed_classic(&signer, "ghcr.io/my-org/x:1", &digest),
            classic(tampered, &signature),
            classic(claim("ghcr.io/my-org/x", &digest), "!!"),
            classic(claim("ghcr.io/my-org/x", &digest), ""),
            bundle(&bundle_text(&signer, &statement(&elsewhere, SIGN))),
            bundle(&bundle_text(&signer, &statement(&digest, SIGN)).replace("signatures", "signatvres")),
            bundle("{}"),
        ];
        for form in forms {
            let state = SignatureState::of(&reference, std::slice::from_ref(&form), &[signer.public()]);
            assert!(matches!(state, SignatureState::NotTrusted { .. }), "{state:?}: {:?}", form.manifest);
        }
        // An attestation says something about the artifact; it is no signature.
        let provenance = bundle(&bundle_text(&signer, &statement(&digest, "https://slsa.dev/provenance/v1")));
        assert_eq!(SignatureState::of(&reference, &[provenance], &[signer.public()]), SignatureState::Unsigned);
    }

    #[test]
    fn certificates_are_said_to_be_what_they_are() {
        let (reference, signer) = (reference(), Signer::ecdsa());
        let digest = reference.pinned_digest().expect("whole").expect("pinned");
        let keyless = bundle_text(&signer, &statement(&digest, SIGN))
            .replace(r#""publicKey":{"hint":"h"}"#, r#""certificate":{"rawBytes":"AA=="}"#);
        let state = SignatureState::of(&reference, &[bundle(&keyless)], &[signer.public()]);
        assert!(matches!(state, SignatureState::Unsupported { .. }), "{state:?}");
        let mut classic = signed_classic(&signer, "ghcr.io/my-org/x", &digest);
        classic.manifest.layers[0].annotations.insert("dev.sigstore.cosign/certificate".to_owned(), "PEM".to_owned());
        let state = SignatureState::of(&reference, &[classic], &[signer.public()]);
        assert!(matches!(state, SignatureState::Unsupported { .. }), "{state:?}");
    }

    #[test]
    fn of_a_flood_of_signatures_some_are_read() {
        let (reference, signer) = (reference(), Signer::ecdsa());
        let digest = reference.pinned_digest().expect("whole").expect("pinned");
        let mut flood: Vec<_> = (0..200).map(|_| classic(claim("ghcr.io/my-org/x", &digest), "AAAA")).collect();
        flood.push(signed_classic(&signer, "ghcr.io/my-org/x", &digest));
        let state = SignatureState::of(&reference, &flood, &[signer.public()]);
        assert!(matches!(state, SignatureState::NotTrusted { .. }), "{state:?}");
    }

    #[test]
    fn a_bundle_that_is_cut_anywhere_verifies_nothing_and_harms_nothing() {
        let (reference, signer) = (reference(), Signer::ed25519());
        let digest = reference.pinned_digest().expect("whole").expect("pinned");
        let text = bundle_text(&signer, &statement(&digest, SIGN));
        let keys = [signer.public()];
        for end in 0..text.len() {
            let state = SignatureState::of(&reference, &[bundle(&text[..end])], &keys);
            assert!(matches!(state, SignatureState::NotTrusted { .. }), "{end}: {state:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, signature: String) {
            let keys = [Signer::ed25519().public()];
            let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
            let referrer = attachment(vec![(Descriptor::of(kind, &bytes), bytes.clone())], Some(kind));
            for attached in [classic(bytes.clone(), &signature), referrer] {
                prop_assert!(SignatureState::of(&reference(), &[attached], &keys).key().is_none());
            }
            let _ = PublicKey::from_pem(&bytes);
        }
    }
}
