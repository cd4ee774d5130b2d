//! Pins the signers of repositories on first use.

use std::path::PathBuf;

use core_types::{ChangeKind, ChangeRecord, Identity, OciReference};
use private_files::FileError;

use crate::files::state_file::{self, StateFileError};
use crate::files::stored_file::{self, StoredFileError};
use crate::oci::blob::digest_of;
use crate::store::depot::Depot;
use crate::store::locked_depot::LockedDepot;
use crate::store::remove::remove_file;
use crate::trust::signer_pin::{Evidence, FirstSigner, PinnedSigner};

impl Depot {
    /// Who signed the first version that was installed from a repository.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn first_use(&self, repository: &Identity) -> Result<Option<PinnedSigner>, StateFileError> {
        state_file::read(&self.first_use_path(repository))
    }

    /// Returns every repository that something was installed from, and who signed first.
    ///
    /// # Errors
    /// When their directory cannot be read, or one of them cannot.
    pub fn first_uses(&self) -> Result<Vec<PinnedSigner>, StoredFileError> {
        let mut all: Vec<PinnedSigner> = stored_file::read_all(&self.places().first_uses())?;
        all.sort_by(|one, other| one.repository.cmp(&other.repository));
        Ok(all)
    }

    fn first_use_path(&self, repository: &Identity) -> PathBuf {
        self.places().first_use(&digest_of(repository.to_string().as_bytes()))
    }
}

impl LockedDepot<'_> {
    /// Forgets who signed first: the next version that is installed is the first again. Returns
    /// whether something was known.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn accept_signer(&self, repository: &Identity) -> Result<bool, FileError> {
        let is_known = remove_file(&self.first_use_path(repository))?;
        if is_known {
            let place = repository.to_string();
            self.note_change(ChangeRecord::of(ChangeKind::AcceptSigner, "", &place));
        }
        Ok(is_known)
    }

    /// Pins the signer and the transport, where that is news: the first time, when an unknown
    /// signer became known, and when TLS was used first. Local artifacts are left out: their
    /// identity is their bytes, so no other signer can follow.
    pub(crate) fn note_first_use(
        &self,
        reference: &OciReference,
        found: &Evidence,
    ) -> Result<(), StateFileError> {
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
        let first_use = PinnedSigner { repository: repository.clone(), signer, is_secure, since };
        state_file::write(&self.first_use_path(&repository), &first_use)
    }
}
