//! Trust: signers, trusted signers, and the signers that are pinned on first use.
//!
//! [`Signer`] is a verified signer, [`SignatureState`] the result of a check. The user's trusted
//! signers lie in `trust.toml`, the signer that a repository had first is pinned in the state
//! directory, and `signature` verifies the signatures themselves.

pub(crate) mod check_signer;
pub(crate) mod check_transport;
mod note_signature;
mod pin_signer;
mod release_age;
#[cfg(feature = "registry")]
pub(crate) mod signature;
pub(crate) mod signature_state;
pub(crate) mod signer;
pub(crate) mod signer_pin;
pub(crate) mod trusted_signer;
mod trusted_signers;

pub use check_signer::{SignedArtifact, SignerError};
pub use check_transport::{InsecureTransport, TransportError};
pub use note_signature::NoteSignatureError;
pub use signature_state::SignatureState;
pub use signer::Signer;
pub use signer_pin::{Evidence, FirstSigner, PinnedSigner, SignatureRefusal};
pub use trusted_signer::{TrustAnchor, TrustError, TrustedSigner};
pub use trusted_signers::ChangeTrustError;
