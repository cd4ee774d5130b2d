//! Secret keys: plain PKCS #8, and as cosign encrypts it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::{Aead, KeyInit};
use crypto_secretbox::{Key, Nonce, XSalsa20Poly1305};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

use crate::trust::signature::key::{ECDSA_PREFIX, ED25519_PREFIX, PublicKey};

/// A key to sign with: ECDSA over P-256, as `trust keygen` and cosign make it, or Ed25519.
///
/// Of the secret part nothing is shown, not even for debugging.
pub struct SecretKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Why a text is not a key to sign with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretKeyError {
    /// It is none of the forms that are read.
    #[error("not a private key in PEM: PKCS #8, or as cosign encrypts it")]
    NoKey,
    /// It is encrypted, and no password was given.
    #[error("it is encrypted, and no password was given")]
    NoPassword,
    /// The password does not open it.
    #[error("the password does not decrypt it")]
    WrongPassword,
    /// The system's random numbers fail.
    #[error("signing failed")]
    Signing,
    /// It is of a kind that is not signed with.
    #[error("not an ECDSA key over P-256 or an Ed25519 key")]
    Kind,
}

/// What says that a key is encrypted as cosign does it.
const ENCRYPTED: [&str; 2] = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];
/// What cosign calls the two algorithms.
const SCRYPT: &str = "scrypt";
const SECRET_BOX: &str = "nacl/secretbox";
/// The most work to open a key: above it a file could take minutes and gigabytes.
const MAX_WORK: u32 = 1 << 20;
/// The work for new keys, which is what cosign takes: 64 MiB and a tenth of a second. It refuses
/// any but a few.
const WORK: Work = Work { n: 1 << 16, r: 8, p: 1 };
/// The bytes of the key that a password becomes.
const DERIVED: usize = 32;

#[derive(Serialize, Deserialize)]
struct Encrypted {
    kdf: Derivation,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Derivation {
    name: String,
    params: Work,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct Work {
    #[serde(rename = "N")]
    n: u32,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

impl SecretKey {
    /// Returns whether the text of a key says that it is encrypted.
    pub fn is_encrypted(pem: &[u8]) -> bool {
        let text = String::from_utf8_lossy(pem);
        ENCRYPTED.iter().any(|label| text.contains(label))
    }

    /// Reads a key from the text of its file.
    ///
    /// # Errors
    /// When there is none, it is of another kind, or the password does not decrypt it.
    pub fn from_pem(pem: &[u8], password: Option<&[u8]>) -> Result<Self, SecretKeyError> {
        if Self::is_encrypted(pem) {
            return Self::from_pkcs8(&decrypted(pem, password.ok_or(SecretKeyError::NoPassword)?)?);
        }
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| SecretKeyError::NoKey)?;
        Self::from_pkcs8(der.secret_pkcs8_der())
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, SecretKeyError> {
        let random = SystemRandom::new();
        let (pair, prefix, raw) = if let Ok(pair) =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der, &random)
        {
            let raw = pair.public_key().as_ref().to_vec();
            (Pair::Ecdsa(pair), &ECDSA_PREFIX[..], raw)
        } else {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
                .map_err(|_| SecretKeyError::Kind)?;
            let raw = pair.public_key().as_ref().to_vec();
            (Pair::Ed25519(pair), &ED25519_PREFIX[..], raw)
        };
        let public =
            PublicKey::from_der(&[prefix, &raw].concat()).map_err(|_| SecretKeyError::Kind)?;
        Ok(Self { pair, public })
    }

    /// Returns the public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a message.
    ///
    /// # Errors
    /// When the system's random numbers fail.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SecretKeyError> {
        match &self.pair {
            Pair::Ecdsa(pair) => {
                let signed = pair
                    .sign(&SystemRandom::new(), message)
                    .map_err(|_| SecretKeyError::Signing)?;
                Ok(signed.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

/// Debug output never includes the secret.
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({}, <redacted>)", self.public.fingerprint())
    }
}

/// Encrypts PKCS #8 as cosign does, and returns the label and contents of the PEM. Nothing comes of
/// it where the system's random numbers fail.
pub(crate) fn encrypted(pkcs8: &[u8], password: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    let (mut salt, mut nonce) = ([0; 32], [0; 24]);
    let random = SystemRandom::new();
    random.fill(&mut salt).ok()?;
    random.fill(&mut nonce).ok()?;
    let key = derived(password, &salt, &WORK)?;
    let sealed = XSalsa20Poly1305::new(&Key::from(key)).encrypt(&Nonce::from(nonce), pkcs8).ok()?;
    let document = Encrypted {
        kdf: Derivation { name: SCRYPT.to_owned(), params: WORK, salt: STANDARD.encode(salt) },
        cipher: Cipher { name: SECRET_BOX.to_owned(), nonce: STANDARD.encode(nonce) },
        ciphertext: STANDARD.encode(sealed),
    };
    Some((ENCRYPTED[0], serde_json::to_vec(&document).ok()?))
}

/// Returns the key that a password becomes, by scrypt.
fn derived(password: &[u8], salt: &[u8], work: &Work) -> Option<[u8; DERIVED]> {
    let log_n = u8::try_from(work.n.ilog2()).ok()?;
    let params = scrypt::Params::new(log_n, work.r, work.p, DERIVED).ok()?;
    let mut key = [0; DERIVED];
    scrypt::scrypt(password, salt, &params, &mut key).ok()?;
    Some(key)
}

/// Opens what cosign encrypted: a key derived by scrypt, and NaCl's secret box.
fn decrypted(pem: &[u8], password: &[u8]) -> Result<Vec<u8>, SecretKeyError> {
    let text = String::from_utf8_lossy(pem);
    let body: String =
        text.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    let decode = |text: &str| STANDARD.decode(text).map_err(|_| SecretKeyError::NoKey);
    let Encrypted { kdf, cipher, ciphertext } =
        serde_json::from_slice(&decode(&body)?).map_err(|_| SecretKeyError::NoKey)?;
    let Work { n, r, p } = kdf.params;
    let is_bounded =
        n.is_power_of_two() && n <= MAX_WORK && (1..=32).contains(&r) && (1..=16).contains(&p);
    if kdf.name != SCRYPT || cipher.name != SECRET_BOX || !is_bounded {
        return Err(SecretKeyError::NoKey);
    }
    let key = derived(password, &decode(&kdf.salt)?, &kdf.params).ok_or(SecretKeyError::NoKey)?;
    let nonce: [u8; 24] = decode(&cipher.nonce)?.try_into().map_err(|_| SecretKeyError::NoKey)?;
    let opened = XSalsa20Poly1305::new(&Key::from(key))
        .decrypt(&Nonce::from(nonce), decode(&ciphertext)?.as_slice());
    opened.map_err(|_| SecretKeyError::WrongPassword)
}
