//! Who was there first.
//!
//! Who signed the first version of an extension that was installed is remembered per repository: a
//! later one by somebody else, or by nobody, is refused until the user says so. So is one that
//! would come without TLS after others came with it.

use std::fmt;
use std::path::{Path, PathBuf};

use core_types::{Identity, OciReference};
use serde::{Deserialize, Serialize};

use crate::config::user_config::UserConfig;
use crate::files::listing::names_in;
use crate::files::state_file::{self, StateFile};
use crate::oci::blob::digest_of;
use crate::store::depot::Depot;
use crate::store::depot_error::DepotError;
use crate::trust::signature_state::SignatureState;
use crate::trust::signer::Signer;
use crate::trust::trusted_signers::SignerProof;

/// Who signed what was installed first from a repository, and whether anything of it came over TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstUse {
    /// The repository.
    pub repository: String,
    /// Who signed.
    pub signer: FirstSigner,
    /// Whether something was fetched from there over TLS, so that doing without is a step back.
    #[serde(default)]
    pub is_secure: bool,
    /// Since when, as RFC 3339 in UTC.
    pub since: String,
}

/// Who signed the first version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "signer")]
pub enum FirstSigner {
    /// Nobody.
    Nobody,
    /// Somebody who was not trusted, so that nothing but the hints is known.
    Unknown {
        /// The hints that the signatures gave.
        hints: Vec<String>,
    },
    /// Somebody who was verified.
    #[serde(untagged)]
    Known(Signer),
}

impl fmt::Display for FirstSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("unsigned"),
            Self::Unknown { .. } => f.write_str("signed by somebody who was not trusted"),
            Self::Known(signer) => write!(f, "signed by {signer}"),
        }
    }
}

impl StateFile for FirstUse {
    const FORMAT: u32 = 1;
}

/// Why a signature does not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureRefusal {
    /// One is required.
    #[error("`{repository}` has to be signed by {whom}, and it is: {found}")]
    Required {
        /// The repository.
        repository: Identity,
        /// By whom.
        whom: String,
        /// What was found.
        found: SignatureState,
    },
    /// It is another one than at first.
    #[error("whoever signs `{repository}` has changed: first {first}; now {found}")]
    Changed {
        /// The repository.
        repository: Identity,
        /// Who signed first.
        first: FirstSigner,
        /// What was found.
        found: SignatureState,
    },
}

impl FirstSigner {
    fn of(state: &SignatureState) -> Self {
        match state {
            SignatureState::Verified { by } => Self::Known(by.clone()),
            SignatureState::NotTrusted { hints, .. } => Self::Unknown { hints: hints.clone() },
            SignatureState::Unsupported { form } => Self::Unknown { hints: vec![form.clone()] },
            SignatureState::Unsigned | SignatureState::Unchecked { .. } => Self::Nobody,
        }
    }

    /// Whether what is found now can follow. Nobody can become somebody, an unknown one can become
    /// known, and that is all.
    fn allows(&self, now: &SignatureState) -> bool {
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

/// What is known of something that is about to be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Who signed it.
    pub signature: SignatureState,
    /// Whether it came over TLS, or does not come from a registry at all.
    pub is_secure: bool,
}

impl Depot {
    /// Who signed the first version that was installed from a repository.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn first_use(&self, repository: &Identity) -> Result<Option<FirstUse>, DepotError> {
        Ok(state_file::read(&self.first_use_path(repository))?)
    }

    /// Every repository that something was installed from, and who signed first.
    ///
    /// # Errors
    /// When their directory cannot be read, or one of them cannot.
    pub fn first_uses(&self) -> Result<Vec<FirstUse>, DepotError> {
        let directory = self.places().first_uses();
        let mut all = Vec::new();
        for file in names_in(&directory)?
            .iter()
            .filter(|file| Path::new(file).extension() == Some("json".as_ref()))
        {
            all.extend(state_file::read::<FirstUse>(&directory.join(file))?);
        }
        all.sort_by(|one, other| one.repository.cmp(&other.repository));
        Ok(all)
    }

    /// Forgets who signed first: the next version that is installed is the first again. Gives back
    /// whether something was known.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn accept_signer(&self, repository: &Identity) -> Result<bool, DepotError> {
        let _lock = self.lock()?;
        crate::store::remove::remove_file(&self.first_use_path(repository))
    }

    /// Makes sure, under the lock, that the signer who was there first lets this one follow.
    ///
    /// # Errors
    /// [`DepotError::Signature`] when another process noted another signer since the decision.
    pub(crate) fn check_first_use(
        &self,
        reference: &OciReference,
        found: &Evidence,
    ) -> Result<(), DepotError> {
        let repository = reference.identity();
        check_first(self.first_use(&repository)?.as_ref(), repository, &found.signature)
    }

    /// Remembers who signed and how it came, where that is news: the first time, when somebody came
    /// to be known, and when TLS was used first. Local artifacts are left out: their identity is
    /// their bytes, so no other signer can follow.
    pub(crate) fn note_first_use(
        &self,
        reference: &OciReference,
        found: &Evidence,
    ) -> Result<(), DepotError> {
        if reference.is_local() {
            return Ok(());
        }
        let repository = reference.identity();
        let first = self.first_use(&repository)?;
        let signer = match (FirstSigner::of(&found.signature), &first) {
            (FirstSigner::Nobody, Some(first)) => first.signer.clone(),
            (signer, _) => signer,
        };
        let is_secure = found.is_secure || first.as_ref().is_some_and(|first| first.is_secure);
        if first.is_some_and(|first| first.signer == signer && first.is_secure == is_secure) {
            return Ok(());
        }
        let since = state_file::now();
        let first_use = FirstUse { repository: repository.to_string(), signer, is_secure, since };
        Ok(state_file::write(&self.first_use_path(&repository), &first_use)?)
    }

    fn first_use_path(&self, repository: &Identity) -> PathBuf {
        self.places().first_use(&digest_of(repository.to_string().as_bytes()))
    }

    /// Makes sure that something does not come without TLS after others of its repository came with
    /// it.
    ///
    /// # Errors
    /// [`DepotError::Insecure`]
    pub fn check_transport(
        &self,
        reference: &OciReference,
        is_secure: bool,
    ) -> Result<(), DepotError> {
        let repository = reference.identity();
        match self.first_use(&repository)? {
            Some(first) if first.is_secure && !is_secure => {
                Err(DepotError::Insecure { repository })
            }
            _ => Ok(()),
        }
    }

    /// Makes sure that what is known of a signature does: that every policy and the user have the
    /// signer that they want, and that it is the one who was there first, as the decision saw that.
    ///
    /// # Errors
    /// [`DepotError::Signature`] with what was expected and what was found.
    pub fn check_signature(
        &self,
        (reference, first): (&OciReference, Option<&FirstUse>),
        found: &SignatureState,
        config: &UserConfig,
        wanted: Option<&SignerProof>,
    ) -> Result<(), DepotError> {
        let repository = reference.identity();
        let is_wanted =
            |proof: &SignerProof| found.signer().is_some_and(|signer| proof.is_of(signer));
        if let Some(wanted) = wanted.filter(|wanted| !is_wanted(wanted)) {
            let (whom, found) = (wanted.to_string(), found.clone());
            return Err(SignatureRefusal::Required { repository, whom, found }.into());
        }
        self.check_required_signer(reference, found, config, wanted.is_some())?;
        check_first(first, repository, found)
    }

    /// Makes sure that every policy has the signer that it wants, as policies and trusted signers
    /// are now. `is_vouched_for` says that the user vouches for whoever signed.
    pub(crate) fn check_required_signer(
        &self,
        reference: &OciReference,
        found: &SignatureState,
        config: &UserConfig,
        is_vouched_for: bool,
    ) -> Result<(), DepotError> {
        if !config.wants_signature(reference) {
            return Ok(());
        }
        let trusted =
            self.trusted_for(reference).map_err(|error| DepotError::Trust(Box::new(error)))?;
        let is_trusted =
            |signer: &Signer| is_vouched_for || trusted.iter().any(|proof| proof.is_of(signer));
        match config.missing_signer(reference, found.signer(), &is_trusted) {
            Some(whom) => Err(SignatureRefusal::Required {
                repository: reference.identity(),
                whom,
                found: found.clone(),
            }
            .into()),
            None => Ok(()),
        }
    }
}

fn check_first(
    first: Option<&FirstUse>,
    repository: Identity,
    found: &SignatureState,
) -> Result<(), DepotError> {
    match first {
        Some(FirstUse { signer, .. }) if !signer.allows(found) => Err(SignatureRefusal::Changed {
            repository,
            first: signer.clone(),
            found: found.clone(),
        }
        .into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(identity: &str, root: u8) -> SignatureState {
        let (identity, issuer) = (identity.to_owned(), "https://login".to_owned());
        SignatureState::Verified {
            by: Signer::Identity { identity, issuer, root: digest_of(&[root]) },
        }
    }

    #[test]
    fn who_signs_can_become_known_and_not_become_another() {
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
