//! The trusted signers of an artifact, with their keys and trusted roots.

use std::io;
use std::path::{Path, PathBuf};

use core_types::{OciReference, SignerRule};
use private_files::{read_private, read_private_text, read_regular_text};

use crate::config::effective_config::EffectiveConfig;
use crate::store::depot::Depot;
use crate::trust::signature::key::{KeyError, PublicKey};
use crate::trust::signature::keyless::IdentityVerifier;
use crate::trust::signer::MAX_SIZE;
use crate::trust::trusted_signer::{TrustAnchor, TrustError};

/// Verifies the signatures of one signer.
pub enum Verifier {
    /// By a key.
    Key(PublicKey),
    /// By certificates.
    Identity(Box<IdentityVerifier>),
}

/// Why the signatures of a signer cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
    /// The file with their key or trusted root cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The key cannot be used.
    #[error("`{}` cannot be used as a key", path.display())]
    Key {
        /// Where it stands.
        path: PathBuf,
        /// Why not.
        source: KeyError,
    },
    /// The trusted root is none.
    #[error("`{}` cannot be used as a trusted root: {reason}", path.display())]
    Root {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

impl TrustAnchor {
    /// Returns the owner of the public key in a file.
    ///
    /// # Errors
    /// When it cannot be read, or is not a usable key.
    pub fn from_key_file(path: &Path) -> Result<Self, VerifierError> {
        let read_error = |source| VerifierError::Read { path: path.to_owned(), source };
        Self::from_pem(path, read_regular_text(path, MAX_SIZE).map_err(read_error)?)
    }

    fn from_pem(path: &Path, pem: String) -> Result<Self, VerifierError> {
        let key_error = |source| VerifierError::Key { path: path.to_owned(), source };
        let key = PublicKey::from_pem(pem.as_bytes()).map_err(key_error)?;
        Ok(Self::Key { pem, fingerprint: *key.fingerprint() })
    }

    /// Reads the signer of a rule of a policy.
    ///
    /// # Errors
    /// As [`TrustAnchor::from_key_file`], and when the file belongs to another user or everybody
    /// can write to it: a user who can replace a key that a policy names decides what the policy
    /// lets in.
    pub(crate) fn from_rule(rule: &SignerRule) -> Result<Self, VerifierError> {
        match rule {
            SignerRule::KeyFile(file) => {
                let path = Path::new(file);
                let read_error = |source| VerifierError::Read { path: path.to_owned(), source };
                Self::from_pem(path, read_private_text(path, MAX_SIZE).map_err(read_error)?)
            }
            SignerRule::Identity(rule) => Ok(Self::Identity(rule.clone())),
        }
    }

    /// What verifies their signatures.
    ///
    /// # Errors
    /// When the key cannot be used, or the trusted root cannot be read.
    pub fn verifier(&self) -> Result<Verifier, VerifierError> {
        match self {
            Self::Key { pem, .. } => PublicKey::from_pem(pem.as_bytes())
                .map(Verifier::Key)
                .map_err(|source| VerifierError::Key { path: PathBuf::from("trust.toml"), source }),
            Self::Identity(rule) => {
                let path = &rule.trusted_root;
                let read_error = |source| VerifierError::Read { path: path.clone(), source };
                let root = read_private(path, MAX_SIZE).map_err(read_error)?;
                let verifier = IdentityVerifier::new(rule, &root);
                verifier
                    .map(|verifier| Verifier::Identity(Box::new(verifier)))
                    .map_err(|reason| VerifierError::Root { path: path.clone(), reason })
            }
        }
    }
}

/// Those whose signatures count for something, and those who were meant to and cannot be verified.
pub struct Verifiers {
    /// Whose signatures count.
    pub usable: Vec<Verifier>,
    /// Why those of others do not.
    pub problems: Vec<VerifierError>,
}

impl Depot {
    /// Returns the verifiers of all signers that are trusted for a reference: `wanted`, those that
    /// policies name, and those that the user trusts.
    ///
    /// # Errors
    /// When the trusted signers cannot be read.
    pub fn verifiers(
        &self,
        reference: &OciReference,
        config: &EffectiveConfig,
        wanted: Option<&TrustAnchor>,
    ) -> Result<Verifiers, TrustError> {
        let mut proofs: Vec<_> = wanted.cloned().map(Ok).into_iter().collect();
        proofs.extend(config.signer_rules(reference).map(TrustAnchor::from_rule));
        proofs.extend(self.trusted_for(reference)?.into_iter().map(Ok));
        let (mut usable, mut problems) = (Vec::new(), Vec::new());
        for proof in proofs {
            match proof.and_then(|proof| proof.verifier()) {
                Ok(verifier) => usable.push(verifier),
                Err(error) => problems.push(error),
            }
        }
        Ok(Verifiers { usable, problems })
    }
}
