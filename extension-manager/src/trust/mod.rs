//! Signatures: looking for them, whether they do, and trusting a signer from now on.

mod evidence;
mod remember;

pub use evidence::EvidenceError;
