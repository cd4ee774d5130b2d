//! Removes what nothing needs any more.

use std::path::PathBuf;

use core_types::{Digest, ExtensionName};
use extension_depot::{LockError, StoredFileError};
use extension_host::{CacheError, CodeKey};

use crate::manager::Manager;

/// Generations, blobs and compiled code that nothing needs.
///
/// ```
/// use extension_depot::Places;
/// use extension_manager::{Manager, Options};
/// # let directory = tempfile::tempdir()?;
///
/// let manager = Manager::open(Places::below(directory.path()), Options::default())?;
/// let garbage = manager.collect_garbage(3, false)?;
/// assert_eq!(garbage.bytes(), 0, "nothing is installed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Garbage {
    /// Generations that cannot be restored any more.
    pub generations: Vec<(ExtensionName, u32)>,
    /// Unreferenced blobs, with their sizes in bytes.
    pub blobs: Vec<(Digest, u64)>,
    /// Files of compiled code whose binaries are gone, with their sizes in bytes.
    pub compiled: Vec<(PathBuf, u64)>,
}

impl Garbage {
    /// Returns how many bytes it takes.
    pub fn bytes(&self) -> u64 {
        let blobs: u64 = self.blobs.iter().map(|(_, size)| size).sum();
        blobs + self.compiled.iter().map(|(_, size)| size).sum::<u64>()
    }
}

/// Why nothing more is removed.
#[derive(Debug, thiserror::Error)]
pub enum GarbageError {
    /// Another process holds the lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Generations or blobs cannot be read or removed.
    #[error(transparent)]
    Depot(#[from] StoredFileError),
    /// Compiled code cannot be read or removed.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl Manager {
    /// Finds the generations beyond the newest `keep` versions of each extension, the blobs that
    /// are unreferenced after that, and the compiled code of binaries that do not stay. Removes
    /// them if `apply` says so.
    ///
    /// # Errors
    /// When something cannot be read or removed.
    pub fn collect_garbage(&self, keep: usize, apply: bool) -> Result<Garbage, GarbageError> {
        let collected = self.depot().lock()?.collect(keep, apply)?;
        let cache = self.code_cache();
        let keys: Vec<_> = collected.binaries.iter().map(CodeKey::new).collect();
        let compiled = cache.unreferenced_files(&keys)?;
        if apply {
            cache.remove_files(&compiled)?;
        }
        let (generations, blobs) = (collected.generations, collected.blobs);
        Ok(Garbage { generations, blobs, compiled })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_of_blobs_and_code() {
        let blob = |byte: u8, size| (extension_depot::digest_of(&[byte]), size);
        let garbage = Garbage {
            generations: vec![("x".parse().expect("a name"), 1)],
            blobs: vec![blob(1, 10), blob(2, 5)],
            compiled: vec![("a.code".into(), 100)],
        };
        assert_eq!(garbage.bytes(), 115);
        assert_eq!(Garbage::default().bytes(), 0);
    }
}
