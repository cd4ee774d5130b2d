//! Why it is not known who signed something.

use std::io;

use extension_depot::TrustError;

/// Why it is not known who signed something.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The trusted signers cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// This machine cannot wait for a network.
    #[error(transparent)]
    Runtime(io::Error),
}
