//! Signers: the owner of a key, or the identity in a certificate.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use core_types::{Digest, IdentityRule, SignerRule};
use private_files::read_private;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

use crate::oci::blob::digest_of;

/// The largest file of a key or of a trusted root, in bytes: keys have some hundreds, and the
/// public Sigstore has some ten thousand.
pub(crate) const MAX_SIZE: u64 = 1 << 20;

/// A verified signer.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Returns the owner of a public key in PEM.
    pub fn of_key(pem: &[u8]) -> Option<Self> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).ok()?;
        Some(Self::Key { key: digest_of(der.as_ref()) })
    }

    /// Returns whether it is the same signer, whichever trusted root verified that.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Identity { identity, issuer, .. },
                Self::Identity { identity: who, issuer: says, .. },
            ) => identity == who && issuer == says,
            _ => self == other,
        }
    }

    /// Returns whether a rule means this signer, by the key or the trusted root in its file.
    pub(crate) fn is_meant_by(&self, rule: &SignerRule) -> bool {
        match rule {
            SignerRule::KeyFile(file) => {
                read_private(Path::new(file), MAX_SIZE)
                    .ok()
                    .and_then(|pem| Self::of_key(&pem))
                    .as_ref()
                    == Some(self)
            }
            SignerRule::Identity(rule) => self.is_identity(rule),
        }
    }

    /// Looks at the file that a rule names, and returns its path with whether it can be used.
    pub(crate) fn check_rule(rule: &SignerRule) -> (PathBuf, io::Result<()>) {
        let invalid = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason);
        match rule {
            SignerRule::KeyFile(file) => {
                let is_key = |pem: Vec<u8>| {
                    Self::of_key(&pem)
                        .map(drop)
                        .ok_or_else(|| invalid("it has no public key in PEM"))
                };
                (file.into(), read_private(Path::new(file), MAX_SIZE).and_then(is_key))
            }
            SignerRule::Identity(IdentityRule { trusted_root, .. }) => {
                let is_root = |json: Vec<u8>| {
                    Ok(serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&json)
                        .map(drop)?)
                };
                (trusted_root.clone(), read_private(trusted_root, MAX_SIZE).and_then(is_root))
            }
        }
    }

    /// Returns whether this is the identity that a rule means.
    pub(crate) fn is_identity(&self, rule: &IdentityRule) -> bool {
        let Self::Identity { identity, issuer, root } = self else { return false };
        let of_rule =
            || read_private(&rule.trusted_root, MAX_SIZE).ok().map(|json| digest_of(&json));
        *identity == rule.identity && *issuer == rule.issuer && of_rule().as_ref() == Some(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    /// The example of <https://www.rfc-editor.org/rfc/rfc8410#section-10.1>.
    const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

    /// A key that everybody can replace is everybody's.
    #[test]
    fn shared_key_file_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), KEY).expect("written");
        let rule = SignerRule::KeyFile(file.path().display().to_string());
        let signer = Signer::of_key(KEY.as_bytes()).expect("a key");
        assert!(signer.is_meant_by(&rule) && Signer::check_rule(&rule).1.is_ok());
        fs::set_permissions(file.path(), Permissions::from_mode(0o666)).expect("set");
        assert!(!signer.is_meant_by(&rule) && Signer::check_rule(&rule).1.is_err());
        #[cfg(feature = "registry")]
        assert!(crate::trust::trusted_signer::TrustAnchor::from_rule(&rule).is_err());
    }
}
