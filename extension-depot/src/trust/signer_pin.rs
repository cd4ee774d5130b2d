//! Trust on first use: the signer that is pinned for a repository.
//!
//! The signer of the first installed version is pinned per repository: a later version that is
//! unsigned or has another signer is refused until the user accepts it. So is one that would come
//! without TLS after others came with it.

use std::fmt;

use core_types::{ExtensionName, Identity};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::files::state_file::StateFile;
use crate::trust::signature_state::SignatureState;
use crate::trust::signer::Signer;

/// The pinned signer of a repository, and whether anything of it came over TLS.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedSigner {
    /// The repository.
    pub repository: Identity,
    /// Who signed.
    pub signer: FirstSigner,
    /// Whether something was fetched from there over TLS, so that doing without is a step back.
    #[serde(default)]
    pub is_secure: bool,
    /// When it was pinned.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub since: Timestamp,
}

/// Who signed the first version.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "signer")]
pub enum FirstSigner {
    /// It was not signed.
    Nobody,
    /// An untrusted signer, of which only the hints are known.
    Unknown {
        /// The hints that the signatures gave.
        hints: Vec<String>,
    },
    /// A verified signer.
    #[serde(untagged)]
    Known(Signer),
}

impl fmt::Display for FirstSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("unsigned"),
            Self::Unknown { .. } => f.write_str("signed by an untrusted signer"),
            Self::Known(signer) => write!(f, "signed by {signer}"),
        }
    }
}

impl StateFile for PinnedSigner {
    const FORMAT: u32 = 1;
}

/// Why a signature does not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureRefusal {
    /// One is required.
    #[error("`{repository}` has to be signed by {whom}, and it is: {found}")]
    Required {
        /// The extension; nothing for a list.
        name: Option<ExtensionName>,
        /// The repository.
        repository: Identity,
        /// By whom.
        whom: String,
        /// The found signer.
        found: SignatureState,
    },
    /// It is another one than at first.
    #[error("the signer of `{repository}` changed: first {first}, now {found}")]
    Changed {
        /// The extension; nothing for a list.
        name: Option<ExtensionName>,
        /// The repository.
        repository: Identity,
        /// Who signed first.
        first: FirstSigner,
        /// The found signer.
        found: SignatureState,
    },
}

impl FirstSigner {
    pub(crate) fn of(state: &SignatureState) -> Self {
        match state {
            SignatureState::Verified { by } => Self::Known(by.clone()),
            SignatureState::NotTrusted { hints, .. } => Self::Unknown { hints: hints.clone() },
            SignatureState::Unsupported { form } => Self::Unknown { hints: vec![form.clone()] },
            SignatureState::Unsigned | SignatureState::Unchecked { .. } => Self::Nobody,
        }
    }

    /// Returns whether a newly found signer can follow. An unsigned repository can become signed,
    /// and an unknown signer known. Everything else is refused.
    pub(crate) fn allows(&self, now: &SignatureState) -> bool {
        match (self, now) {
            (Self::Nobody, _) => true,
            (Self::Unknown { .. }, SignatureState::Verified { .. }) => true,
            (Self::Unknown { hints: first }, SignatureState::NotTrusted { hints, .. }) => {
                first.is_empty() || hints.iter().any(|hint| first.contains(hint))
            }
            (Self::Unknown { hints: first }, SignatureState::Unsupported { form }) => {
                first.contains(form)
            }
            (Self::Known(first), SignatureState::Verified { by }) => first.is_same(by),
            (Self::Unknown { .. } | Self::Known(_), _) => false,
        }
    }
}

/// The checks of an artifact that is about to be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Who signed it.
    pub signature: SignatureState,
    /// Whether it came over TLS, or does not come from a registry at all.
    pub is_secure: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::blob::digest_of;

    fn identity(identity: &str, root: u8) -> SignatureState {
        let (identity, issuer) = (identity.to_owned(), "https://login".to_owned());
        SignatureState::Verified {
            by: Signer::Identity { identity, issuer, root: digest_of(&[root]) },
        }
    }

    /// The pinned signer can become known, and cannot become another.
    #[test]
    fn signer_becomes_known_not_other() {
        let key =
            |byte: u8| SignatureState::Verified { by: Signer::Key { key: digest_of(&[byte]) } };
        let unknown = |hint: &str| SignatureState::NotTrusted {
            hints: vec![hint.to_owned()],
            problems: Vec::new(),
        };
        let unchecked = SignatureState::Unchecked { reason: "it answers 500".to_owned() };
        let unsupported = SignatureState::Unsupported { form: "of another kind".to_owned() };
        let all = [
            SignatureState::Unsigned,
            unknown("a"),
            unknown("b"),
            key(1),
            key(2),
            unchecked,
            unsupported,
            identity("me", 1),
            identity("me", 2),
            identity("you", 1),
        ];
        let allowed = |first: &SignatureState| -> Vec<_> {
            let first = FirstSigner::of(first);
            all.iter().enumerate().filter(|(_, now)| first.allows(now)).map(|(at, _)| at).collect()
        };
        assert_eq!(allowed(&all[0]), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(allowed(&all[1]), [1, 3, 4, 7, 8, 9]);
        assert_eq!(allowed(&all[3]), [3]);
        assert_eq!(allowed(&all[6]), [3, 4, 6, 7, 8, 9]);
        assert_eq!(allowed(&all[7]), [7, 8], "whichever trusted root showed it");
    }

    #[test]
    fn what_is_remembered_is_read_back() {
        let all = [
            FirstSigner::Nobody,
            FirstSigner::Unknown { hints: vec!["a".to_owned()] },
            FirstSigner::of(&identity("me", 1)),
            FirstSigner::Known(Signer::Key { key: digest_of(b"key") }),
        ];
        for signer in all {
            let text = serde_json::to_string(&signer).expect("written");
            assert_eq!(serde_json::from_str::<FirstSigner>(&text).expect(&text), signer, "{text}");
        }
        let older = format!(r#"{{"signer":"key","key":"{}"}}"#, digest_of(b"key"));
        let key = FirstSigner::Known(Signer::Key { key: digest_of(b"key") });
        assert_eq!(
            serde_json::from_str::<FirstSigner>(&older).expect("as it was written before"),
            key
        );
    }
}
