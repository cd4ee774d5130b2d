//! From a signer as the command line names it to one whose signatures can be verified.

use core_types::IdentityRule;
use extension_depot::TrustAnchor;

use crate::arguments::GivenSigner;
use crate::failure::Failure;

/// Reads the key or root of a given signer, and makes sure that their signatures could be verified.
pub fn proof(given: GivenSigner<'_>) -> Result<TrustAnchor, Failure> {
    match given {
        GivenSigner::Key(path) => Ok(TrustAnchor::from_key_file(path)?),
        GivenSigner::Identity { identity, issuer, trusted_root } => {
            let proof = TrustAnchor::Identity(IdentityRule {
                identity: identity.to_owned(),
                issuer: issuer.to_owned(),
                trusted_root: std::path::absolute(trusted_root)?,
            });
            proof.verifier()?;
            Ok(proof)
        }
    }
}
