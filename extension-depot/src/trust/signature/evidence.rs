//! Verifies the signatures of an artifact.

use core_types::{Digest, OciReference};

use crate::oci::attachment::Attachment;
use crate::trust::signature::found::{Found, Signature};
use crate::trust::signature::keyless::SignedByCertificate;
use crate::trust::signature::verifier::Verifier;
use crate::trust::signature::{bundle, classic};
use crate::trust::signature_state::SignatureState;
use crate::trust::signer::Signer;

/// The most problems of one artifact's signatures that are reported: as many as a person reads.
const MAX_PROBLEMS: usize = 3;
/// The most signatures of one artifact that are read. Verifying costs a millisecond each.
pub(crate) const MAX_SIGNATURES: usize = 64;

impl SignatureState {
    /// Verifies the signatures among these attachments of an artifact, where these signers are
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
        for found in found.take(MAX_SIGNATURES) {
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
        problems.truncate(MAX_PROBLEMS);
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
    let claim = || signed.claim().unwrap_or_else(|| "no identity".to_owned());
    Err(problem.unwrap_or_else(|| format!("its certificate names {}", claim())))
}

impl Verifier {
    /// Returns the owner of the key, if that made a signature.
    fn of_key(&self, signature: &Signature) -> Option<Signer> {
        let Self::Key(key) = self else { return None };
        key.verifies(&signature.message, &signature.signature)
            .then(|| Signer::Key { key: *key.fingerprint() })
    }
}
