//! New keys to sign with.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

use crate::signature::ECDSA_PREFIX;

/// Why there is no new key.
#[derive(Debug, thiserror::Error)]
pub enum KeygenError {
    /// The system has no randomness.
    #[error("cannot make a key")]
    Random,
    /// A file is there already or cannot be written.
    #[error("cannot write the key `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Makes a key of ECDSA over P-256 and writes both halves, in PKCS #8 and as cosign and openssl write public keys. The
/// secret one is the user's alone (0600) and not encrypted. Files that are there stay.
///
/// # Errors
/// When a file is there or cannot be written.
pub fn generate_key(secret: &Path, public: &Path) -> Result<(), KeygenError> {
    let random = SystemRandom::new();
    let pkcs8 =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(|_| KeygenError::Random)?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random)
        .map_err(|_| KeygenError::Random)?;
    let mut der = ECDSA_PREFIX.to_vec();
    der.extend_from_slice(pair.public_key().as_ref());
    write_new(secret, 0o600, &pem("PRIVATE KEY", pkcs8.as_ref()))?;
    write_new(public, 0o644, &pem("PUBLIC KEY", &der))
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: String = text.as_bytes().chunks(64).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), KeygenError> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| KeygenError::Write { path: path.to_owned(), source })
}
