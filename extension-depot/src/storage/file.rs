//! The storage of one extension.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use core_types::{Identity, StoredValues};
use private_files::{
    HeldLock, LockFailure, Sharing, acquire, atomic_write, create_durable_directory,
    ensure_exclusive, open_to_change, open_unlinked, read_opened, remove_durably, remove_leftovers,
};

use super::error::StorageError;
use super::file_format::{self, MAX_FILE, Unreadable};
use crate::oci::digest_of;
use crate::store::Depot;

/// The names of the files of a storage: its values, its lock, and its values when they were found
/// damaged.
const VALUES: &str = "values";
const LOCK: &str = "lock";
const DAMAGED: &str = "damaged";

/// How often the lock is looked for anew when it was removed in between. Only removals of the
/// storage do that, and no program removes one so often.
const MAX_TRIES: usize = 100;

/// The storage of one extension, which belongs to its identity. Nothing is opened yet.
///
/// ```
/// use std::time::Duration;
///
/// use core_types::{ExtensionName, Identity};
/// use extension_depot::{Depot, Places};
/// # let directory = tempfile::tempdir()?;
///
/// let depot = Depot::new(Places::below(directory.path()));
/// let storage = depot.storage(&Identity::embedded(&ExtensionName::default()));
/// let locked = storage.lock(Duration::ZERO)?;
/// let mut values = locked.read()?;
/// values.set("city".parse()?, b"Oslo".to_vec(), 1024)?;
/// locked.write(&values)?;
/// assert_eq!(storage.peek()?.get("city"), Some(&b"Oslo"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Storage {
    directory: PathBuf,
    identity: Identity,
}

/// A storage that no other call uses until this is dropped.
#[derive(Debug)]
pub struct LockedStorage {
    storage: Storage,
    _lock: HeldLock,
}

impl Depot {
    /// Returns the storage of the extension with this identity.
    pub fn storage(&self, identity: &Identity) -> Storage {
        let name = digest_of(identity.as_str().as_bytes()).hex();
        Storage { directory: self.places().storages().join(name), identity: identity.clone() }
    }
}

impl Storage {
    /// Returns the name of its directory.
    pub(super) fn name(&self) -> OsString {
        self.directory.file_name().unwrap_or_default().to_owned()
    }

    /// Returns whether there is anything of it.
    pub(crate) fn is_there(&self) -> bool {
        self.directory.symlink_metadata().is_ok()
    }

    fn values(&self) -> PathBuf {
        self.directory.join(VALUES)
    }

    fn damaged(&self) -> PathBuf {
        self.directory.join(DAMAGED)
    }

    /// Takes the lock, if no other call has it.
    ///
    /// # Errors
    /// When the directory or the lock cannot be used.
    pub fn try_lock(&self) -> Result<Option<LockedStorage>, StorageError> {
        match self.lock(Duration::ZERO) {
            Ok(locked) => Ok(Some(locked)),
            Err(StorageError::Busy) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits for the lock, and makes its file where that is missing.
    ///
    /// # Errors
    /// [`StorageError::Busy`] when another call has it for longer; otherwise when the directory or
    /// the lock cannot be used.
    pub fn lock(&self, timeout: Duration) -> Result<LockedStorage, StorageError> {
        let path = self.directory.join(LOCK);
        let until = Instant::now() + timeout;
        for _ in 0..MAX_TRIES {
            self.make_directory()?;
            let rest = until.saturating_duration_since(Instant::now());
            match locked(&path, rest) {
                Ok(Some(lock)) => {
                    return Ok(LockedStorage { storage: self.clone(), _lock: lock });
                }
                Ok(None) => {}
                Err(LockFailure::Held) => return Err(StorageError::Busy),
                Err(failure) => return Err(StorageError::of_file(&path, failure.into())),
            }
        }
        Err(StorageError::Busy)
    }

    /// Reads the values without the lock: those of the last call that ended.
    ///
    /// # Errors
    /// When the file is damaged, newer, or cannot be read.
    pub fn peek(&self) -> Result<StoredValues, StorageError> {
        self.check_directories()?;
        let path = self.values();
        match read(&path, &self.identity) {
            Ok(Some(values)) => Ok(values),
            Ok(None) => self.ensure_not_damaged().map(|()| StoredValues::default()),
            Err(unread) => Err(unread.into_error(path)),
        }
    }

    /// Makes the directory where it is missing, and checks that it is one of this user's own.
    fn make_directory(&self) -> Result<(), StorageError> {
        let made = create_durable_directory(&self.directory);
        made.map_err(|source| StorageError::of_file(&self.directory, source))?;
        self.check_directories()
    }

    /// Checks that its directories, as far as they are there, are this user's own and not links.
    fn check_directories(&self) -> Result<(), StorageError> {
        self.directory.ancestors().take(2).try_for_each(|directory| {
            check_directory(directory).map_err(|source| StorageError::of_file(directory, source))
        })
    }

    fn ensure_not_damaged(&self) -> Result<(), StorageError> {
        let path = self.damaged();
        match path.symlink_metadata() {
            Ok(_) => Err(StorageError::Damaged { path, reason: None }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(StorageError::of_file(&path, source)),
        }
    }
}

impl LockedStorage {
    /// Reads the values. A damaged file is moved aside, and the storage stays unusable until it is
    /// reset: an extension that found nothing would begin anew and lose what could be repaired.
    ///
    /// # Errors
    /// When the file is damaged, newer, or cannot be read.
    pub fn read(&self) -> Result<StoredValues, StorageError> {
        let (path, aside) = (self.storage.values(), self.storage.damaged());
        match read(&path, &self.storage.identity) {
            Ok(Some(values)) => Ok(values),
            Ok(None) => self.storage.ensure_not_damaged().map(|()| StoredValues::default()),
            Err(Unread::Bytes(Unreadable::Damaged(reason))) => {
                fs::rename(&path, &aside).map_err(|source| StorageError::of_file(&path, source))?;
                Err(StorageError::Damaged { path: aside, reason: Some(reason.to_owned()) })
            }
            Err(unread) => Err(unread.into_error(path)),
        }
    }

    /// Replaces the values, durably and as a whole.
    ///
    /// # Errors
    /// When the system refuses. The values are as they were.
    pub fn write(&self, values: &StoredValues) -> Result<(), StorageError> {
        let path = self.storage.values();
        remove_leftovers(&self.storage.directory);
        let bytes = file_format::encode(&self.storage.identity, values);
        atomic_write(&path, &bytes).map_err(|source| StorageError::of_file(&path, source))
    }

    /// Removes the values, even damaged ones. Returns whether there were any.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn reset(&self) -> Result<bool, StorageError> {
        let mut is_removed = false;
        for path in [self.storage.values(), self.storage.damaged()] {
            is_removed |=
                remove_durably(&path).map_err(|source| StorageError::of_file(&path, source))?;
        }
        Ok(is_removed)
    }

    /// Removes everything of the storage, its lock included. Returns whether there were values.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove(self) -> Result<bool, StorageError> {
        let is_removed = self.reset()?;
        let directory = &self.storage.directory;
        remove_leftovers(directory);
        let lock = directory.join(LOCK);
        remove_durably(&lock).map_err(|source| StorageError::of_file(&lock, source))?;
        // A call that has begun since has made a lock of its own there.
        let _ = fs::remove_dir(directory);
        Ok(is_removed)
    }
}

/// Why a file was not read.
enum Unread {
    File(io::Error),
    Bytes(Unreadable),
}

impl Unread {
    fn into_error(self, path: PathBuf) -> StorageError {
        match self {
            Self::File(source) => StorageError::of_file(&path, source),
            Self::Bytes(Unreadable::Damaged(reason)) => {
                StorageError::Damaged { path, reason: Some(reason.to_owned()) }
            }
            Self::Bytes(newer) => StorageError::Newer { path, reason: newer.to_string() },
        }
    }
}

/// Reads a file of this identity, or nothing where it is missing. Neither a link nor a file of
/// another user is read.
fn read(path: &Path, identity: &Identity) -> Result<Option<StoredValues>, Unread> {
    let bytes = match read_own(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            return Err(Unread::Bytes(Unreadable::Damaged("it is larger than a storage can be")));
        }
        Err(error) => return Err(Unread::File(error)),
    };
    let (owner, values) = file_format::decode(&bytes).map_err(Unread::Bytes)?;
    if owner != identity.as_str() {
        return Err(Unread::Bytes(Unreadable::Damaged("it is that of another extension")));
    }
    Ok(Some(values))
}

/// Reads a file that only this user could have written, and that is not a link.
fn read_own(path: &Path) -> io::Result<Vec<u8>> {
    let opened = open_unlinked(path)?;
    ensure_exclusive(&opened.1).map_err(io::Error::other)?;
    read_opened(opened, MAX_FILE)
}

/// Reads the file with the values of a storage in this directory.
pub(super) fn read_values(directory: &Path) -> io::Result<Vec<u8>> {
    read_own(&directory.join(VALUES))
}

/// Locks a file. Returns nothing when it or its directory was removed in between: the next call
/// that locks it has another file.
fn locked(path: &Path, timeout: Duration) -> Result<Option<HeldLock>, LockFailure> {
    let lock = match open_to_change(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let lock = acquire(lock, Sharing::Exclusive, timeout)?;
    Ok(is_at(&lock, path)?.then_some(lock))
}

fn check_directory(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => ensure_exclusive(&metadata).map_err(io::Error::other),
        Ok(_) => Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a directory")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns whether an open file is still the one at a path.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let opened = file.metadata()?;
    match path.symlink_metadata() {
        Ok(there) => Ok((there.dev(), there.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Places;
    use core_types::ExtensionName;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn named(root: &Path, name: &str) -> Storage {
        let name: ExtensionName = name.parse().expect(name);
        Depot::new(Places::below(root)).storage(&Identity::embedded(&name))
    }

    fn set(storage: &Storage, key: &str, value: &[u8]) {
        let locked = storage.lock(Duration::from_secs(10)).expect("locked");
        let mut values = locked.read().expect("read");
        values.set(key.parse().expect(key), value.to_vec(), 1 << 20).expect("it fits");
        locked.write(&values).expect("written");
    }

    fn get(storage: &Storage, key: &str) -> Option<Vec<u8>> {
        storage.peek().expect("read").get(key).map(<[u8]>::to_vec)
    }

    fn mode(path: &Path) -> u32 {
        path.metadata().expect("there").permissions().mode() & 0o777
    }

    /// Values belong to one identity, and nothing is there before the first use.
    #[test]
    fn storages_are_apart_and_private() {
        let root = tempfile::tempdir().expect("a directory");
        let (one, other) = (named(root.path(), "one"), named(root.path(), "other"));
        assert!(one.peek().expect("nothing yet").is_empty());
        assert!(!root.path().join("state").exists(), "a look makes nothing");
        set(&one, "a", b"1");
        assert_eq!((get(&one, "a"), get(&other, "a")), (Some(b"1".to_vec()), None));
        assert_eq!((mode(&one.values()), mode(&one.directory)), (0o600, 0o700));
        assert_eq!(mode(one.directory.parent().expect("a parent")), 0o700);
    }

    /// Every change of many threads is there in the end.
    #[test]
    fn no_update_is_lost() {
        let root = tempfile::tempdir().expect("a directory");
        let storage = named(root.path(), "x");
        let count = |_| {
            for _ in 0..50 {
                let locked = storage.lock(Duration::from_secs(30)).expect("locked");
                let mut values = locked.read().expect("read");
                let old = values.get("n").map_or(0, |bytes| bytes.len());
                values
                    .set("n".parse().expect("a key"), vec![0; old + 1], 1 << 20)
                    .expect("it fits");
                locked.write(&values).expect("written");
            }
        };
        std::thread::scope(|scope| {
            (0..4).for_each(|at| drop(scope.spawn(move || count(at))));
        });
        assert_eq!(get(&storage, "n").map(|value| value.len()), Some(200));
    }

    #[test]
    fn held_storage_is_busy() {
        let root = tempfile::tempdir().expect("a directory");
        let storage = named(root.path(), "x");
        let held = storage.lock(Duration::ZERO).expect("free");
        assert!(storage.try_lock().expect("no failure").is_none());
        let busy = storage.lock(Duration::from_millis(20)).expect_err("held");
        assert!(matches!(busy, StorageError::Busy));
        assert!(named(root.path(), "y").try_lock().expect("usable").is_some(), "others go on");
        drop(held);
        assert!(storage.try_lock().expect("no failure").is_some());
    }

    /// A damaged file is kept aside, and the storage is unusable until it is reset.
    #[test]
    fn damaged_file_waits_for_reset() {
        let root = tempfile::tempdir().expect("a directory");
        let storage = named(root.path(), "x");
        for (at, bytes) in [&b"not a storage"[..], b"", &vec![0; 17 << 20]].iter().enumerate() {
            set(&storage, "a", b"1");
            fs::write(storage.values(), bytes).expect("damaged");
            assert!(matches!(storage.peek(), Err(StorageError::Damaged { .. })), "{at}");
            let locked = storage.lock(Duration::ZERO).expect("locked");
            for _ in 0..2 {
                let error = locked.read().expect_err("damaged");
                let StorageError::Damaged { path, .. } = error else { panic!("{error:?}") };
                assert_eq!(fs::read(path).expect("aside"), *bytes);
            }
            assert!(matches!(storage.peek(), Err(StorageError::Damaged { .. })), "{at}");
            assert!(locked.reset().expect("reset") && !locked.reset().expect("nothing more"));
        }
        set(&storage, "a", b"2");
        assert_eq!(get(&storage, "a"), Some(b"2".to_vec()));
    }

    /// The file of another extension is not one of this.
    #[test]
    fn file_of_other_extension_is_damage() {
        let root = tempfile::tempdir().expect("a directory");
        let (one, other) = (named(root.path(), "one"), named(root.path(), "other"));
        set(&one, "a", b"1");
        set(&other, "b", b"2");
        fs::copy(one.values(), other.values()).expect("copied");
        let error = other.peek().expect_err("not its own").to_string();
        assert!(error.contains("another extension"), "{error}");
    }

    /// A file of a newer sesame is neither read, moved nor replaced.
    #[test]
    fn newer_file_is_left_alone() {
        let root = tempfile::tempdir().expect("a directory");
        let storage = named(root.path(), "x");
        set(&storage, "a", b"1");
        fs::write(storage.values(), "sesame storage 2\nmore").expect("written");
        let locked = storage.lock(Duration::ZERO).expect("locked");
        assert!(matches!(locked.read(), Err(StorageError::Newer { .. })));
        assert!(matches!(storage.peek(), Err(StorageError::Newer { .. })));
        assert!(storage.values().exists());
    }

    /// Neither links nor files that others can write to are used or moved.
    #[test]
    fn links_and_shared_files_are_refused() {
        let root = tempfile::tempdir().expect("a directory");
        let storage = named(root.path(), "x");
        set(&storage, "a", b"1");
        let elsewhere = root.path().join("elsewhere");
        fs::rename(storage.values(), &elsewhere).expect("moved");
        symlink(&elsewhere, storage.values()).expect("a link");
        let refused = |why: &str| {
            let locked = storage.lock(Duration::ZERO).expect(why);
            assert!(matches!(locked.read(), Err(StorageError::File(_))), "{why}");
            assert!(matches!(storage.peek(), Err(StorageError::File(_))), "{why}");
        };
        refused("a link");
        fs::remove_file(storage.values()).expect("removed");
        fs::rename(&elsewhere, storage.values()).expect("back");
        fs::set_permissions(storage.values(), fs::Permissions::from_mode(0o660)).expect("set");
        refused("the group can write to it");
        fs::set_permissions(storage.values(), fs::Permissions::from_mode(0o600)).expect("set");
        fs::rename(&storage.directory, &elsewhere).expect("moved");
        symlink(&elsewhere, &storage.directory).expect("a link");
        assert!(storage.lock(Duration::ZERO).is_err() && storage.peek().is_err());
    }

    /// What a killed process left goes with the next change.
    #[test]
    fn leftovers_go_with_next_change() {
        let root = tempfile::tempdir().expect("a directory");
        let storage = named(root.path(), "x");
        set(&storage, "a", b"1");
        fs::write(storage.directory.join(".new-abc"), "half").expect("written");
        set(&storage, "a", b"2");
        assert_eq!(fs::read_dir(&storage.directory).expect("read").count(), 2);
    }

    /// A removed storage leaves nothing, and its lock holds nobody off afterwards.
    #[test]
    fn removed_storage_begins_anew() {
        let root = tempfile::tempdir().expect("a directory");
        let storage = named(root.path(), "x");
        set(&storage, "a", b"1");
        let waiting = std::thread::scope(|scope| {
            let locked = storage.lock(Duration::ZERO).expect("locked");
            let waiting = scope.spawn(|| storage.lock(Duration::from_secs(10)).expect("locked"));
            std::thread::sleep(Duration::from_millis(20));
            assert!(locked.remove().expect("removed"));
            waiting.join().expect("no panic")
        });
        assert!(waiting.read().expect("read").is_empty());
        assert!(storage.try_lock().expect("usable").is_none(), "the waiting call has it");
        assert!(!waiting.remove().expect("removed") && !storage.directory.exists());
    }
}
