//! Checks signatures against policy, trusted signers and the pinned signer.

use core_types::{ExtensionName, OciReference};

use crate::config::effective_config::EffectiveConfig;
use crate::store::depot::Depot;
use crate::trust::signature_state::SignatureState;
use crate::trust::signer::Signer;
use crate::trust::signer_pin::{PinnedSigner, SignatureRefusal};
use crate::trust::trusted_signer::{TrustAnchor, TrustError};

/// An artifact whose signature is checked.
#[derive(Debug, Clone, Copy)]
pub struct SignedArtifact<'a> {
    /// The extension that it is or becomes; nothing for a list.
    pub name: Option<&'a ExtensionName>,
    /// Its reference.
    pub reference: &'a OciReference,
    /// The first use of its repository, as the decision saw it.
    pub first: Option<&'a PinnedSigner>,
}

/// Why a signature is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The signer is not the expected one.
    #[error(transparent)]
    Refused(#[from] SignatureRefusal),
    /// The trusted signers cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl Depot {
    /// Checks a signature against policy, the wanted signer and the signer that is pinned, as the
    /// decision saw it.
    ///
    /// # Errors
    /// [`SignerError::Refused`] with the expected and the found signer.
    pub fn check_signature(
        &self,
        artifact: SignedArtifact<'_>,
        found: &SignatureState,
        config: &EffectiveConfig,
        wanted: Option<&TrustAnchor>,
    ) -> Result<(), SignerError> {
        let is_wanted =
            |proof: &TrustAnchor| found.signer().is_some_and(|signer| proof.is_of(signer));
        if let Some(wanted) = wanted.filter(|wanted| !is_wanted(wanted)) {
            return Err(artifact.required(wanted.to_string(), found).into());
        }
        self.check_required_signer(artifact, found, config, wanted.is_some())?;
        Ok(artifact.check_first_use(found)?)
    }

    /// Checks that every policy has the signer that it wants, as policies and trusted signers are
    /// now. `is_vouched_for` says that the user vouches for the signer.
    pub(crate) fn check_required_signer(
        &self,
        artifact: SignedArtifact<'_>,
        found: &SignatureState,
        config: &EffectiveConfig,
        is_vouched_for: bool,
    ) -> Result<(), SignerError> {
        let reference = artifact.reference;
        if !config.wants_signature(reference) {
            return Ok(());
        }
        let trusted = self.trusted_for(reference)?;
        let is_trusted =
            |signer: &Signer| is_vouched_for || trusted.iter().any(|proof| proof.is_of(signer));
        match config.missing_signer(reference, found.signer(), &is_trusted) {
            Some(whom) => Err(artifact.required(whom, found).into()),
            None => Ok(()),
        }
    }
}

impl SignedArtifact<'_> {
    /// Checks that the pinned signer lets this one follow.
    pub(crate) fn check_first_use(self, found: &SignatureState) -> Result<(), SignatureRefusal> {
        match self.first {
            Some(first) if !first.signer.allows(found) => Err(SignatureRefusal::Changed {
                name: self.name.cloned(),
                repository: self.reference.identity(),
                first: first.signer.clone(),
                found: found.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Returns the refusal of an artifact that has to have another signer.
    fn required(self, whom: String, found: &SignatureState) -> SignatureRefusal {
        SignatureRefusal::Required {
            name: self.name.cloned(),
            repository: self.reference.identity(),
            whom,
            found: found.clone(),
        }
    }
}
