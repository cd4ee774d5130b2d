//! Signatures by certificate: of a Sigstore of our own, and those of the real one.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core_types::{Digest, IdentityRule, OciReference};
use proptest::prelude::*;
use serde_json::{Value, json};
use sigstore_verify::trust_root::{SigstoreInstance, TrustedRoot};
use sigstore_verify::types::{Bundle, Sha256Hash, SignatureContent};
use sigstore_verify::{VerificationPolicy, Verifier as SigstoreVerifier};
use test_support::sigstore::{Flaw, Signing, Sigstore};

use crate::oci::attachment::Attachment;
use crate::oci::blob::digest_of;
use crate::oci::descriptor::Descriptor;
use crate::oci::image::ImageManifest;
use crate::trust::signature::bundle::BUNDLE_0_3;
use crate::trust::signature::keyless::IdentityVerifier;
use crate::trust::signature::verifier::Verifier;
use crate::trust::signature_state::SignatureState;
use crate::trust::signer::Signer;

const WHO: &str = "maker@example.com";
const SAYS: &str = "https://login.example";

fn reference() -> OciReference {
    "ghcr.io/my-org/x:1"
        .parse::<OciReference>()
        .expect("valid")
        .pinned_to(digest_of(b"the manifest"))
}

fn digest() -> Digest {
    digest_of(b"the manifest")
}

fn verifier(sigstore: &Sigstore, identity: &str, issuer: &str) -> Verifier {
    verifier_with(&sigstore.trusted_root(), identity, issuer)
}

/// Returns the same with a trusted root of this text.
fn verifier_with(root: &str, identity: &str, issuer: &str) -> Verifier {
    let (identity, issuer) = (identity.to_owned(), issuer.to_owned());
    let rule = IdentityRule { identity, issuer, trusted_root: PathBuf::from("root.json") };
    Verifier::Identity(Box::new(IdentityVerifier::new(&rule, root.as_bytes()).expect("a root")))
}

fn attached(bundle: &[u8]) -> Attachment {
    let layer = Descriptor::of(BUNDLE_0_3, bundle);
    let blobs = vec![(layer.digest, bundle.to_vec())];
    let manifest =
        ImageManifest::new(Descriptor::of("application/vnd.oci.empty.v1+json", b"{}"), vec![layer]);
    Attachment { descriptor: Descriptor::of("", b""), manifest, blobs }
}

fn state(bundle: &Value, signers: &[Verifier]) -> SignatureState {
    SignatureState::of(&reference(), &[attached(bundle.to_string().as_bytes())], signers)
}

fn signed(sigstore: &Sigstore) -> Value {
    sigstore.sign(Signing::of(&digest().hex(), WHO, SAYS))
}

/// An identity is verified by its certificate and matched as a whole.
#[test]
fn identity_matches_whole() {
    let sigstore = Sigstore::default();
    let bundle = signed(&sigstore);
    let root = digest_of(sigstore.trusted_root().as_bytes());
    let by = Signer::Identity { identity: WHO.to_owned(), issuer: SAYS.to_owned(), root };
    assert_eq!(state(&bundle, &[verifier(&sigstore, WHO, SAYS)]), SignatureState::Verified { by });
    let others = [
        ("other@example.com", SAYS),
        ("maker@example.co", SAYS),
        ("aker@example.com", SAYS),
        ("maker@example.comm", SAYS),
        ("Maker@example.com", SAYS),
        (".*", SAYS),
        ("maker.example.com", SAYS),
        ("", SAYS),
        (WHO, "https://login.example/"),
        (WHO, "https://login"),
        (WHO, "http://login.example"),
        (WHO, ".*"),
        (WHO, ""),
    ];
    for (identity, issuer) in others {
        let state = state(&bundle, &[verifier(&sigstore, identity, issuer)]);
        assert!(
            matches!(state, SignatureState::NotTrusted { .. }),
            "{identity} {issuer}: {state:?}"
        );
    }
    let SignatureState::NotTrusted { hints, problems } = state(&bundle, &[]) else {
        panic!("nobody is trusted")
    };
    assert_eq!(hints, ["`maker@example.com` of `https://login.example`"]);
    insta::assert_snapshot!(problems.join("\n"), @"its certificate names `maker@example.com` of `https://login.example`");
}

#[test]
fn identity_and_issuer_both_count() {
    let sigstore = Sigstore::default();
    let hex = digest().hex();
    let half = |identity: &str, issuer: &str| {
        let bundle = sigstore.sign(Signing::of(&hex, identity, issuer));
        attached(bundle.to_string().as_bytes())
    };
    let both = [half(WHO, "https://elsewhere.example"), half("other@example.com", SAYS)];
    let state = SignatureState::of(&reference(), &both, &[verifier(&sigstore, WHO, SAYS)]);
    assert!(matches!(state, SignatureState::NotTrusted { .. }), "{state:?}");
}

/// Changes one value of a bundle.
fn with(bundle: &Value, pointer: &str, value: Value) -> Value {
    let mut bundle = bundle.clone();
    *bundle.pointer_mut(pointer).expect(pointer) = value;
    bundle
}

#[test]
fn wrong_evidence_is_not_believed() {
    let sigstore = Sigstore::default();
    let hex = digest().hex();
    let order = Signing::of(&hex, WHO, SAYS);
    let good = signed(&sigstore);
    let other = sigstore.sign(Signing::of(&digest_of(b"another").hex(), WHO, SAYS));
    let entry = "/verificationMaterial/tlogEntries/0";
    let of_entry = |field: &str, value: Value| with(&good, &format!("{entry}{field}"), value);
    let elsewhere =
        |pointer: &str| with(&good, pointer, other.pointer(pointer).expect(pointer).clone());
    // The standard form of a public key where a certificate is due.
    let key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeb5mfvncu6xVoGKVzocLBwKb/NstzijZWfKBWxb4F5hIOtp3JqPEZV2k+/wOEQio/Re0SKaFVBmcR9CP+xDUuA==";
    let cases = [
        ("another authority", signed(&Sigstore::default())),
        ("another artifact", other.clone()),
        ("signature of another artifact", elsewhere("/dsseEnvelope/signatures/0/sig")),
        (
            "certificate of another signature",
            elsewhere("/verificationMaterial/certificate/rawBytes"),
        ),
        ("log entry of another signature", elsewhere(entry)),
        (
            "key for a certificate",
            with(&good, "/verificationMaterial/certificate/rawBytes", json!(key)),
        ),
        ("no certificate", with(&good, "/verificationMaterial/certificate/rawBytes", json!(""))),
        ("no log entry", with(&good, "/verificationMaterial/tlogEntries", json!([]))),
        ("no proof of inclusion", of_entry("/inclusionProof", Value::Null)),
        ("no promise of inclusion", of_entry("/inclusionPromise", Value::Null)),
        ("another time", of_entry("/integratedTime", json!("1767312001"))),
        (
            "another root",
            of_entry(
                "/inclusionProof/rootHash",
                json!("dhjkTIgYpzkv+76y/HOS0Rw93Z0NOpMZL+oXm2btziQ="),
            ),
        ),
        ("another path", of_entry("/inclusionProof/hashes", json!([]))),
        (
            "another log",
            of_entry("/logId/keyId", json!("wNI9atQGlz+VWfO6LRygH4QUfY/8W4RFwiT5i5WRgB0=")),
        ),
        ("no checkpoint", of_entry("/inclusionProof/checkpoint/envelope", json!(""))),
        ("unlogged certificate", sigstore.sign(Signing { is_logged: false, ..order })),
        ("expired certificate", sigstore.sign(Signing { year: 2025, ..order })),
        ("certificate of the future", sigstore.sign(Signing { year: 2027, ..order })),
    ];
    let signers = [verifier(&sigstore, WHO, SAYS)];
    let said: Vec<_> = cases
        .iter()
        .map(|(case, bundle)| without_hashes(&format!("{case}: {}", state(bundle, &signers))))
        .collect();
    assert!(said.iter().all(|said| said.contains(": signed, not trusted")), "{said:#?}");
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn forged_evidence_not_believed() {
    let sigstore = Sigstore::default();
    let signers = [verifier(&sigstore, WHO, SAYS)];
    let hex = digest().hex();
    // Flaws that only the log or the authority could make, and that the verifier does not check:
    // whose root is signed and proven, whose statement and signature are logged, and whose
    // certificate is to sign code with says enough.
    let taken = [Flaw::CheckpointSize, Flaw::EntryEnvelope, Flaw::KeyUsage];
    let mut said = Vec::new();
    for flaw in Flaw::ALL {
        let bundle = sigstore.sign(Signing { flaw: Some(flaw), ..Signing::of(&hex, WHO, SAYS) });
        let state = state(&bundle, &signers);
        assert_eq!(state.signer().is_some(), taken.contains(&flaw), "{flaw:?}: {state}");
        said.push(without_hashes(&format!("{flaw:?}: {state}")));
    }
    said.sort();
    insta::assert_snapshot!(said.join("\n"));
}

/// Bundles of other forms and times are not believed.
#[test]
fn other_bundle_forms_refused() {
    let sigstore = Sigstore::default();
    let good = signed(&sigstore);
    let media_type = |version: &str| with(&good, "/mediaType", json!(version));
    let mut message = good.clone();
    message.as_object_mut().expect("an object").remove("dsseEnvelope");
    let signature = good["dsseEnvelope"]["signatures"][0]["sig"].clone();
    message["messageSignature"] = json!({
        "messageDigest": { "algorithm": "SHA2_256", "digest": STANDARD.encode(digest().bytes()) }, "signature": signature,
    });
    let mut chain = good.clone();
    let material = chain["verificationMaterial"].as_object_mut().expect("an object");
    let certificate = material.remove("certificate").expect("there");
    material.insert("x509CertificateChain".to_owned(), json!({ "certificates": [certificate] }));
    let mut no_kind = good.clone();
    no_kind.as_object_mut().expect("an object").remove("mediaType");
    let cases = [
        ("version 0.1", media_type("application/vnd.dev.sigstore.bundle+json;version=0.1")),
        ("version 0.2", media_type("application/vnd.dev.sigstore.bundle+json;version=0.2")),
        ("version 9.9", media_type("application/vnd.dev.sigstore.bundle.v9.9+json")),
        ("another kind", media_type("application/json")),
        ("no kind", no_kind),
        ("a message's signature", message),
        ("a chain where a certificate is due", chain),
    ];
    let signers = [verifier(&sigstore, WHO, SAYS)];
    let mut said: Vec<_> = cases
        .iter()
        .map(|(case, bundle)| without_hashes(&format!("{case}: {}", state(bundle, &signers))))
        .collect();
    // The same good bundle, where the trusted root says that its keys were those of another time.
    let root: Value = serde_json::from_str(&sigstore.trusted_root()).expect("JSON");
    let over = json!({ "start": "2025-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z" });
    let to_come = json!({ "start": "2026-01-03T00:00:00Z" });
    let keys = [
        "/tlogs/0/publicKey/validFor",
        "/certificateAuthorities/0/validFor",
        "/ctlogs/0/publicKey/validFor",
    ];
    for (key, (when, time)) in
        keys.iter().flat_map(|key| [("over", &over), ("to come", &to_come)].map(|time| (key, time)))
    {
        let root = with(&root, key, time.clone()).to_string();
        let state = state(&good, &[verifier_with(&root, WHO, SAYS)]);
        said.push(without_hashes(&format!("{key} {when}: {state}")));
    }
    insta::assert_snapshot!(said.join("\n"));
    assert!(!said.iter().any(|said| said.contains("verified")), "{said:#?}");
}

/// Text in which every hash is `HASH`.
fn without_hashes(text: &str) -> String {
    let word = |word: &str| if word.len() < 43 { word.to_owned() } else { "HASH".to_owned() };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn attestation_is_no_signature() {
    let (sigstore, good) = (Sigstore::default(), signed(&Sigstore::default()));
    let signers = [verifier(&sigstore, WHO, SAYS)];
    let mut both = good.clone();
    both["verificationMaterial"]["publicKey"] = json!({ "hint": "h" });
    assert!(matches!(state(&both, &signers), SignatureState::Unsupported { .. }));
    let statement = json!({ "subject": [{ "digest": { "sha256": digest().hex() } }], "predicateType": "https://slsa.dev/provenance/v1" });
    let payload = STANDARD.encode(statement.to_string());
    assert_eq!(
        state(&with(&good, "/dsseEnvelope/payload", json!(payload)), &signers),
        SignatureState::Unsigned
    );
}

/// A bundle with a certificate that is cut anywhere verifies nothing.
#[test]
fn cut_keyless_verifies_nothing() {
    let sigstore = Sigstore::default();
    let (text, signers) = (signed(&sigstore).to_string(), [verifier(&sigstore, WHO, SAYS)]);
    for end in 0..text.len() {
        let state =
            SignatureState::of(&reference(), &[attached(&text.as_bytes()[..end])], &signers);
        assert!(matches!(state, SignatureState::NotTrusted { .. }), "{end}: {state:?}");
    }
}

proptest! {
    #[test]
    fn altered_bundle_verifies_same(at: prop::sample::Index, letter in 0x20_u8..0x7f) {
        let sigstore = Sigstore::default();
        let mut text = signed(&sigstore).to_string().into_bytes();
        let at = at.index(text.len());
        text[at] = letter;
        let verified = SignatureState::of(&reference(), &[attached(&text)], &[verifier(&sigstore, WHO, SAYS)]);
        if let Some(by) = verified.signer() {
            let root = digest_of(sigstore.trusted_root().as_bytes());
            let expected = Signer::Identity { identity: WHO.to_owned(), issuer: SAYS.to_owned(), root };
            prop_assert_eq!(by, &expected);
        }
    }

    #[test]
    fn no_trusted_root_panics(bytes: Vec<u8>, cut: prop::sample::Index) {
        let rule = IdentityRule { identity: String::new(), issuer: String::new(), trusted_root: PathBuf::new() };
        prop_assert!(IdentityVerifier::new(&rule, &bytes).is_err());
        let root = Sigstore::default().trusted_root();
        prop_assert!(IdentityVerifier::new(&rule, &root.as_bytes()[..cut.index(root.len())]).is_err());
    }
}

/// Returns the folder of the bundles that the verifier's own tests have, which the real Sigstore
/// made. They lie in its sources, which cargo has wherever this is built.
fn real_bundles() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    cargo.args(["metadata", "--format-version", "1", "--offline", "--filter-platform", &platform]);
    let output = cargo.output().expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let metadata: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    let packages = metadata["packages"].as_array().expect("packages");
    let verifier = packages
        .iter()
        .find(|package| package["name"] == "sigstore-verify")
        .expect("it is built with");
    let manifest = PathBuf::from(verifier["manifest_path"].as_str().expect("a path"));
    manifest.parent().expect("a folder").join("test_data")
}

/// Returns the SHA-256 in the statement of a bundle, if it has one.
fn subject(bundle: &Bundle) -> Option<Sha256Hash> {
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else { return None };
    let statement: Value = serde_json::from_slice(envelope.payload.as_bytes()).ok()?;
    Sha256Hash::from_hex(statement["subject"][0]["digest"]["sha256"].as_str()?).ok()
}

/// By which trusted root a bundle is verified, and why not by the last that was tried.
fn verdict(path: &Path, of: Option<Sha256Hash>, roots: &[(String, TrustedRoot)]) -> Option<String> {
    let bundle = Bundle::from_json(&std::fs::read_to_string(path).ok()?).ok()?;
    let artifact = of.or_else(|| subject(&bundle))?;
    let policy = VerificationPolicy::any_identity();
    let verify = |root: &TrustedRoot| {
        SigstoreVerifier::new(root).and_then(|verifier| verifier.verify(artifact, &bundle, &policy))
    };
    let by = roots.iter().find(|(_, root)| verify(root).is_ok());
    Some(by.map_or_else(|| "refused".to_owned(), |(name, _)| format!("verified by {name}")))
}

#[test]
fn real_sigstore_bundles_verify() {
    crate::trust::signature::ring_provider::install();
    let folder = real_bundles();
    let embedded =
        [SigstoreInstance::PublicGood, SigstoreInstance::Staging, SigstoreInstance::GitHub];
    let embedded = embedded.map(|instance| {
        (format!("{instance:?}"), TrustedRoot::from_embedded(instance).expect("a root"))
    });
    let given =
        ["sct-multi-intermediate/staging_trusted_root.json", "timestamps/valid_trusted_root.json"]
            .map(|file| (file.to_owned(), TrustedRoot::from_file(folder.join(file)).expect(file)));
    let roots = [embedded.as_slice(), given.as_slice()].concat();
    let mut verdicts = Vec::new();
    for of in [
        "bundles",
        "upstream/sigstore-python",
        "sct-multi-intermediate",
        "invalid-ct-key_fail",
        "timestamps",
    ] {
        for entry in std::fs::read_dir(folder.join(of)).expect(of) {
            let path = entry.expect("readable").path();
            let name = format!("{of}/{}", path.file_name().unwrap_or_default().to_string_lossy());
            let Some(said) = verdict(&path, None, &roots) else { continue };
            let other = verdict(&path, Some(Sha256Hash::new([0; 32])), &roots);
            assert_eq!(other.as_deref(), Some("refused"), "{name} of something else");
            verdicts.push(format!("{name}: {said}"));
        }
    }
    verdicts.sort();
    insta::assert_snapshot!(verdicts.join("\n"));
}
