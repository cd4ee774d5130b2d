//! The result of checking the signatures of an artifact.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::trust::signer::Signer;

/// The result of checking the signatures of an artifact. These are five, and none of them counts as
/// another.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum SignatureState {
    /// It is not signed.
    Unsigned,
    /// There are signatures, and none of a trusted signer over these bytes.
    NotTrusted {
        /// The signers that the signatures claim. Claims are not verified.
        hints: Vec<String>,
        /// Why certificates were not believed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        problems: Vec<String>,
    },
    /// A trusted signer signed these bytes.
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
