//! New keys to sign with.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

use crate::files::output_directory::OutputDirectory;
use crate::trust::signature::key::ECDSA_PREFIX;
use crate::trust::signature::secret_key::encrypted;

/// Why a key was not created.
#[derive(Debug, thiserror::Error)]
pub enum KeygenError {
    /// The system's random numbers fail.
    #[error("cannot make a key")]
    Random,
    /// A file is there already or cannot be written.
    #[error("cannot write the key `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// Makes a key of ECDSA over P-256 and writes both halves. The secret one is the user's alone
/// (0600): PKCS #8, encrypted as cosign does it where there is a password. The public one is as
/// cosign and openssl write it. Files that are there stay.
///
/// # Errors
/// When a file is there or cannot be written. Then neither is written.
pub fn generate_key(
    secret: &Path,
    public: &Path,
    password: Option<&[u8]>,
) -> Result<(), KeygenError> {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
        .map_err(|_| KeygenError::Random)?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random)
        .map_err(|_| KeygenError::Random)?;
    let secret_text = match password {
        None => pem("PRIVATE KEY", pkcs8.as_ref()),
        Some(password) => {
            let (label, contents) =
                encrypted(pkcs8.as_ref(), password).ok_or(KeygenError::Random)?;
            pem(label, &contents)
        }
    };
    let mut der = ECDSA_PREFIX.to_vec();
    der.extend_from_slice(pair.public_key().as_ref());
    // The public half first: where it cannot be written, no secret key is left behind.
    write_new(public, 0o644, &pem("PUBLIC KEY", &der))?;
    write_new(secret, 0o600, &secret_text).inspect_err(|_| drop(fs::remove_file(public)))
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: String = text
        .as_bytes()
        .chunks(64)
        .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
        .collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), KeygenError> {
    let write = || -> io::Result<PathBuf> {
        let (directory, name) = OutputDirectory::of_file(path)?;
        directory.write_new(name, mode, text.as_bytes())
    };
    write().map(drop).map_err(|source| KeygenError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::signature::key::PublicKey;
    use crate::trust::signature::secret_key::{SecretKey, SecretKeyError};

    fn made(password: Option<&[u8]>) -> (Vec<u8>, Vec<u8>) {
        let directory = tempfile::tempdir().expect("a directory");
        let (secret, public) = (directory.path().join("a.key"), directory.path().join("a.pub"));
        generate_key(&secret, &public, password).expect("made");
        (fs::read(secret).expect("there"), fs::read(public).expect("there"))
    }

    #[test]
    fn keygen_encrypts_with_password() {
        let (secret, public) = made(Some(b"a password"));
        assert!(
            secret.starts_with(b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n")
                && SecretKey::is_encrypted(&secret)
        );
        let opened = SecretKey::from_pem(&secret, Some(b"a password")).expect("opened");
        let published = PublicKey::from_pem(&public).expect("a key");
        assert_eq!(opened.public().fingerprint(), published.fingerprint());
        let refused = |password: Option<&[u8]>| {
            SecretKey::from_pem(&secret, password).map(drop).expect_err("refused")
        };
        assert_eq!(refused(Some(b"another")), SecretKeyError::WrongPassword);
        assert_eq!(refused(None), SecretKeyError::NoPassword);
        let (plain, _) = made(None);
        assert!(!SecretKey::is_encrypted(&plain) && SecretKey::from_pem(&plain, None).is_ok());
    }

    /// One half that is there keeps both from being written, so that no half is left without the
    /// other.
    #[test]
    fn keygen_writes_both_or_none() {
        for there in ["a.key", "a.pub"] {
            let directory = tempfile::tempdir().expect("a directory");
            fs::write(directory.path().join(there), "mine").expect("written");
            let at = |name: &str| directory.path().join(name);
            let error = generate_key(&at("a.key"), &at("a.pub"), None).expect_err("refused");
            assert!(error.to_string().contains(there), "{error}");
            assert_eq!(fs::read(at(there)).expect("there"), b"mine");
            assert_eq!(fs::read_dir(directory.path()).expect("read").count(), 1, "{there}");
        }
    }
}
