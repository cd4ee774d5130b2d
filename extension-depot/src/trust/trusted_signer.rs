//! Trusted signers and their file.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use core_types::{Digest, IdentityRule, OciPrefix, TomlProblem};
use private_files::read_private_text;
use serde::Deserialize;
use toml_edit::{Table, value};

use crate::trust::signer::{MAX_SIZE, Signer};

/// A signer that is trusted for a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedSigner {
    /// The repositories of this place.
    pub place: OciPrefix,
    /// Its trust anchor.
    pub proof: TrustAnchor,
}

/// A trust anchor: the key or the identity of a signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustAnchor {
    /// By a key.
    Key {
        /// The public key, in PEM.
        pem: String,
        /// The digest by which the key is known.
        fingerprint: Digest,
    },
    /// By a certificate.
    Identity(IdentityRule),
}

impl TrustAnchor {
    /// Returns a public key in PEM; nothing if it is none.
    pub fn of_key(pem: String) -> Option<Self> {
        match Signer::of_key(pem.as_bytes())? {
            Signer::Key { key } => Some(Self::Key { pem, fingerprint: key }),
            Signer::Identity { .. } => None,
        }
    }

    /// Returns whether it proves a signature to be this signer's.
    pub fn is_of(&self, signer: &Signer) -> bool {
        match (self, signer) {
            (Self::Key { fingerprint, .. }, Signer::Key { key }) => fingerprint == key,
            (Self::Identity(rule), signer) => signer.is_identity(rule),
            _ => false,
        }
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Key { fingerprint, .. }, Self::Key { fingerprint: other, .. }) => {
                fingerprint == other
            }
            _ => self == other,
        }
    }

    pub(crate) fn write_to(&self, table: &mut Table) {
        match self {
            Self::Key { pem, .. } => table["key"] = value(pem.trim().to_owned() + "\n"),
            Self::Identity(IdentityRule { identity, issuer, trusted_root }) => {
                table["identity"] = value(identity);
                table["issuer"] = value(issuer);
                table["trusted_root"] = value(trusted_root.display().to_string());
            }
        }
    }
}

/// The signer in a few words.
impl fmt::Display for TrustAnchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { fingerprint, .. } => write!(f, "the key {fingerprint}"),
            Self::Identity(rule) => {
                write!(f, "`{}` of `{}`", rule.identity.escape_debug(), rule.issuer.escape_debug())
            }
        }
    }
}

/// Why trusted signers cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read or written.
    #[error("cannot use `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// What stands in it is wrong.
    #[error("the trusted signers in `{}` are wrong: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What, and where in the file.
        problem: TomlProblem,
    },
    /// A signer is neither known by a key nor by a certificate, or by both.
    #[error(
        "a signer for `{place}` in `{}` needs either `key`, or all of `identity`, `issuer` and `trusted_root`",
        path.display()
    )]
    Means {
        /// The file.
        path: PathBuf,
        /// Where the signer is to be trusted.
        place: OciPrefix,
    },
    /// A key is none.
    #[error("`{}` has no public key in PEM", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct TrustFile {
    pub(crate) signer: Vec<SignerEntry>,
}

#[derive(Deserialize)]
pub(crate) struct SignerEntry {
    r#for: OciPrefix,
    key: Option<String>,
    identity: Option<String>,
    issuer: Option<String>,
    trusted_root: Option<PathBuf>,
}

impl SignerEntry {
    pub(crate) fn read(self, path: &Path) -> Result<TrustedSigner, TrustError> {
        let Self { r#for: place, key, identity, issuer, trusted_root } = self;
        let proof = match (key, identity, issuer, trusted_root) {
            (Some(pem), None, None, None) => TrustAnchor::of_key(pem)
                .ok_or_else(|| TrustError::NoKey { path: path.to_owned() })?,
            (None, Some(identity), Some(issuer), Some(trusted_root)) => {
                TrustAnchor::Identity(IdentityRule { identity, issuer, trusted_root })
            }
            _ => return Err(TrustError::Means { path: path.to_owned(), place }),
        };
        Ok(TrustedSigner { place, proof })
    }
}

pub(crate) fn read_trust(path: &Path) -> Result<Option<String>, TrustError> {
    match read_private_text(path, MAX_SIZE) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TrustError::Io { path: path.to_owned(), source }),
    }
}
