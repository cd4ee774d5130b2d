//! Whom the user trusts, and who was there first.
//!
//! Trusted signers stand in `~/.config/pds/trust.toml`, a file of the user's. Who signed the first version of an extension that
//! was installed is remembered per repository: a later one by somebody else, or by nobody, is refused until the user says so.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use core_types::{Digest, Identity, OciPrefix, OciReference, TomlProblem, parse_toml};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::blob::{digest_of, read_plain_text};
use crate::depot::Depot;
use crate::depot_error::DepotError;
use crate::layout::FileError;
use crate::signature_state::SignatureState;
use crate::state_file::{self, StateFile};
use crate::user_config::UserConfig;

/// The largest file of a key or of trusted signers, in bytes.
const MAX_SIZE: u64 = 1 << 20;

/// Somebody whose signature counts for a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedSigner {
    /// For what comes from here.
    pub place: OciPrefix,
    /// The public key, in PEM.
    pub pem: String,
    /// The digest by which the key is known.
    pub fingerprint: Digest,
}

/// Why trusted signers cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read or written.
    #[error("cannot use `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What stands in it is wrong.
    #[error("the trusted signers in `{}` are wrong: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What, and where in the file.
        problem: TomlProblem,
    },
    /// A key is none.
    #[error("`{}` has no public key in PEM", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// Another process is at work.
    #[error(transparent)]
    Lock(#[from] crate::lock::LockError),
}

/// Who signed what was installed first from a repository, and how that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstUse {
    /// The repository.
    pub repository: String,
    /// Who signed.
    pub signer: FirstSigner,
    /// Since when, as RFC 3339 in UTC.
    pub since: String,
}

/// Who signed the first version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "signer")]
pub enum FirstSigner {
    /// Nobody.
    Nobody,
    /// Somebody whose key was not trusted, so that nothing but the hints is known.
    Unknown {
        /// The hints that the signatures gave.
        hints: Vec<String>,
    },
    /// The owner of this key.
    Key {
        /// Its digest.
        key: Digest,
    },
}

impl fmt::Display for FirstSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("unsigned"),
            Self::Unknown { .. } => f.write_str("signed by a key that was not trusted"),
            Self::Key { key } => write!(f, "signed by the key {key}"),
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
            SignatureState::Verified { key } => Self::Key { key: *key },
            SignatureState::NotTrusted { hints } => Self::Unknown { hints: hints.clone() },
            SignatureState::Unsupported { form } => Self::Unknown { hints: vec![form.clone()] },
            SignatureState::Unsigned | SignatureState::Unchecked { .. } => Self::Nobody,
        }
    }

    /// Whether what is found now can follow. Nobody can become somebody, an unknown one can become known, and that is all.
    fn allows(&self, now: &SignatureState) -> bool {
        match (self, now) {
            (Self::Nobody, _) => true,
            (Self::Unknown { .. }, SignatureState::Verified { .. }) => true,
            (Self::Unknown { hints: first }, SignatureState::NotTrusted { hints }) => {
                first.is_empty() || hints.iter().any(|hint| first.contains(hint))
            }
            (Self::Unknown { hints: first }, SignatureState::Unsupported { form }) => first.contains(form),
            (Self::Key { key: first }, SignatureState::Verified { key }) => first == key,
            (Self::Unknown { .. } | Self::Key { .. }, _) => false,
        }
    }
}

/// The digest by which a public key in PEM is known.
pub fn fingerprint_of(pem: &[u8]) -> Option<Digest> {
    SubjectPublicKeyInfoDer::from_pem_slice(pem).ok().map(|der| digest_of(der.as_ref()))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TrustFile {
    signer: Vec<SignerEntry>,
}

#[derive(Deserialize)]
struct SignerEntry {
    r#for: OciPrefix,
    key: String,
}

impl Depot {
    /// Everybody who is trusted, in the order of the file.
    ///
    /// # Errors
    /// When the file is there and cannot be used. Trust that cannot be read trusts nobody.
    pub fn trusted_signers(&self) -> Result<Vec<TrustedSigner>, TrustError> {
        let path = self.places().trust();
        let Some(text) = read_trust(&path)? else { return Ok(Vec::new()) };
        let content = |problem| TrustError::Content { path: path.clone(), problem };
        let file = parse_toml::<TrustFile>(&text).map_err(content)?.value;
        let signer = |SignerEntry { r#for: place, key: pem }: SignerEntry| {
            let fingerprint = fingerprint_of(pem.as_bytes()).ok_or_else(|| TrustError::NoKey { path: path.clone() })?;
            Ok(TrustedSigner { place, pem, fingerprint })
        };
        file.signer.into_iter().map(signer).collect()
    }

    /// Trusts a key for a place. Gives back whether that is new.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn trust(&self, signer: &TrustedSigner) -> Result<bool, TrustError> {
        let _lock = self.lock()?;
        if self.trusted_signers()?.iter().any(|known| is_same(known, signer)) {
            return Ok(false);
        }
        self.edit_trust(|tables| {
            let mut table = Table::new();
            table["for"] = value(signer.place.to_string());
            table["key"] = value(signer.pem.trim().to_owned() + "\n");
            tables.push(table);
        })?;
        Ok(true)
    }

    /// Trusts a key no longer, for one place or for all. Gives back whether it was trusted.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn distrust(&self, fingerprint: &Digest, place: Option<&OciPrefix>) -> Result<bool, TrustError> {
        let _lock = self.lock()?;
        let signers = self.trusted_signers()?;
        let goes = |signer: &TrustedSigner| {
            signer.fingerprint == *fingerprint && place.is_none_or(|place| signer.place == *place)
        };
        let going: Vec<_> = signers.iter().map(goes).collect();
        if !going.contains(&true) {
            return Ok(false);
        }
        self.edit_trust(|tables| {
            for at in (0..going.len()).rev().filter(|at| going[*at]) {
                tables.remove(at);
            }
        })?;
        Ok(true)
    }

    fn edit_trust(&self, edit: impl FnOnce(&mut ArrayOfTables)) -> Result<(), TrustError> {
        let path = self.places().trust();
        let text = read_trust(&path)?.unwrap_or_default();
        let mut document: DocumentMut = text.parse().unwrap_or_default();
        let tables = document.entry("signer").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        if let Some(tables) = tables.as_array_of_tables_mut() {
            edit(tables);
        }
        Self::write(path, document.to_string().as_bytes())
            .map_err(|FileError { path, source }| TrustError::Io { path, source })
    }

    /// Who signed the first version that was installed from a repository.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn first_use(&self, repository: &Identity) -> Result<Option<FirstUse>, DepotError> {
        Ok(state_file::read(&self.first_use_path(repository))?)
    }

    /// Every repository that something was installed from, and who signed first.
    pub fn first_uses(&self) -> Vec<FirstUse> {
        let entries = fs::read_dir(self.places().first_uses()).into_iter().flatten().flatten();
        let mut all: Vec<FirstUse> =
            entries.filter_map(|entry| state_file::read(&entry.path()).ok().flatten()).collect();
        all.sort_by(|one, other| one.repository.cmp(&other.repository));
        all
    }

    /// Forgets who signed first: the next version that is installed is the first again. Gives back whether something was known.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn accept_signer(&self, repository: &Identity) -> Result<bool, DepotError> {
        let _lock = self.lock()?;
        crate::removal::remove_file(&self.first_use_path(repository))
    }

    /// Remembers who signed, where that is news: the first time, and when somebody came to be known.
    pub(crate) fn note_signer(&self, reference: &OciReference, state: &SignatureState) -> Result<(), DepotError> {
        let repository = reference.identity();
        let signer = FirstSigner::of(state);
        let first = self.first_use(&repository)?;
        let is_news = first.as_ref().is_none_or(|first| first.signer != signer && signer != FirstSigner::Nobody);
        if !is_news {
            return Ok(());
        }
        let since = state_file::now();
        let first_use = FirstUse { repository: repository.to_string(), signer, since };
        Ok(state_file::write(&self.first_use_path(&repository), &first_use)?)
    }

    fn first_use_path(&self, repository: &Identity) -> PathBuf {
        self.places().first_use(&digest_of(repository.to_string().as_bytes()))
    }

    /// Makes sure that what is known of a signature does: that every policy and the user have the signer that they want, and that
    /// it is the one who was there first.
    ///
    /// # Errors
    /// [`DepotError::Signature`] with what was expected and what was found.
    pub fn check_signature(
        &self,
        reference: &OciReference,
        found: &SignatureState,
        config: &UserConfig,
        wanted: Option<&Digest>,
    ) -> Result<(), DepotError> {
        let repository = reference.identity();
        let required =
            |whom: String| SignatureRefusal::Required { repository: repository.clone(), whom, found: found.clone() };
        if let Some(wanted) = wanted.filter(|wanted| found.key() != Some(wanted)) {
            return Err(required(format!("the key {wanted}")).into());
        }
        if let Some(whom) = config.missing_signer(reference, found.key()) {
            return Err(required(whom).into());
        }
        match self.first_use(&repository)? {
            Some(first) if !first.signer.allows(found) => {
                Err(SignatureRefusal::Changed { repository, first: first.signer, found: found.clone() }.into())
            }
            _ => Ok(()),
        }
    }
}

fn is_same(one: &TrustedSigner, other: &TrustedSigner) -> bool {
    one.fingerprint == other.fingerprint && one.place == other.place
}

fn read_trust(path: &Path) -> Result<Option<String>, TrustError> {
    let io_error = |source| TrustError::Io { path: path.to_owned(), source };
    match read_plain_text(path, MAX_SIZE) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signs_can_become_known_and_not_become_another() {
        let key = |byte: u8| SignatureState::Verified { key: digest_of(&[byte]) };
        let unknown = |hint: &str| SignatureState::NotTrusted { hints: vec![hint.to_owned()] };
        let unchecked = SignatureState::Unchecked { reason: "it answers 500".to_owned() };
        let unsupported = SignatureState::Unsupported { form: "keyless".to_owned() };
        let all = [SignatureState::Unsigned, unknown("a"), unknown("b"), key(1), key(2), unchecked, unsupported];
        let allowed = |first: &SignatureState| -> Vec<_> {
            let first = FirstSigner::of(first);
            all.iter().enumerate().filter(|(_, now)| first.allows(now)).map(|(at, _)| at).collect()
        };
        assert_eq!(allowed(&all[0]), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(allowed(&all[1]), [1, 3, 4]);
        assert_eq!(allowed(&all[3]), [3]);
        assert_eq!(allowed(&all[6]), [3, 4, 6]);
    }
}
