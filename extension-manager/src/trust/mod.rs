//! Signatures: looking for them, whether they do, and trusting a signer from now on.

mod error;
mod evidence;
mod remember;
mod verify;

pub use error::EvidenceError;
pub use verify::{VerifiedSigner, VerifySignerError};
