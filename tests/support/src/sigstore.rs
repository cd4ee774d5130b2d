//! A Sigstore of our own: a certificate authority, a log of certificates and a log of signatures,
//! whose keys live as long as a test. Its bundles have the forms of the real one, and real cosign
//! verifies them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PublicKeyData, SanType, SerialNumber, SigningKey, date_time_ymd,
};
use serde_json::{Value, json};

use crate::digest::{hex, sha256};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const STATEMENT: &str = "application/vnd.in-toto+json";
/// Fulcio's extension for the issuer
/// (<https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md>).
const ISSUER: &[u64] = &[1, 3, 6, 1, 4, 1, 57264, 1, 8];
/// Signed certificate timestamps (RFC 6962).
const TIMESTAMPS: &[u64] = &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
/// 2026-01-02T00:00:00Z, the time of each signature. The logs and the authority are valid since the
/// day before.
const NOW: u64 = 1_767_312_000;

/// The authority and the logs, with their keys.
pub struct Sigstore {
    authority: CertifiedIssuer<'static, KeyPair>,
    certificate_log: KeyPair,
    signature_log: KeyPair,
    stranger: KeyPair,
}

/// A signature to make.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    /// The SHA-256 of the artifact's manifest, in hexadecimal digits.
    pub digest: &'a str,
    /// The signer's address.
    pub identity: &'a str,
    /// The identity provider that vouches for the signer.
    pub issuer: &'a str,
    /// The year in which the certificate is valid; it is signed in 2026.
    pub year: i32,
    /// Whether the log of certificates knows the certificate.
    pub is_logged: bool,
    /// The flaw, if it has one.
    pub flaw: Option<Flaw>,
}

/// A single flaw in a signature that is valid otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The timestamp in the certificate is signed by another log.
    CertificateTimestamp,
    /// The certificate is one to encipher with.
    KeyUsage,
    /// The certificate is that of a server.
    ExtendedKeyUsage,
    /// The certificate is that of an authority.
    Authority,
    /// The certificate does not have an identity.
    Nobody,
    /// The promise to log the signature is signed by another log.
    Promise,
    /// The log's checkpoint is signed by another log.
    Checkpoint,
    /// The log's checkpoint has another root.
    CheckpointRoot,
    /// The log's checkpoint has fewer entries than the proof.
    CheckpointSize,
    /// The entry is about another envelope.
    EntryEnvelope,
    /// The entry is about another statement.
    EntryStatement,
    /// The entry has another signature.
    EntrySignature,
    /// The entry has another certificate.
    EntryCertificate,
    /// The entry is of another kind.
    EntryKind,
    /// The entry is of an unknown version.
    EntryVersion,
    /// The envelope has the signature twice.
    TwoSignatures,
    /// The envelope claims another payload type.
    PayloadType,
}

impl Flaw {
    /// All flaws.
    pub const ALL: [Self; 17] = [
        Self::CertificateTimestamp,
        Self::KeyUsage,
        Self::ExtendedKeyUsage,
        Self::Authority,
        Self::Nobody,
        Self::Promise,
        Self::Checkpoint,
        Self::CheckpointRoot,
        Self::CheckpointSize,
        Self::EntryEnvelope,
        Self::EntryStatement,
        Self::EntrySignature,
        Self::EntryCertificate,
        Self::EntryKind,
        Self::EntryVersion,
        Self::TwoSignatures,
        Self::PayloadType,
    ];
}

impl<'a> Signing<'a> {
    /// Makes a signing without a flaw.
    pub fn of(digest: &'a str, identity: &'a str, issuer: &'a str) -> Self {
        Self { digest, identity, issuer, year: 2026, is_logged: true, flaw: None }
    }
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key")
}

impl Default for Sigstore {
    fn default() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "a certificate authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2036, 1, 1);
        let authority = CertifiedIssuer::self_signed(params, key()).expect("an authority");
        Self { authority, certificate_log: key(), signature_log: key(), stranger: key() }
    }
}

impl Sigstore {
    /// Returns the trusted root: the file with the keys of this Sigstore.
    pub fn trusted_root(&self) -> String {
        let since = json!({ "start": "2026-01-01T00:00:00Z" });
        let log = |key: &KeyPair| {
            let spki = key.subject_public_key_info();
            json!({
                "baseUrl": "https://log.example",
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(&spki), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since,
                },
                "logId": { "keyId": STANDARD.encode(sha256(&spki)) },
            })
        };
        let authority = json!({
            "subject": { "organization": "example", "commonName": "a certificate authority" },
            "uri": "https://authority.example",
            "certChain": { "certificates": [{ "rawBytes": STANDARD.encode(self.authority.der()) }] },
            "validFor": since,
        });
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(&self.signature_log)],
            "certificateAuthorities": [authority],
            "ctlogs": [log(&self.certificate_log)],
            "timestampAuthorities": [],
        });
        root.to_string()
    }

    /// Returns a bundle with a signature of an artifact.
    pub fn sign(&self, signing: Signing<'_>) -> Value {
        let key = key();
        let certificate = self.certificate(&key, signing);
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "digest": { "sha256": signing.digest }, "annotations": {} }],
            "predicateType": "https://sigstore.dev/cosign/sign/v1",
            "predicate": {},
        })
        .to_string();
        let kind = if signing.flaw == Some(Flaw::PayloadType) { "text/plain" } else { STATEMENT };
        let message = format!("DSSEv1 {} {kind} {} {statement}", kind.len(), statement.len());
        let signature =
            json!({ "sig": STANDARD.encode(key.sign(message.as_bytes()).expect("signed")) });
        let signatures =
            vec![signature; if signing.flaw == Some(Flaw::TwoSignatures) { 2 } else { 1 }];
        let envelope = json!({ "payload": STANDARD.encode(&statement), "payloadType": kind, "signatures": signatures });
        let entry = self.log_entry(&envelope, &statement, &certificate, signing.flaw);
        json!({
            "mediaType": BUNDLE,
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(&certificate) },
                "tlogEntries": [entry],
                "timestampVerificationData": {},
            },
            "dsseEnvelope": envelope,
        })
    }

    /// Issues a certificate for a key, with the promise of the log of certificates in it.
    fn certificate(&self, key: &KeyPair, signing: Signing<'_>) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.serial_number = Some(SerialNumber::from(1));
        params.subject_alt_names =
            vec![SanType::Rfc822Name(signing.identity.try_into().expect("ASCII"))];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        match signing.flaw {
            Some(Flaw::KeyUsage) => params.key_usages = vec![KeyUsagePurpose::KeyEncipherment],
            Some(Flaw::ExtendedKeyUsage) => {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]
            }
            Some(Flaw::Authority) => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            Some(Flaw::Nobody) => params.subject_alt_names.clear(),
            _ => {}
        }
        params.use_authority_key_identifier_extension = true;
        params.not_before = date_time_ymd(signing.year, 1, 1);
        params.not_after = date_time_ymd(signing.year, 12, 31);
        let issuer = [
            &[0x0c, u8::try_from(signing.issuer.len()).expect("short")],
            signing.issuer.as_bytes(),
        ]
        .concat();
        params.custom_extensions = vec![CustomExtension::from_oid_content(ISSUER, issuer)];
        let issue = |params: &CertificateParams| {
            params.signed_by(key, &self.authority).expect("a certificate")
        };
        if signing.is_logged {
            let before = issue(&params);
            let by = self.or_another(
                &self.certificate_log,
                signing.flaw == Some(Flaw::CertificateTimestamp),
            );
            let promise = self.certificate_promise(to_be_signed(before.der()), by);
            params.custom_extensions.push(CustomExtension::from_oid_content(TIMESTAMPS, promise));
        }
        issue(&params).der().to_vec()
    }

    /// Returns a list of one signed timestamp over a certificate without it (RFC 6962, section
    /// 3.2).
    fn certificate_promise(&self, certificate: &[u8], by: &KeyPair) -> Vec<u8> {
        let time = (NOW * 1000).to_be_bytes();
        let length = u32::try_from(certificate.len()).expect("short").to_be_bytes();
        let issuer = sha256(&self.authority.key().subject_public_key_info());
        let signed =
            [&[0, 0], &time[..], &[0, 1], &issuer, &length[1..], certificate, &[0, 0]].concat();
        let signature = by.sign(&signed).expect("signed");
        let log = sha256(&self.certificate_log.subject_public_key_info());
        let timestamp =
            [&[0], &log[..], &time, &[0, 0], &[4, 3], &with_length(&signature)].concat();
        let list = with_length(&with_length(&timestamp));
        assert!(list.len() < 0x80, "so short that its length is one byte");
        [&[0x04, u8::try_from(list.len()).expect("short")], &list[..]].concat()
    }

    /// Returns a key, or an untrusted one in its place.
    fn or_another<'a>(&'a self, key: &'a KeyPair, is_another: bool) -> &'a KeyPair {
        if is_another { &self.stranger } else { key }
    }

    /// Returns an entry of the log of signatures, which has one more.
    fn log_entry(
        &self,
        envelope: &Value,
        statement: &str,
        certificate: &[u8],
        flaw: Option<Flaw>,
    ) -> Value {
        let is = |other: Flaw| flaw == Some(other);
        let hash_of = |text: &str, is_wrong: bool| {
            hex(&sha256(if is_wrong { b"another" } else { text.as_bytes() }))
        };
        let certificate =
            if is(Flaw::EntryCertificate) { self.authority.der() } else { certificate };
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n",
            STANDARD.encode(certificate).as_bytes().chunks(64).fold(String::new(), |pem, line| {
                pem + std::str::from_utf8(line).expect("ASCII") + "\n"
            })
        );
        let body = json!({
            "apiVersion": if is(Flaw::EntryVersion) { "9.9.9" } else { "0.0.1" },
            "kind": if is(Flaw::EntryKind) { "helm" } else { "dsse" },
            "spec": {
                "envelopeHash": { "algorithm": "sha256", "value": hash_of(&envelope.to_string(), is(Flaw::EntryEnvelope)) },
                "payloadHash": { "algorithm": "sha256", "value": hash_of(statement, is(Flaw::EntryStatement)) },
                "signatures": [{
                    "signature": if is(Flaw::EntrySignature) { json!("AAAA") } else { envelope["signatures"][0]["sig"].clone() },
                    "verifier": STANDARD.encode(pem),
                }],
            },
        });
        let body = STANDARD.encode(body.to_string());
        let leaf = sha256(&[&[0], STANDARD.decode(&body).expect("ours").as_slice()].concat());
        let sibling = sha256(b"\0another entry");
        let root = sha256(&[&[1], leaf.as_slice(), &sibling].concat());
        let log = sha256(&self.signature_log.subject_public_key_info());
        let promise =
            json!({ "body": body, "integratedTime": NOW, "logID": hex(&log), "logIndex": 0 })
                .to_string();
        let promise = self
            .or_another(&self.signature_log, is(Flaw::Promise))
            .sign(promise.as_bytes())
            .expect("signed");
        json!({
            "logIndex": "0",
            "logId": { "keyId": STANDARD.encode(&log) },
            "kindVersion": {
                "kind": if is(Flaw::EntryKind) { "helm" } else { "dsse" },
                "version": if is(Flaw::EntryVersion) { "9.9.9" } else { "0.0.1" },
            },
            "integratedTime": NOW.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": STANDARD.encode(promise) },
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": STANDARD.encode(&root),
                "treeSize": "2",
                "hashes": [STANDARD.encode(&sibling)],
                "checkpoint": { "envelope": self.checkpoint(&root, &log, flaw) },
            },
            "canonicalizedBody": body,
        })
    }

    /// Returns the log's checkpoint, as a signed note.
    fn checkpoint(&self, root: &[u8], log: &[u8], flaw: Option<Flaw>) -> String {
        let root =
            if flaw == Some(Flaw::CheckpointRoot) { sha256(b"another") } else { root.to_vec() };
        let size = if flaw == Some(Flaw::CheckpointSize) { 1 } else { 2 };
        let text = format!("log.example - 1\n{size}\n{}\n", STANDARD.encode(root));
        let by = self.or_another(&self.signature_log, flaw == Some(Flaw::Checkpoint));
        let signature = by.sign(text.as_bytes()).expect("signed");
        format!("{text}\n— log.example {}\n", STANDARD.encode([&log[..4], &signature].concat()))
    }
}

/// Returns the signed part of a certificate.
fn to_be_signed(certificate: &[u8]) -> &[u8] {
    let (header, _) = header(certificate);
    let inner = &certificate[header..];
    let (header, length) = self::header(inner);
    &inner[..header + length]
}

/// Returns the lengths of a DER element's header and content.
fn header(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short @ 0..=0x7f => (2, usize::from(short)),
        long => {
            let count = usize::from(long & 0x7f);
            let length =
                der[2..2 + count].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            (2 + count, length)
        }
    }
}

/// Returns bytes behind their length in two bytes.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).expect("short").to_be_bytes(), bytes].concat()
}
