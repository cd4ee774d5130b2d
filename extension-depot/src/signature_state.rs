//! What is known of who signed an artifact.

use std::fmt;

use core_types::Digest;
use serde::{Deserialize, Serialize};

/// What is known of who signed an artifact. These are five things, and none of them counts as another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum SignatureState {
    /// There is no signature.
    Unsigned,
    /// There are signatures, and none is one by a trusted key over these bytes.
    NotTrusted {
        /// The hints at keys that the signatures give, which anybody can write.
        hints: Vec<String>,
    },
    /// A trusted key signed these bytes.
    Verified {
        /// The digest of the public key in its standard form (DER), by which it is known.
        key: Digest,
    },
    /// There are signatures of a form that sesame does not check.
    Unsupported {
        /// Which.
        form: String,
    },
    /// It could not be found out.
    Unchecked {
        /// Why not.
        reason: String,
    },
}

impl fmt::Display for SignatureState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned => f.write_str("unsigned"),
            Self::NotTrusted { .. } => f.write_str("signed, not trusted"),
            Self::Verified { key } => write!(f, "verified, signed by the key {key}"),
            Self::Unsupported { form } => write!(f, "format not supported: {form}"),
            Self::Unchecked { reason } => write!(f, "could not check: {reason}"),
        }
    }
}

impl SignatureState {
    /// The key that signed, if that was verified.
    pub fn key(&self) -> Option<&Digest> {
        match self {
            Self::Verified { key } => Some(key),
            _ => None,
        }
    }
}
