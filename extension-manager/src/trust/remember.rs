//! Signers that a user named.

use core_types::OciReference;
use extension_depot::{TrustAnchor, TrustedSigner};

use crate::install::InstallError;
use crate::installer::Installer;

impl Installer<'_> {
    /// Trusts a signer for the repository of a reference from now on.
    pub(crate) fn trust(
        &self,
        reference: &OciReference,
        proof: &TrustAnchor,
    ) -> Result<(), InstallError> {
        let place = reference.identity().to_string().parse()?;
        let signer = TrustedSigner { place, proof: proof.clone() };
        self.depot().lock()?.trust(&signer)?;
        Ok(())
    }
}
