//! Verifies signers of artifacts that are installed or published already.

use core_types::OciReference;
use extension_depot::{
    Evidence, Installed, LockError, NoteSignatureError, SignatureState, StateFileError, TrustAnchor,
};
use jiff::Timestamp;

use crate::events::Wait;
use crate::install::InstallError;
use crate::installer::Installer;

/// The state of an installed extension's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSigner {
    /// The state; nothing if it was never checked.
    pub signature: Option<SignatureState>,
    /// When that was found, where it was not found just now.
    pub checked_at: Option<Timestamp>,
}

/// Why a signer is not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifySignerError {
    /// The record cannot be read.
    #[error(transparent)]
    Record(#[from] StateFileError),
    /// Another process holds the lock of all changes.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The signature cannot be noted.
    #[error(transparent)]
    Note(#[from] NoteSignatureError),
    /// The signature does not do, or cannot be looked for.
    #[error(transparent)]
    Signer(Box<InstallError>),
}

impl From<InstallError> for VerifySignerError {
    fn from(error: InstallError) -> Self {
        Self::Signer(Box::new(error))
    }
}

impl Installer<'_> {
    /// Verifies the signer of an installed extension. It is the one from the install; the registry
    /// is asked again, and the answer recorded, if a signer is required or present policies want
    /// another one.
    ///
    /// # Errors
    /// When the signer does not do, or the record cannot be read or written.
    pub fn verify_installed_signer(
        &self,
        installed: &Installed,
        wanted: Option<&TrustAnchor>,
    ) -> Result<VerifiedSigner, VerifySignerError> {
        let Installed { name, reference, artifact, .. } = installed;
        let is_enough = || self.depot().check_recorded_signature(installed, self.config).is_ok();
        if wanted.is_none() && is_enough() {
            let record = self.depot().record(name, &artifact.digest)?;
            let recorded = record.and_then(|record| record.signature);
            let (signature, checked_at) =
                recorded.map(|recorded| (recorded.state, recorded.checked_at)).unzip();
            return Ok(VerifiedSigner { signature, checked_at });
        }
        let evidence = self.verify_signer(name, reference, wanted)?;
        self.depot().lock()?.note_signature(installed, &evidence)?;
        Ok(VerifiedSigner { signature: Some(evidence.signature), checked_at: None })
    }

    /// Verifies the signer of something in a registry, which need not be an extension. Returns its
    /// pinned reference.
    ///
    /// # Errors
    /// When the registry does not have it, or the signer does not do.
    pub fn verify_reference(
        &self,
        reference: &OciReference,
        wanted: Option<&TrustAnchor>,
    ) -> Result<(OciReference, Evidence), InstallError> {
        let work = self.registry().resolve_signable(reference);
        let resolved = self.network.wait(self.events(), &Wait::Resolving(reference), work);
        let resolved = resolved.map_err(InstallError::Runtime)??;
        let name = resolved.default_name().unwrap_or_default();
        let evidence = self.verify_signer(&name, &resolved, wanted)?;
        Ok((resolved, evidence))
    }
}
