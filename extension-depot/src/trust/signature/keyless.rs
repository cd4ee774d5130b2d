//! Signatures by certificate ("keyless"): who signed showed an issuer who they are, and got a
//! certificate for a few minutes; a public log shows that they signed within them.
//!
//! The checks are those of [`sigstore-verify`](https://docs.rs/sigstore-verify), which passes the
//! cases of [sigstore-conformance](https://github.com/sigstore/sigstore-conformance): the chain up
//! to the authorities of the trusted root, the log of certificates, the log of signatures with its
//! proof of inclusion, the time, the signature and its subject. Nothing is fetched for it.

use core_types::{Digest, IdentityRule};
use sigstore_verify::crypto::parse_certificate_info;
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Bundle, Sha256Hash};
use sigstore_verify::{Error, VerificationPolicy, Verifier};

use crate::oci::blob::digest_of;
use crate::trust::signature::ring_provider;
use crate::trust::signer::Signer;

/// Verifies the signatures of one identity.
pub struct IdentityVerifier {
    identity: String,
    issuer: String,
    root: Digest,
    verifier: Verifier,
}

impl IdentityVerifier {
    /// Creates a verifier for a rule, with the content of its trusted root.
    ///
    /// # Errors
    /// When that is none.
    pub(crate) fn new(rule: &IdentityRule, trusted_root: &[u8]) -> Result<Self, String> {
        ring_provider::install();
        let json = std::str::from_utf8(trusted_root).map_err(|error| error.to_string())?;
        let root = TrustedRoot::from_json(json).map_err(|error| error.to_string())?;
        if root.certificate_authorities.is_empty() || root.tlogs.is_empty() {
            return Err("it has no certificate authority, or no log of signatures".to_owned());
        }
        let verifier = Verifier::new(&root).map_err(|error| error.to_string())?;
        let IdentityRule { identity, issuer, .. } = rule.clone();
        Ok(Self { identity, issuer, root: digest_of(trusted_root), verifier })
    }

    pub(crate) fn signer(&self) -> Signer {
        Signer::Identity {
            identity: self.identity.clone(),
            issuer: self.issuer.clone(),
            root: self.root,
        }
    }

    /// Returns whether this identity made the signature over an artifact. Identity and issuer are
    /// compared as a whole.
    pub(crate) fn verify(
        &self,
        signed: &SignedByCertificate,
        digest: &Digest,
    ) -> Result<(), Error> {
        let policy = VerificationPolicy::new(self.identity.as_str(), self.issuer.as_str());
        let digest = Sha256Hash::new(*digest.bytes());
        self.verifier.verify(digest, &signed.bundle, &policy).map(drop)
    }
}

/// A bundle with a certificate in it, of which nothing is believed yet.
pub(crate) struct SignedByCertificate {
    bundle: Bundle,
}

impl SignedByCertificate {
    /// Reads a bundle.
    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        let bundle = Bundle::from_json(std::str::from_utf8(json).ok()?).ok()?;
        bundle.signing_certificate()?;
        Some(Self { bundle })
    }

    /// Returns the identity and issuer in the certificate. They are not verified.
    pub(crate) fn claim(&self) -> Option<String> {
        let claims = parse_certificate_info(self.bundle.signing_certificate()?).ok()?;
        let short =
            |text: &str| text.chars().take(200).collect::<String>().escape_debug().to_string();
        Some(format!(
            "`{}` of `{}`",
            short(claims.identity.as_ref()?.as_str()),
            short(claims.issuer.as_deref()?)
        ))
    }
}
