//! Who signs: the owner of a key, or whoever a certificate names.

use std::fmt;
use std::path::Path;

use core_types::{Digest, IdentityRule, SignerRule};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

use crate::blob::{digest_of, read_plain};

/// The largest file of a key or of a trusted root, in bytes.
pub(crate) const MAX_SIZE: u64 = 1 << 20;

/// Somebody who signed, as that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Signer {
    /// The owner of a key.
    Key {
        /// The digest of the public key in its standard form (DER), by which it is known.
        key: Digest,
    },
    /// Whoever showed an issuer who they are, and got a certificate for it ("keyless").
    Identity {
        /// Who they are: an address, or the URL of a workflow.
        identity: String,
        /// Who says so: the URL of an OpenID Connect issuer.
        issuer: String,
        /// The digest of the trusted root by which that was verified.
        root: Digest,
    },
}

/// The signer as the end of a sentence: "signed by …".
impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { key } => write!(f, "the key {key}"),
            Self::Identity { identity, issuer, .. } => {
                write!(f, "`{}` of `{}`", identity.escape_debug(), issuer.escape_debug())
            }
        }
    }
}

impl Signer {
    /// The owner of a public key in PEM.
    pub fn of_key(pem: &[u8]) -> Option<Self> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).ok()?;
        Some(Self::Key { key: digest_of(der.as_ref()) })
    }

    /// Whether it is the same somebody, by whichever trusted root that was verified.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Identity { identity, issuer, .. }, Self::Identity { identity: who, issuer: says, .. }) => {
                identity == who && issuer == says
            }
            _ => self == other,
        }
    }

    /// Whether this is whom a rule means: by the key or the trusted root that its file has now.
    pub fn is_meant_by(&self, rule: &SignerRule) -> bool {
        match rule {
            SignerRule::KeyFile(file) => {
                read_plain(Path::new(file), MAX_SIZE).ok().and_then(|pem| Self::of_key(&pem)).as_ref() == Some(self)
            }
            SignerRule::Identity(rule) => self.is_identity(rule),
        }
    }

    /// Whether this is the identity that a rule means.
    pub(crate) fn is_identity(&self, rule: &IdentityRule) -> bool {
        let Self::Identity { identity, issuer, root } = self else { return false };
        let of_rule = || read_plain(&rule.trusted_root, MAX_SIZE).ok().map(|json| digest_of(&json));
        *identity == rule.identity && *issuer == rule.issuer && of_rule().as_ref() == Some(root)
    }
}
