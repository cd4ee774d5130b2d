//! Evidence about the signers of artifacts, and checks of it.

use core_types::{ExtensionName, OciReference};
use extension_depot::{
    Attachment, Evidence, SignatureState, SignedArtifact, SignerError, TrustAnchor, TrustError,
    Verifier, Verifiers,
};

use super::error::EvidenceError;
use crate::events::{Wait, Warning};
use crate::install::InstallError;
use crate::installer::Installer;

impl Installer<'_> {
    /// Looks up the signer of an artifact, among all signers who count for it. Local bytes do not
    /// have a registry to ask.
    ///
    /// # Errors
    /// When the trusted signers cannot be read. That a registry does not answer is a finding.
    pub(crate) fn look_up(
        &self,
        reference: &OciReference,
        wanted: Option<&TrustAnchor>,
    ) -> Result<Evidence, EvidenceError> {
        if reference.is_local() {
            return Ok(Evidence { signature: SignatureState::Unsigned, is_secure: false });
        }
        let signers = self.verifiers(reference, wanted)?;
        let work = self.registry().signature(reference, &signers);
        let signature = self.network.wait(self.events(), &Wait::Signatures(reference), work);
        let signature = signature.map_err(EvidenceError::Runtime)?;
        Ok(Evidence { signature, is_secure: self.registry().is_secure(reference) })
    }

    /// Looks up who signed something, and makes sure that it does: by policy, by the signer that
    /// the user wants, and by the signer of the first use.
    ///
    /// # Errors
    /// When it does not, or the required signer cannot be read.
    pub fn verify_signer(
        &self,
        name: &ExtensionName,
        reference: &OciReference,
        wanted: Option<&TrustAnchor>,
    ) -> Result<Evidence, InstallError> {
        let first = self.depot().first_use(&reference.identity())?;
        let evidence = self.look_up(reference, wanted)?;
        let signed = SignedArtifact { name: Some(name), reference, first: first.as_ref() };
        self.check_signer(signed, &evidence, wanted)?;
        Ok(evidence)
    }

    /// Returns the same for an extension of a bundle, by the signatures in the bundle.
    pub(crate) fn look_into(
        &self,
        reference: &OciReference,
        signatures: &[Attachment],
    ) -> Result<Evidence, EvidenceError> {
        let signers = self.verifiers(reference, None)?;
        let signature = SignatureState::of(reference, signatures, &signers);
        Ok(Evidence { signature, is_secure: false })
    }

    /// Makes sure that a signature does: by policy, by the signer that the user wants, and by the
    /// signer of the first use.
    pub(crate) fn check_signer(
        &self,
        artifact: SignedArtifact<'_>,
        evidence: &Evidence,
        wanted: Option<&TrustAnchor>,
    ) -> Result<(), SignerError> {
        self.depot().check_signature(artifact, &evidence.signature, self.config, wanted)
    }

    /// Returns every signer whose signature counts, with a warning for each whose signatures cannot
    /// be verified.
    fn verifiers(
        &self,
        reference: &OciReference,
        wanted: Option<&TrustAnchor>,
    ) -> Result<Vec<Verifier>, TrustError> {
        let Verifiers { usable, problems } =
            self.depot().verifiers(reference, self.config, wanted)?;
        for problem in problems {
            self.warn(&Warning::UnusableSigner(problem));
        }
        Ok(usable)
    }
}
