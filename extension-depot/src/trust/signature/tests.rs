//! Signatures by keys and certificates that say the right thing, and many that do not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core_types::{Digest, OciReference};
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

use crate::oci::attachment::Attachment;
use crate::oci::blob::digest_of;
use crate::oci::descriptor::Descriptor;
use crate::oci::image::ImageManifest;
use crate::trust::signature::key::PublicKey;
use crate::trust::signature::secret_key::SecretKey;
use crate::trust::signature::verifier::Verifier;
use crate::trust::signature_state::SignatureState;
use crate::trust::signer::Signer;

/// A signing key of one of two kinds.
enum SigningKey {
    Ecdsa(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl SigningKey {
    fn ecdsa() -> Self {
        let random = SystemRandom::new();
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("random");
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random);
        Self::Ecdsa(Box::new(pair.expect("a key")))
    }

    fn ed25519() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("random");
        Self::Ed25519(Box::new(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key")))
    }

    fn verifier(&self) -> Verifier {
        Verifier::Key(self.public())
    }

    fn public(&self) -> PublicKey {
        let (prefix, raw) = match self {
            // The standard form of keys of these kinds, up to the key itself.
            Self::Ecdsa(pair) => {
                ("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", &pair.public_key().as_ref()[1..])
            }
            Self::Ed25519(pair) => ("MCowBQYDK2VwAyEA", pair.public_key().as_ref()),
        };
        let mut der = STANDARD.decode(prefix).expect("base64");
        der.extend_from_slice(raw);
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(der)
        );
        PublicKey::from_pem(pem.as_bytes()).expect("a key")
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ecdsa(pair) => {
                pair.sign(&SystemRandom::new(), message).expect("signed").as_ref().to_vec()
            }
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

fn reference() -> OciReference {
    "ghcr.io/my-org/x:1"
        .parse::<OciReference>()
        .expect("valid")
        .pinned_to(digest_of(b"the manifest"))
}

fn attachment(layers: Vec<(Descriptor, Vec<u8>)>, artifact_type: Option<&str>) -> Attachment {
    let (descriptors, bytes): (Vec<_>, Vec<_>) = layers.into_iter().unzip();
    let blobs = descriptors.iter().map(|layer| layer.digest).zip(bytes).collect();
    let manifest = ImageManifest {
        artifact_type: artifact_type.map(str::to_owned),
        ..ImageManifest::new(
            Descriptor::of("application/vnd.oci.empty.v1+json", b"{}"),
            descriptors,
        )
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

fn signed_classic(signer: &SigningKey, repository: &str, digest: &Digest) -> Attachment {
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

fn bundle_text(signer: &SigningKey, statement: &str) -> String {
    let kind = "application/vnd.in-toto+json";
    let message = format!("DSSEv1 {} {kind} {} {statement}", kind.len(), statement.len());
    let (payload, signature) =
        (STANDARD.encode(statement), STANDARD.encode(signer.sign(message.as_bytes())));
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

/// Both forms are verified by the key that signed and by no other.
#[test]
fn both_forms_verify_by_their_key() {
    let (reference, other) = (reference(), SigningKey::ecdsa());
    let digest = reference.pinned_digest().expect("whole").expect("pinned");
    for signer in [SigningKey::ecdsa(), SigningKey::ed25519()] {
        let by = Signer::Key { key: *signer.public().fingerprint() };
        let verified = SignatureState::Verified { by };
        let forms = [
            signed_classic(&signer, "ghcr.io/my-org/x", &digest),
            bundle(&bundle_text(&signer, &statement(&digest, SIGN))),
        ];
        for form in forms {
            let state = |signers: &[Verifier]| {
                SignatureState::of(&reference, std::slice::from_ref(&form), signers)
            };
            assert_eq!(state(&[other.verifier(), signer.verifier()]), verified);
            assert!(matches!(state(&[other.verifier()]), SignatureState::NotTrusted { .. }));
            assert!(matches!(state(&[]), SignatureState::NotTrusted { .. }));
        }
    }
    assert_eq!(SignatureState::of(&reference, &[], &[other.verifier()]), SignatureState::Unsigned);
}

#[test]
fn other_subject_is_no_signature() {
    let (reference, signer) = (reference(), SigningKey::ecdsa());
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
        bundle(
            &bundle_text(&signer, &statement(&digest, SIGN)).replace("signatures", "signatvres"),
        ),
        bundle("{}"),
    ];
    for form in forms {
        let state =
            SignatureState::of(&reference, std::slice::from_ref(&form), &[signer.verifier()]);
        assert!(
            matches!(state, SignatureState::NotTrusted { .. }),
            "{state:?}: {:?}",
            form.manifest
        );
    }
    // An attestation says something about the artifact; it is not a signature.
    let provenance =
        bundle(&bundle_text(&signer, &statement(&digest, "https://slsa.dev/provenance/v1")));
    assert_eq!(
        SignatureState::of(&reference, &[provenance], &[signer.verifier()]),
        SignatureState::Unsigned
    );
}

#[test]
fn classic_keyless_is_named() {
    let (reference, signer) = (reference(), SigningKey::ecdsa());
    let digest = reference.pinned_digest().expect("whole").expect("pinned");
    let mut classic = signed_classic(&signer, "ghcr.io/my-org/x", &digest);
    classic.manifest.layers[0]
        .annotations
        .insert("dev.sigstore.cosign/certificate".to_owned(), "PEM".to_owned());
    let state = SignatureState::of(&reference, &[classic], &[signer.verifier()]);
    assert!(matches!(state, SignatureState::Unsupported { .. }), "{state:?}");
}

#[test]
fn signature_flood_is_bounded() {
    let (reference, signer) = (reference(), SigningKey::ecdsa());
    let digest = reference.pinned_digest().expect("whole").expect("pinned");
    let mut flood: Vec<_> =
        (0..200).map(|_| classic(claim("ghcr.io/my-org/x", &digest), "AAAA")).collect();
    flood.push(signed_classic(&signer, "ghcr.io/my-org/x", &digest));
    let state = SignatureState::of(&reference, &flood, &[signer.verifier()]);
    assert!(matches!(state, SignatureState::NotTrusted { .. }), "{state:?}");
}

/// A bundle that is cut anywhere verifies nothing and harms nothing.
#[test]
fn cut_bundle_verifies_nothing() {
    let (reference, signer) = (reference(), SigningKey::ed25519());
    let digest = reference.pinned_digest().expect("whole").expect("pinned");
    let text = bundle_text(&signer, &statement(&digest, SIGN));
    let keys = [signer.verifier()];
    for end in 0..text.len() {
        let state = SignatureState::of(&reference, &[bundle(&text[..end])], &keys);
        assert!(matches!(state, SignatureState::NotTrusted { .. }), "{end}: {state:?}");
    }
}

/// Of a secret key only its public half is shown.
#[test]
fn secret_key_debug_is_redacted() {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("random");
    let secret = STANDARD.encode(pkcs8.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n");
    let key = SecretKey::from_pem(pem.as_bytes(), None).expect("a key");
    assert_eq!(
        format!("{key:?}"),
        format!("SecretKey({}, <redacted>)", key.public().fingerprint())
    );
    for wrong in [
        SecretKey::from_pem(secret.as_bytes(), None),
        SecretKey::from_pem(&pem.as_bytes()[..60], None),
    ] {
        let error = wrong.expect_err("no key");
        assert!(!format!("{error:?} {error}").contains(&secret[..20]), "{error:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, signature: String) {
        let keys = [SigningKey::ed25519().verifier()];
        let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let referrer = attachment(vec![(Descriptor::of(kind, &bytes), bytes.clone())], Some(kind));
        for attached in [classic(bytes.clone(), &signature), referrer] {
            prop_assert!(SignatureState::of(&reference(), &[attached], &keys).signer().is_none());
        }
        let _ = PublicKey::from_pem(&bytes);
    }
}
