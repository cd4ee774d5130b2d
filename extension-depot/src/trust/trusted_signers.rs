//! Whom the user trusts: `~/.config/pds/trust.toml`, a file of the user's.

use std::io;
use std::path::{Path, PathBuf};

use core_types::{Digest, IdentityRule, OciPrefix, OciReference, TomlProblem, parse_toml};
use serde::Deserialize;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use crate::files::own_file::{self, LinkedFile, ensure_no_link};
use crate::store::depot::Depot;
use crate::store::layout::FileError;
use crate::trust::signer::{MAX_SIZE, Signer};

/// Somebody whose signature counts for a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedSigner {
    /// For what comes from here.
    pub place: OciPrefix,
    /// By what they are known.
    pub proof: SignerProof,
}

/// By what a signature is known to be somebody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerProof {
    /// By a key.
    Key {
        /// The public key, in PEM.
        pem: String,
        /// The digest by which the key is known.
        fingerprint: Digest,
    },
    /// By a certificate.
    Identity(IdentityRule),
}

impl SignerProof {
    /// A public key in PEM; nothing if it is none.
    pub fn of_key(pem: String) -> Option<Self> {
        match Signer::of_key(pem.as_bytes())? {
            Signer::Key { key } => Some(Self::Key { pem, fingerprint: key }),
            Signer::Identity { .. } => None,
        }
    }

    /// Whether it proves a signature to be this signer's.
    pub fn is_of(&self, signer: &Signer) -> bool {
        match (self, signer) {
            (Self::Key { fingerprint, .. }, Signer::Key { key }) => fingerprint == key,
            (Self::Identity(rule), signer) => signer.is_identity(rule),
            _ => false,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Key { fingerprint, .. }, Self::Key { fingerprint: other, .. }) => {
                fingerprint == other
            }
            _ => self == other,
        }
    }

    fn write_to(&self, table: &mut Table) {
        match self {
            Self::Key { pem, .. } => table["key"] = value(pem.trim().to_owned() + "\n"),
            Self::Identity(IdentityRule { identity, issuer, trusted_root }) => {
                table["identity"] = value(identity);
                table["issuer"] = value(issuer);
                table["trusted_root"] = value(trusted_root.display().to_string());
            }
        }
    }
}

/// The signer in a few words.
impl std::fmt::Display for SignerProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key { fingerprint, .. } => write!(f, "the key {fingerprint}"),
            Self::Identity(rule) => {
                write!(f, "`{}` of `{}`", rule.identity.escape_debug(), rule.issuer.escape_debug())
            }
        }
    }
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
    /// A signer is neither known by a key nor by a certificate, or by both.
    #[error(
        "a signer for `{place}` in `{}` has neither just a `key` nor just `identity`, `issuer` and `trusted_root`",
        path.display()
    )]
    Means {
        /// The file.
        path: PathBuf,
        /// Where the signer is to be trusted.
        place: OciPrefix,
    },
    /// A key is none.
    #[error("`{}` has no public key in PEM", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// Another process is at work.
    #[error(transparent)]
    Lock(#[from] crate::files::lock::LockError),
    /// The file is a link.
    #[error(transparent)]
    Linked(#[from] LinkedFile),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TrustFile {
    signer: Vec<SignerEntry>,
}

#[derive(Deserialize)]
struct SignerEntry {
    r#for: OciPrefix,
    key: Option<String>,
    identity: Option<String>,
    issuer: Option<String>,
    trusted_root: Option<PathBuf>,
}

impl SignerEntry {
    fn read(self, path: &Path) -> Result<TrustedSigner, TrustError> {
        let Self { r#for: place, key, identity, issuer, trusted_root } = self;
        let proof = match (key, identity, issuer, trusted_root) {
            (Some(pem), None, None, None) => SignerProof::of_key(pem)
                .ok_or_else(|| TrustError::NoKey { path: path.to_owned() })?,
            (None, Some(identity), Some(issuer), Some(trusted_root)) => {
                SignerProof::Identity(IdentityRule { identity, issuer, trusted_root })
            }
            _ => return Err(TrustError::Means { path: path.to_owned(), place }),
        };
        Ok(TrustedSigner { place, proof })
    }
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
        file.signer.into_iter().map(|entry| entry.read(&path)).collect()
    }

    /// By what those are known whom the user trusts for what a reference leads to.
    ///
    /// # Errors
    /// As [`Depot::trusted_signers`].
    pub fn trusted_for(&self, reference: &OciReference) -> Result<Vec<SignerProof>, TrustError> {
        let is_for_it =
            |signer: &TrustedSigner| signer.place.covers(reference.registry(), &reference.place());
        Ok(self
            .trusted_signers()?
            .into_iter()
            .filter(is_for_it)
            .map(|signer| signer.proof)
            .collect())
    }

    /// Trusts somebody for a place. Gives back whether that is new.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn trust(&self, signer: &TrustedSigner) -> Result<bool, TrustError> {
        let _lock = self.lock()?;
        let is_it = |known: &TrustedSigner| {
            known.place.is_same(&signer.place) && known.proof.is_same(&signer.proof)
        };
        if self.trusted_signers()?.iter().any(is_it) {
            return Ok(false);
        }
        self.edit_trust(|tables| {
            let mut table = Table::new();
            table["for"] = value(signer.place.to_string());
            signer.proof.write_to(&mut table);
            tables.push(table);
        })?;
        Ok(true)
    }

    /// Trusts those no longer who are meant. Gives back whether there was anybody.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn distrust(&self, is_meant: impl Fn(&TrustedSigner) -> bool) -> Result<bool, TrustError> {
        let _lock = self.lock()?;
        let going: Vec<_> = self.trusted_signers()?.iter().map(is_meant).collect();
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
        ensure_no_link(&path)?;
        let text = read_trust(&path)?.unwrap_or_default();
        let io_error = |source| TrustError::Io { path: path.clone(), source };
        let invalid = |error| io_error(io::Error::new(io::ErrorKind::InvalidData, error));
        let mut document: DocumentMut = text.parse().map_err(invalid)?;
        edit(signers(&mut document).ok_or_else(|| io_error(io::ErrorKind::InvalidData.into()))?);
        Self::write(path, document.to_string().as_bytes())
            .map_err(|FileError { path, source }| TrustError::Io { path, source })
    }
}

/// The signers of a document as tables, whichever way they are written in it: `signer = [{ … }]`
/// becomes `[[signer]]`.
fn signers(document: &mut DocumentMut) -> Option<&mut ArrayOfTables> {
    let written = document.remove("signer").unwrap_or_default();
    let is_empty = written.is_none() || written.as_array().is_some_and(Array::is_empty);
    let tables =
        if is_empty { ArrayOfTables::new() } else { written.into_array_of_tables().ok()? };
    document.insert("signer", Item::ArrayOfTables(tables));
    document.get_mut("signer")?.as_array_of_tables_mut()
}

fn read_trust(path: &Path) -> Result<Option<String>, TrustError> {
    match own_file::read_text(path, MAX_SIZE) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TrustError::Io { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(identity: &str) -> SignerProof {
        let (identity, issuer) = (identity.to_owned(), "https://login.example".to_owned());
        SignerProof::Identity(IdentityRule {
            identity,
            issuer,
            trusted_root: "/etc/root.json".into(),
        })
    }

    /// Signers that are written in one line are removed and added to like those in tables of their
    /// own.
    #[test]
    fn inline_signers_are_edited() {
        let directory = tempfile::tempdir().expect("a directory");
        let depot = Depot::new(crate::Places::below(directory.path()));
        let path = depot.places().trust();
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        let entry = |who: &str| {
            format!(
                r#"{{ for = "ghcr.io/a", identity = "{who}", issuer = "https://login.example", trusted_root = "/etc/root.json" }}"#
            )
        };
        for text in [
            format!("# mine\nsigner = [{}, {}] # both\n", entry("one"), entry("two")),
            format!(
                "signer = [\n  # first\n  {},\n  {}, # second\n]\n",
                entry("one"),
                entry("two")
            ),
        ] {
            std::fs::write(&path, text).expect("written");
            assert!(depot.distrust(|signer| signer.proof.is_same(&proof("one"))).expect("removed"));
            let place: OciPrefix = "ghcr.io/b".parse().expect("a place");
            assert!(depot.trust(&TrustedSigner { place, proof: proof("three") }).expect("added"));
            let left = depot.trusted_signers().expect("read");
            let left: Vec<_> =
                left.iter().map(|signer| format!("{} {}", signer.place, signer.proof)).collect();
            assert_eq!(left.len(), 2, "{left:?}");
            assert!(left[0].contains("two") && left[1].contains("three"), "{left:?}");
        }
        std::fs::write(&path, "signer = []\n").expect("written");
        let place: OciPrefix = "ghcr.io/b".parse().expect("a place");
        assert!(depot.trust(&TrustedSigner { place, proof: proof("one") }).expect("added"));
        assert_eq!(depot.trusted_signers().expect("read").len(), 1);
    }
}
