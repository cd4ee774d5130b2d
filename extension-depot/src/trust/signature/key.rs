//! Public keys, as cosign and openssl write them.

use std::fmt;

use core_types::Digest;
use ed25519_dalek::{Signature, VerifyingKey};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519,
    RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest as _, Sha512};
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use crate::oci::blob::digest_of;

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The standard form (DER) of an ECDSA key over P-256, up to the key itself.
pub(crate) const ECDSA_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The same for Ed25519.
pub(crate) const ED25519_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// One of the ways in which a key may have signed.
#[derive(Clone, Copy)]
enum Algorithm {
    /// One that ring has.
    Ring(&'static dyn VerificationAlgorithm),
    /// Ed25519 over a hash, which is what cosign does with such keys
    /// ([RFC 8032](https://www.rfc-editor.org/rfc/rfc8032#section-5.1)).
    Ed25519Prehashed,
}

static FOR_P256: [Algorithm; 1] = [Algorithm::Ring(&ECDSA_P256_SHA256_ASN1)];
/// cosign hashes with SHA-256 in its classic form, and with SHA-384 in bundles.
static FOR_P384: [Algorithm; 2] =
    [Algorithm::Ring(&ECDSA_P384_SHA384_ASN1), Algorithm::Ring(&ECDSA_P384_SHA256_ASN1)];
static FOR_ED25519: [Algorithm; 2] = [Algorithm::Ring(&ED25519), Algorithm::Ed25519Prehashed];
static FOR_RSA: [Algorithm; 1] = [Algorithm::Ring(&RSA_PKCS1_2048_8192_SHA256)];

impl Algorithm {
    fn verifies(self, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ring(algorithm) => {
                UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok()
            }
            Self::Ed25519Prehashed => prehashed(key, message, signature).is_some(),
        }
    }
}

fn prehashed(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
    let signature = Signature::from_slice(signature).ok()?;
    key.verify_prehashed_strict(Sha512::new_with_prefix(message), None, &signature).ok()
}

/// A public key that can have signed something: ECDSA over P-256 or P-384, Ed25519, or RSA of 2048
/// to 8192 bits (PKCS #1 v1.5 with SHA-256, as cosign uses it).
#[derive(Clone)]
pub struct PublicKey {
    fingerprint: Digest,
    algorithms: &'static [Algorithm],
    raw: Vec<u8>,
}

/// Why a text is not a public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is not the PEM of a public key.
    #[error("not a public key in PEM (`-----BEGIN PUBLIC KEY-----`)")]
    NoKey,
    /// The key is of a kind that is not checked.
    #[error("it is a key of the kind {kind}, and not ECDSA over P-256 or P-384, Ed25519 or RSA")]
    Kind {
        /// The object identifier of the kind.
        kind: String,
    },
}

impl PublicKey {
    /// Reads a key from the text of its file.
    ///
    /// # Errors
    /// When there is none, or it is of another kind.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        Self::from_der(
            SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| KeyError::NoKey)?.as_ref(),
        )
    }

    pub(crate) fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| KeyError::NoKey)?;
        let curve = || key.algorithm.parameters_oid().ok();
        let algorithms: &'static [Algorithm] = match key.algorithm.oid {
            EC if curve() == Some(P256) => &FOR_P256,
            EC if curve() == Some(P384) => &FOR_P384,
            ED => &FOR_ED25519,
            RSA => &FOR_RSA,
            other => return Err(KeyError::Kind { kind: other.to_string() }),
        };
        let raw = key.subject_public_key.as_bytes().ok_or(KeyError::NoKey)?.to_vec();
        Ok(Self { fingerprint: digest_of(der), algorithms, raw })
    }

    /// Returns the digest of the key in its standard form (DER), by which it is known.
    pub fn fingerprint(&self) -> &Digest {
        &self.fingerprint
    }

    /// Returns whether this key made a signature over a message.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.algorithms.iter().any(|algorithm| algorithm.verifies(&self.raw, message, signature))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for PublicKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_keys_are_named() {
        let error = |pem: &str| PublicKey::from_pem(pem.as_bytes()).expect_err(pem).to_string();
        insta::assert_snapshot!(error("ssh-ed25519 AAAA"), @"not a public key in PEM (`-----BEGIN PUBLIC KEY-----`)");
        // A key over the curve secp256k1, which is not used for artifacts.
        let pem = "-----BEGIN PUBLIC KEY-----\nMFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEeb5mfvncu6xVoGKVzocLBwKb/NstzijZWfKBWxb4F5hIOtp3JqPEZV2k+/wOEQio/Re0SKaFVBmcR9CP+xDUuA==\n-----END PUBLIC KEY-----\n";
        insta::assert_snapshot!(error(pem), @"it is a key of the kind 1.2.840.10045.2.1, and not ECDSA over P-256 or P-384, Ed25519 or RSA");
        assert!(
            PublicKey::from_pem(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
                .is_err()
        );
    }
}
