//! What is known of who signed an artifact.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::trust::signer::Signer;

/// What is known of who signed an artifact. These are five things, and none of them counts as
/// another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum SignatureState {
    /// There is no signature.
    Unsigned,
    /// There are signatures, and none is one of somebody who is trusted over these bytes.
    NotTrusted {
        /// What the signatures say of who made them, which anybody can write.
        hints: Vec<String>,
        /// Why certificates were not believed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        problems: Vec<String>,
    },
    /// Somebody who is trusted signed these bytes.
    Verified {
        /// Who.
        #[serde(flatten)]
        by: Signer,
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
            Self::NotTrusted { problems, .. } if problems.is_empty() => {
                f.write_str("signed, not trusted")
            }
            Self::NotTrusted { problems, .. } => {
                write!(f, "signed, not trusted: {}", problems.join("; "))
            }
            Self::Verified { by } => write!(f, "verified, signed by {by}"),
            Self::Unsupported { form } => write!(f, "format not supported: {form}"),
            Self::Unchecked { reason } => write!(f, "could not check: {reason}"),
        }
    }
}

impl SignatureState {
    /// Who signed, if that was verified.
    pub fn signer(&self) -> Option<&Signer> {
        match self {
            Self::Verified { by } => Some(by),
            _ => None,
        }
    }
}
