//! Signers that a user named.

use core_types::OciReference;
use extension_depot::{SignerProof, TrustedSigner};

use crate::install::InstallError;
use crate::installer::Installer;

impl Installer<'_> {
    /// Trusts a signer for the repository of a reference from now on.
    pub(crate) fn trust(
        &self,
        reference: &OciReference,
        proof: &SignerProof,
    ) -> Result<(), InstallError> {
        let place = reference.identity().to_string().parse()?;
        let signer = TrustedSigner { place, proof: proof.clone() };
        self.depot().trust(&signer).map_err(|error| InstallError::Trust(Box::new(error)))?;
        Ok(())
    }
}
