//! Who signed an artifact.
//!
//! The two forms that
//! [cosign](https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md) writes are read:
//! the classic one under the tag `sha256-HEX.sig`, and
//! [bundles](https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto) of
//! version 0.3 that refer to the artifact, signed by a key or by certificate. Neither needs a
//! network beyond fetching; a signature by a key needs no log. Classic signatures by certificate
//! are recognised and not supported.

pub(crate) mod bundle;
pub(crate) mod classic;
mod key;
mod keyless;
mod ring_provider;
mod secret_key;
mod verifier;

use core_types::{Digest, OciReference};
use keyless::SignedByCertificate;

pub(crate) use bundle::{
    BUNDLE, BUNDLE_0_3, PREDICATE_OF_BUNDLE, SIGN, STATEMENT, encoded, statement,
};
pub(crate) use classic::{LAYER as CLASSIC, SIGNATURE, claim};
pub(crate) use key::ECDSA_PREFIX;
pub use key::{KeyError, PublicKey};
pub use keyless::IdentityVerifier;
pub(crate) use secret_key::encrypted;
pub use secret_key::{SecretKey, SecretKeyError};
pub use verifier::{Verifier, VerifierError, Verifiers};

use crate::attachment::Attachment;
use crate::signature_state::SignatureState;
use crate::signer::Signer;

/// The most problems of one artifact's signatures that are told.
const MOST_PROBLEMS: usize = 3;
/// The most signatures of one artifact that are read.
pub(crate) const MOST_SIGNATURES: usize = 64;

impl SignatureState {
    /// What the signatures among these attachments of an artifact come to, where these signers are
    /// trusted.
    pub fn of(reference: &OciReference, attachments: &[Attachment], signers: &[Verifier]) -> Self {
        let digest = match reference.pinned_digest() {
            Ok(Some(digest)) => digest,
            _ => return Self::Unchecked { reason: "nothing is pinned to a digest".to_owned() },
        };
        let found = attachments.iter().flat_map(|attachment| {
            let classic = classic::signatures(attachment, reference, &digest);
            classic.into_iter().chain(bundle::signature(attachment, &digest))
        });
        let (mut hints, mut problems, mut unsupported, mut signed) =
            (Vec::new(), Vec::new(), None, false);
        for found in found.take(MOST_SIGNATURES) {
            match found {
                Found::ByKey(signature) => {
                    signed = true;
                    if let Some(by) = signers.iter().find_map(|signer| signer.of_key(&signature)) {
                        return Self::Verified { by };
                    }
                    hints.extend(signature.hint);
                }
                Found::ByCertificate(signature) => {
                    signed = true;
                    match verify_certificate(&signature, &digest, signers) {
                        Ok(by) => return Self::Verified { by },
                        Err(problem) => problems.push(problem),
                    }
                    hints.extend(signature.claim());
                }
                Found::Unusable => signed = true,
                Found::Unsupported(form) => unsupported = Some(form),
            }
        }
        problems.dedup();
        problems.truncate(MOST_PROBLEMS);
        match (signed, unsupported) {
            (true, _) => Self::NotTrusted { hints, problems },
            (false, Some(form)) => Self::Unsupported { form },
            (false, None) => Self::Unsigned,
        }
    }
}

/// Who of the trusted signers made a signature by certificate, or why it is none of theirs.
fn verify_certificate(
    signed: &SignedByCertificate,
    digest: &Digest,
    signers: &[Verifier],
) -> Result<Signer, String> {
    let mut problem = None;
    for signer in signers {
        let Verifier::Identity(identity) = signer else { continue };
        match identity.verify(signed, digest) {
            Ok(()) => return Ok(identity.signer()),
            Err(
                sigstore_verify::Error::IdentityMismatch { .. }
                | sigstore_verify::Error::IssuerMismatch { .. },
            ) => {}
            Err(error) => problem = Some(error.to_string()),
        }
    }
    let claim = || signed.claim().unwrap_or_else(|| "nobody".to_owned());
    Err(problem.unwrap_or_else(|| {
        format!("its certificate names {}, whom nothing says to trust", claim())
    }))
}

impl Verifier {
    /// The owner of the key, if that made a signature.
    fn of_key(&self, signature: &Signature) -> Option<Signer> {
        let Self::Key(key) = self else { return None };
        key.verifies(&signature.message, &signature.signature)
            .then(|| Signer::Key { key: *key.fingerprint() })
    }
}

/// Something that is there for a signature.
pub(crate) enum Found {
    /// A signature by a key over a message that says the right things about the artifact.
    ByKey(Signature),
    /// A signature by certificate over such a message.
    ByCertificate(Box<SignedByCertificate>),
    /// Something that should be one, and is broken or speaks of something else.
    Unusable,
    /// A form that is not checked.
    Unsupported(String),
}

/// A signature before any key has been tried.
pub(crate) struct Signature {
    /// What was signed.
    pub(crate) message: Vec<u8>,
    /// The signature itself.
    pub(crate) signature: Vec<u8>,
    /// What it says about its key.
    pub(crate) hint: Option<String>,
}

#[cfg(test)]
mod keyless_tests;
#[cfg(test)]
mod tests;
