//! The part of a reference that pins it.

use std::fmt;

use crate::reference::digest::{Digest, DigestError};

/// The digest of a pinned reference: `algorithm:hex`.
///
/// Any algorithm and any number of digits parse, because references in documents are often
/// shortened; only what [`Provenance::digest`] accepts can be installed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Provenance {
    pub(super) algorithm: String,
    pub(super) hex: String,
}

impl Provenance {
    /// Returns the algorithm, such as `sha256`.
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// Returns the hexadecimal digits as written.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// Returns the digest, if it is a whole one.
    ///
    /// # Errors
    /// When digits are missing or the algorithm is not SHA-256.
    pub fn digest(&self) -> Result<Digest, DigestError> {
        self.to_string().parse()
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex)
    }
}
