//! Trust: who signs, whom the user trusts, and what a repository was signed by at first.
//!
//! [`Signer`] is who signed, [`SignatureState`] what is known of that. The user's trusted signers
//! lie in `trust.toml`, the signer that a repository had first is pinned in the state directory,
//! and `signature` verifies the signatures themselves.

pub(crate) mod release_age;
#[cfg(feature = "registry")]
pub(crate) mod signature;
pub(crate) mod signature_state;
pub(crate) mod signer;
pub(crate) mod signer_pin;
pub(crate) mod trusted_signers;

pub use signature_state::SignatureState;
pub use signer::Signer;
pub use signer_pin::{Evidence, FirstSigner, FirstUse, SignatureRefusal};
pub use trusted_signers::{SignerProof, TrustError, TrustedSigner};
