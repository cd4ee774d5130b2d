//! The depot of the one process that may change it.

use std::ops::Deref;
use std::path::PathBuf;

use private_files::{FileError, atomic_write, create_durable_directory, remove_leftovers};

use crate::files::lock::{Lock, LockError};
use crate::source::staging::sweep;
use crate::store::depot::Depot;

/// A depot under its lock. Every operation that changes installed extensions is one of this type.
///
/// It is held while files are put into place, which takes milliseconds, and not while something is
/// downloaded, compiled or asked.
///
/// ```
/// # let home = tempfile::tempdir()?;
/// use extension_depot::{Depot, Places};
///
/// let depot = Depot::new(Places::below(home.path()));
/// let collected = depot.lock()?.collect(1, true)?;
/// assert_eq!(collected.bytes(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LockedDepot<'a> {
    depot: &'a Depot,
    _lock: Lock,
}

impl Depot {
    /// Waits for the lock, and removes what processes left that were killed while they held it.
    ///
    /// # Errors
    /// When another process keeps the lock, or the file system has none.
    pub fn lock(&self) -> Result<LockedDepot<'_>, LockError> {
        let lock = Lock::acquire(&self.places().lock(), self.waiting())?;
        sweep(&self.places().staging());
        let written_under_it = [
            self.places().extensions(),
            self.places().removed_manifests(),
            self.places().first_uses(),
            self.places().first_seen_all(),
            self.places().followed_lists(),
        ];
        written_under_it.iter().for_each(|directory| remove_leftovers(directory));
        Ok(LockedDepot { depot: self, _lock: lock })
    }
}

impl Deref for LockedDepot<'_> {
    type Target = Depot;

    fn deref(&self) -> &Depot {
        self.depot
    }
}

impl LockedDepot<'_> {
    /// Replaces a file, with the directories above it.
    pub(crate) fn write(&self, path: PathBuf, contents: &[u8]) -> Result<(), FileError> {
        let directory = path.parent().map_or(Ok(()), create_durable_directory);
        let written = directory.and_then(|()| atomic_write(&path, contents));
        written.map_err(|source| FileError { path, source })
    }
}
