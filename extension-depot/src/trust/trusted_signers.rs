//! The trusted signers of the user: `~/.config/pds/trust.toml`.

use std::io;

use core_types::{ChangeKind, OciReference, parse_toml};
use private_files::{FileError, LinkedFile, ensure_not_link};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use crate::store::depot::Depot;
use crate::store::locked_depot::LockedDepot;
use crate::trust::trusted_signer::{TrustAnchor, TrustError, TrustFile, TrustedSigner, read_trust};

/// Why the trusted signers are not changed. They are as they were.
#[derive(Debug, thiserror::Error)]
pub enum ChangeTrustError {
    /// Their file cannot be read or written.
    #[error(transparent)]
    File(#[from] TrustError),
    /// Their file is a link, which is not replaced.
    #[error(transparent)]
    Linked(#[from] LinkedFile),
}

impl Depot {
    /// Everybody who is trusted, in the order of the file.
    ///
    /// # Errors
    /// When the file is there and cannot be used. An unreadable file trusts no signer.
    pub fn trusted_signers(&self) -> Result<Vec<TrustedSigner>, TrustError> {
        let path = self.places().trust();
        let Some(text) = read_trust(&path)? else { return Ok(Vec::new()) };
        let content = |problem| TrustError::Content { path: path.clone(), problem };
        let file = parse_toml::<TrustFile>(&text).map_err(content)?.value;
        file.signer.into_iter().map(|entry| entry.read(&path)).collect()
    }

    /// Returns the trust anchors that apply to `reference`.
    ///
    /// # Errors
    /// As [`Depot::trusted_signers`].
    pub(crate) fn trusted_for(
        &self,
        reference: &OciReference,
    ) -> Result<Vec<TrustAnchor>, TrustError> {
        let is_for_it =
            |signer: &TrustedSigner| signer.place.covers(reference.registry(), &reference.place());
        Ok(self
            .trusted_signers()?
            .into_iter()
            .filter(is_for_it)
            .map(|signer| signer.proof)
            .collect())
    }
}

impl LockedDepot<'_> {
    /// Adds a trusted signer. Returns whether it is new.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn trust(&self, signer: &TrustedSigner) -> Result<bool, ChangeTrustError> {
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
        self.note_trust_change(ChangeKind::Trust, signer);
        Ok(true)
    }

    /// Removes all matching trusted signers. Returns whether any matched.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn distrust(
        &self,
        is_meant: impl Fn(&TrustedSigner) -> bool,
    ) -> Result<bool, ChangeTrustError> {
        let known = self.trusted_signers()?;
        let going: Vec<_> = known.iter().map(is_meant).collect();
        if !going.contains(&true) {
            return Ok(false);
        }
        self.edit_trust(|tables| {
            for at in (0..going.len()).rev().filter(|at| going[*at]) {
                tables.remove(at);
            }
        })?;
        for (signer, _) in known.iter().zip(&going).filter(|(_, is_going)| **is_going) {
            self.note_trust_change(ChangeKind::Distrust, signer);
        }
        Ok(true)
    }

    fn edit_trust(&self, edit: impl FnOnce(&mut ArrayOfTables)) -> Result<(), ChangeTrustError> {
        let path = self.places().trust();
        ensure_not_link(&path)?;
        let text = read_trust(&path)?.unwrap_or_default();
        let io_error = |source| TrustError::Io { path: path.clone(), source };
        let invalid = |error| io_error(io::Error::new(io::ErrorKind::InvalidData, error));
        let mut document: DocumentMut = text.parse().map_err(invalid)?;
        edit(signers(&mut document).ok_or_else(|| io_error(io::ErrorKind::InvalidData.into()))?);
        let written = self.write(path, document.to_string().as_bytes());
        Ok(written.map_err(|FileError { path, source }| TrustError::Io { path, source })?)
    }
}

/// Returns the signers of a document as tables, whichever way they are written in it: `signer = [{
/// … }]` becomes `[[signer]]`.
fn signers(document: &mut DocumentMut) -> Option<&mut ArrayOfTables> {
    let written = document.remove("signer").unwrap_or_default();
    let is_empty = written.is_none() || written.as_array().is_some_and(Array::is_empty);
    let tables =
        if is_empty { ArrayOfTables::new() } else { written.into_array_of_tables().ok()? };
    document.insert("signer", Item::ArrayOfTables(tables));
    document.get_mut("signer")?.as_array_of_tables_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use core_types::{IdentityRule, OciPrefix};

    fn proof(identity: &str) -> TrustAnchor {
        let (identity, issuer) = (identity.to_owned(), "https://login.example".to_owned());
        TrustAnchor::Identity(IdentityRule {
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
            assert!(
                depot
                    .lock()
                    .expect("free")
                    .distrust(|signer| signer.proof.is_same(&proof("one")))
                    .expect("removed")
            );
            let place: OciPrefix = "ghcr.io/b".parse().expect("a place");
            assert!(
                depot
                    .lock()
                    .expect("free")
                    .trust(&TrustedSigner { place, proof: proof("three") })
                    .expect("added")
            );
            let left = depot.trusted_signers().expect("read");
            let left: Vec<_> =
                left.iter().map(|signer| format!("{} {}", signer.place, signer.proof)).collect();
            assert_eq!(left.len(), 2, "{left:?}");
            assert!(left[0].contains("two") && left[1].contains("three"), "{left:?}");
        }
        std::fs::write(&path, "signer = []\n").expect("written");
        let place: OciPrefix = "ghcr.io/b".parse().expect("a place");
        assert!(
            depot
                .lock()
                .expect("free")
                .trust(&TrustedSigner { place, proof: proof("one") })
                .expect("added")
        );
        assert_eq!(depot.trusted_signers().expect("read").len(), 1);
    }
}
