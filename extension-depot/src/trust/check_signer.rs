//! Checks signatures and transport against policy, trusted signers and the pinned signer.

use core_types::{Identity, OciReference};

use crate::config::user_config::UserConfig;
use crate::store::depot::Depot;
use crate::store::depot_error::DepotError;
use crate::trust::signature_state::SignatureState;
use crate::trust::signer::Signer;
use crate::trust::signer_pin::{Evidence, FirstUse, SignatureRefusal};
use crate::trust::trusted_signer::SignerProof;

impl Depot {
    /// Makes sure, under the lock, that the signer who was there first lets this one follow.
    ///
    /// # Errors
    /// [`DepotError::Signature`] when another process noted another signer since the decision.
    pub(crate) fn check_first_use(
        &self,
        reference: &OciReference,
        found: &Evidence,
    ) -> Result<(), DepotError> {
        let repository = reference.identity();
        check_first(self.first_use(&repository)?.as_ref(), repository, &found.signature)
    }

    /// Checks that something does not come without TLS after others of its repository came with it.
    ///
    /// # Errors
    /// [`DepotError::Insecure`]
    pub fn check_transport(
        &self,
        reference: &OciReference,
        is_secure: bool,
    ) -> Result<(), DepotError> {
        let repository = reference.identity();
        check_secure(self.first_use(&repository)?.as_ref(), &repository, is_secure)
    }

    /// Checks a signature against policy, the wanted signer and the signer that is pinned, as the
    /// decision saw it.
    ///
    /// # Errors
    /// [`DepotError::Signature`] with the expected and the found signer.
    pub fn check_signature(
        &self,
        (reference, first): (&OciReference, Option<&FirstUse>),
        found: &SignatureState,
        config: &UserConfig,
        wanted: Option<&SignerProof>,
    ) -> Result<(), DepotError> {
        let repository = reference.identity();
        let is_wanted =
            |proof: &SignerProof| found.signer().is_some_and(|signer| proof.is_of(signer));
        if let Some(wanted) = wanted.filter(|wanted| !is_wanted(wanted)) {
            let (whom, found) = (wanted.to_string(), found.clone());
            return Err(SignatureRefusal::Required { repository, whom, found }.into());
        }
        self.check_required_signer(reference, found, config, wanted.is_some())?;
        check_first(first, repository, found)
    }

    /// Checks that every policy has the signer that it wants, as policies and trusted signers are
    /// now. `is_vouched_for` says that the user vouches for the signer.
    pub(crate) fn check_required_signer(
        &self,
        reference: &OciReference,
        found: &SignatureState,
        config: &UserConfig,
        is_vouched_for: bool,
    ) -> Result<(), DepotError> {
        if !config.wants_signature(reference) {
            return Ok(());
        }
        let trusted =
            self.trusted_for(reference).map_err(|error| DepotError::Trust(Box::new(error)))?;
        let is_trusted =
            |signer: &Signer| is_vouched_for || trusted.iter().any(|proof| proof.is_of(signer));
        match config.missing_signer(reference, found.signer(), &is_trusted) {
            Some(whom) => Err(SignatureRefusal::Required {
                repository: reference.identity(),
                whom,
                found: found.clone(),
            }
            .into()),
            None => Ok(()),
        }
    }
}

/// Refuses what came without TLS after others of its repository came with it.
pub(crate) fn check_secure(
    first: Option<&FirstUse>,
    repository: &Identity,
    is_secure: bool,
) -> Result<(), DepotError> {
    match first {
        Some(first) if first.is_secure && !is_secure => {
            Err(DepotError::Insecure { repository: repository.clone() })
        }
        _ => Ok(()),
    }
}

fn check_first(
    first: Option<&FirstUse>,
    repository: Identity,
    found: &SignatureState,
) -> Result<(), DepotError> {
    match first {
        Some(FirstUse { signer, .. }) if !signer.allows(found) => Err(SignatureRefusal::Changed {
            repository,
            first: signer.clone(),
            found: found.clone(),
        }
        .into()),
        _ => Ok(()),
    }
}
