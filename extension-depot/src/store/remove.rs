//! Removes extensions, with the blobs that only they needed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use core_types::{ChangeKind, ChangeRecord, ExtensionName, OciReference};
use private_files::{FileError, read_regular, remove_durably};

use crate::files::stored_file::StoredFileError;
use crate::manifest::LoadedManifest;
use crate::manifest::manifest_file::MAX_SIZE;
use crate::storage::{LockedStorage, StorageError};
use crate::store::installed_error::ExtensionNotFound;
use crate::store::locked_depot::LockedDepot;

/// The wait for a call that uses the storage of a removed extension. Calls take milliseconds, and
/// other changes wait for this one.
const STORAGE_TIMEOUT: Duration = Duration::from_secs(2);

/// What removing an extension left behind and freed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Where the manifest lies now; nothing when that went as well.
    pub kept_manifest: Option<PathBuf>,
    /// How many bytes of artifacts went.
    pub freed: u64,
    /// Whether data went that the extension had kept.
    pub storage: bool,
}

/// Why an extension is not removed. What was removed of it before the error is gone.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// It does not exist.
    #[error(transparent)]
    NotFound(#[from] ExtensionNotFound),
    /// A file or directory of it cannot be read or removed.
    #[error(transparent)]
    File(#[from] FileError),
    /// A list that it came from, or something that tells the blobs of others, cannot be read or
    /// written.
    #[error(transparent)]
    Stored(#[from] StoredFileError),
    /// The data that it kept cannot be removed. Everything else but its kept manifest is gone.
    #[error("the storage of `{name}` is not removed")]
    Storage {
        /// The extension.
        name: ExtensionName,
        /// The reason.
        source: StorageError,
    },
}

impl LockedDepot<'_> {
    /// Removes an extension, even one whose manifest or artifact is broken: the manifest first,
    /// then records, history, the index's entry and the blobs that no other extension needs. The
    /// manifest is kept where [`Removed`] says, since people write in it, and so are the log and the
    /// storage; `purge` takes all three away as well, but not a storage that another extension of
    /// the same identity uses.
    ///
    /// # Errors
    /// When there is none, or something cannot be removed.
    pub fn remove(&self, name: &ExtensionName, purge: bool) -> Result<Removed, RemoveError> {
        self.check_listings()?;
        let kept = self.places().removed_manifest(name);
        let origin = self.origin(name, &kept);
        let is_there = self.remove_manifest(name, &kept)?;
        let traces = [self.places().records(name), self.places().history(name)];
        let has_traces = traces.iter().any(|path| path.exists()) || self.layout().has_entry(name);
        let is_known = is_there || has_traces || (purge && kept.exists());
        if !is_known {
            return Err(ExtensionNotFound { name: name.clone() }.into());
        }
        for directory in traces {
            remove_tree(directory)?;
        }
        self.forget_failures(name)?;
        self.forget_timed_grants(name)?;
        self.forget_lists_of(name)?;
        self.layout().remove_entry(name)?;
        let storage = purge && self.remove_storage(name, origin.as_ref())?;
        if purge {
            for path in [&kept, &self.places().log(name)] {
                remove_file(path)?;
            }
        }
        let freed = self.remove_unused_blobs()?;
        let identity = origin.map(|reference| reference.identity().to_string());
        let identity = identity.unwrap_or_default();
        self.note_change(ChangeRecord::of(ChangeKind::Remove, name.as_str(), &identity));
        Ok(Removed { kept_manifest: (!purge).then_some(kept), freed, storage })
    }

    /// Returns where an extension comes from, as its manifest says, or the kept one of an earlier
    /// removal.
    fn origin(&self, name: &ExtensionName, kept: &Path) -> Option<OciReference> {
        let manifest = self.manifest(name).ok().flatten();
        let manifest = manifest.or_else(|| LoadedManifest::read(kept, name).ok().flatten());
        manifest?.manifest.extension.oci
    }

    /// Removes the storage of an extension that is gone. Returns whether there was one.
    fn remove_storage(
        &self,
        name: &ExtensionName,
        origin: Option<&OciReference>,
    ) -> Result<bool, RemoveError> {
        let Some(identity) = origin.map(OciReference::identity) else { return Ok(false) };
        let storage = self.storage(&identity);
        if !storage.is_there() || self.identities()?.contains(&identity) {
            return Ok(false);
        }
        let removed = storage.lock(STORAGE_TIMEOUT).and_then(LockedStorage::remove);
        removed.map_err(|source| RemoveError::Storage { name: name.clone(), source })
    }

    /// Removes a manifest after copying it. Returns whether there was one: a removal that was
    /// killed may have taken it.
    fn remove_manifest(&self, name: &ExtensionName, kept: &Path) -> Result<bool, FileError> {
        let path = self.places().manifest(name);
        match read_regular(&path, MAX_SIZE) {
            Ok(text) => self.write(kept.to_owned(), &text)?,
            // A link that leads nowhere goes as well. What others lead to is not sesame's to
            // remove.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(FileError { path, source }),
        }
        remove_file(&path)
    }
}

fn remove_tree(path: PathBuf) -> Result<(), FileError> {
    match fs::remove_dir_all(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(FileError { path, source }),
        _ => Ok(()),
    }
}

pub(crate) fn remove_file(path: &Path) -> Result<bool, FileError> {
    remove_durably(path).map_err(|source| FileError { path: path.to_owned(), source })
}
