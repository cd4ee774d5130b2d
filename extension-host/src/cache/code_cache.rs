//! Compiled code on disk.
//!
//! Compiled code is machine code that runs in this process. A file is used only if sesame wrote it
//! for exactly these bytes, this engine and this processor, if only the user could have written to
//! it since, and if it has not changed since. The last is known without reading the file: beside
//! each file `KEY.code` lies `KEY.stamp` with the inode, size and change time that the file had
//! when it was published. The kernel sets the change time whenever a file is written to, truncated,
//! renamed or given other permissions.
//!
//! A process that makes files shares the lock of `lock` meanwhile. A process that gets the lock
//! alone knows that killed processes left the temporary files.
//!
//! A stamp does not find bits that rot on the disk without the kernel's knowledge;
//! [`CodeCache::verify`] does, by the digest in the stamp.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use core_types::Digest;
use private_files::{
    HeldLock, LockFailure, Sharing, acquire, create_directory, is_temporary, open_to_change,
    temporary_directory, temporary_file,
};
use sha2::{Digest as _, Sha256};

use super::code_file::{CodeFile, FileStamp};
use super::error::CacheError;
use super::own_files::{check_directory, io_error, make_private, open_own, remove_if_there};
use crate::code::fingerprint;

/// The wait for another process that gives code its name, which takes milliseconds: after this long
/// it was stopped, and a call should not hang with it.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// The file that is locked while files are made.
const LOCK: &str = "lock";

/// The age at which a temporary file is unreferenced where locks do not tell: compiling takes
/// minutes at most.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// A directory of compiled code. It may be deleted at any time; what is missing is compiled again.
///
/// ```
/// use extension_host::{CacheError, CodeCache, CodeKey};
///
/// # let directory = tempfile::tempdir()?;
/// # let digest = format!("sha256:{}", "0".repeat(64)).parse()?;
/// let cache = CodeCache::new(directory.path().join("code"));
/// let key = CodeKey::new(&digest);
/// assert!(matches!(cache.open(&key), Err(CacheError::Missing { .. })));
/// cache.store(&key, |path| {
///     std::fs::write(path, "code").map_err(|source| CacheError::Io { path: path.into(), source })
/// })?;
/// assert!(cache.open(&key).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct CodeCache {
    directory: PathBuf,
}

/// The name of compiled code: the digest of the binary, the version and settings of Wasmtime, and
/// the processor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeKey {
    name: String,
    binary: Digest,
}

impl CodeKey {
    /// Makes the key for code compiled from a binary with this digest.
    pub fn new(binary: &Digest) -> Self {
        let mut hash = Sha256::new();
        hash.update(fingerprint());
        hash.update(binary.to_string());
        Self { name: Digest::from_sha256(hash.finalize().into()).hex(), binary: *binary }
    }

    /// Returns the digest of the binary.
    pub fn binary(&self) -> &Digest {
        &self.binary
    }
}

impl CodeCache {
    /// Names the cache in a directory, which is made when something is stored.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Returns the directory, which may not exist yet.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the path of the code of this key, whether it exists or not.
    pub fn path(&self, key: &CodeKey) -> PathBuf {
        self.directory.join(format!("{}.code", key.name))
    }

    /// Opens the code of this key, having checked that it is the code that was stored.
    ///
    /// # Errors
    /// When it does not exist or is not to be trusted.
    pub fn open(&self, key: &CodeKey) -> Result<File, CacheError> {
        Ok(self.open_to_map(key)?.0)
    }

    /// The same, with the state that was checked.
    pub(crate) fn open_to_map(&self, key: &CodeKey) -> Result<(File, CodeFile), CacheError> {
        let path = self.path(key);
        check_directory(&self.directory)?;
        let (file, metadata) = open_own(&path)?;
        let stamp = self.read_stamp(key)?;
        if stamp.lines().next() == Some(&FileStamp::of(&metadata).to_string()) {
            let state = CodeFile::new(path, &metadata);
            Ok((file, state))
        } else {
            Err(CacheError::Changed { path })
        }
    }

    /// Returns the state of code that [`store`](Self::store) has just published.
    pub(crate) fn state_of(&self, key: &CodeKey, stored: &File) -> Result<CodeFile, CacheError> {
        let path = self.path(key);
        match stored.metadata() {
            Ok(metadata) => Ok(CodeFile::new(path, &metadata)),
            Err(source) => Err(CacheError::Io { path, source }),
        }
    }

    fn read_stamp(&self, key: &CodeKey) -> Result<String, CacheError> {
        let path = self.stamp_path(key);
        let (file, _) = open_own(&path)?;
        let mut stamp = String::new();
        file.take(256)
            .read_to_string(&mut stamp)
            .map_err(|source| CacheError::Io { path, source })?;
        Ok(stamp)
    }

    /// Reads and hashes the code of this key, which finds bits that rotted on the disk.
    ///
    /// # Errors
    /// As [`CodeCache::open`], and when the bytes are not those that were stored.
    pub fn verify(&self, key: &CodeKey) -> Result<(), CacheError> {
        let path = self.path(key);
        let file = self.open(key)?;
        let found =
            digest_of(&file).map_err(|source| CacheError::Io { path: path.clone(), source })?;
        let stamp = self.read_stamp(key)?;
        if stamp.lines().nth(1) == Some(&found.to_string()) {
            Ok(())
        } else {
            Err(CacheError::Changed { path })
        }
    }

    /// Stores code that `write` puts into the file it is given, and opens it.
    ///
    /// It is all or nothing, and durable before it can be found: a power cut leaves no half-written
    /// code behind a stamp that fits.
    ///
    /// # Errors
    /// When the directory is not the user's alone, `write` fails or the system refuses.
    pub fn store<E: From<CacheError>>(
        &self,
        key: &CodeKey,
        write: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<File, E> {
        let in_directory = |source| CacheError::Io { path: self.directory.clone(), source };
        let _work = self.begin()?;
        let temporary = self.temporary().map_err(in_directory)?;
        write(&temporary)?;
        let publish = || -> io::Result<File> {
            // Opened again, since `write` may have replaced the file. From here on the descriptor
            // is the file, even if another process replaces it.
            let written = File::open(&temporary)?;
            make_private(&written)?;
            written.sync_data()?;
            Ok(written)
        };
        let written = publish().map_err(in_directory)?;
        let digest = digest_of(&written).map_err(in_directory)?;
        // One at a time: when two processes store the same code, file and stamp come from the same
        // one.
        let lock = File::open(&self.directory).map_err(in_directory)?;
        let _alone = match acquire(lock, Sharing::Exclusive, LOCK_TIMEOUT) {
            // Without locks a stamp may be of the other's code. Then it does not fit, and the code
            // is compiled again.
            Err(LockFailure::Unsupported(_)) => None,
            locked => Some(locked.map_err(io::Error::from).map_err(in_directory)?),
        };
        temporary.persist(self.path(key)).map_err(|error| in_directory(error.error))?;
        self.stamp(key, &written, &digest).map_err(in_directory)?;
        Ok(written)
    }

    /// Makes a directory for code without a name yet, on the same file system.
    pub(crate) fn scratch(&self) -> Result<Scratch, CacheError> {
        let work = self.begin()?;
        let directory = temporary_directory(&self.directory);
        let directory =
            directory.map_err(|source| CacheError::Io { path: self.directory.clone(), source })?;
        Ok(Scratch { directory, _work: work })
    }

    /// Announces that this process makes files, having removed the leftovers of killed ones.
    fn begin(&self) -> Result<Work, CacheError> {
        create_directory(&self.directory).map_err(|source| io_error(&self.directory, source))?;
        check_directory(&self.directory)?;
        let path = self.directory.join(LOCK);
        let lock = open_to_change(&path).map_err(|source| io_error(&path, source))?;
        self.sweep();
        match acquire(lock, Sharing::Shared, LOCK_TIMEOUT) {
            Ok(held) => Ok(Work { _held: Some(held) }),
            // Leftovers are known by their age there.
            Err(LockFailure::Unsupported(_)) => Ok(Work { _held: None }),
            Err(failure) => Err(CacheError::Io { path, source: failure.into() }),
        }
    }

    /// Removes the leftovers of killed processes, unless one is at work now.
    pub fn sweep(&self) {
        // Held meanwhile, so that no process begins.
        if let Ok(_alone) = self.lock_alone() {
            self.remove_leftovers();
        }
    }

    /// Takes the lock alone, unless a process makes files now, as far as locks say it. Returns
    /// nothing where none has made one yet: a process that does makes the lock first.
    fn lock_alone(&self) -> Result<Option<HeldLock>, CacheError> {
        check_directory(&self.directory)?;
        let path = self.directory.join(LOCK);
        let lock = match open_own(&path) {
            Err(CacheError::Missing { .. }) => return Ok(None),
            opened => opened?.0,
        };
        acquire(lock, Sharing::Exclusive, Duration::ZERO)
            .map(Some)
            .map_err(|failure| io_error(&path, failure.into()))
    }

    fn remove_leftovers(&self) {
        // A file that cannot be removed does no harm.
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            if is_unnamed(&entry.path()) {
                let _ = remove_if_there(&entry.path());
            }
        }
    }

    /// Records the stamp of the file under its final name.
    #[expect(clippy::disallowed_methods, reason = "the temporary file is there, and is renamed")]
    fn stamp(&self, key: &CodeKey, written: &File, digest: &Digest) -> io::Result<()> {
        let temporary = self.temporary()?;
        fs::write(&temporary, format!("{}\n{digest}\n", FileStamp::of(&written.metadata()?)))?;
        temporary.persist(self.stamp_path(key)).map_err(|error| error.error)
    }

    /// Removes the code of this key, if it is there.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove(&self, key: &CodeKey) -> Result<(), CacheError> {
        remove_if_there(&self.stamp_path(key))?;
        remove_if_there(&self.path(key))
    }

    /// Returns the files that no key in `keys` references, with their sizes in bytes: code of
    /// removed extensions, of other versions of Wasmtime and other processors, and the leftovers of
    /// killed processes.
    ///
    /// # Errors
    /// When the directory exists and cannot be read, or is not the user's alone.
    pub fn unreferenced_files(&self, keys: &[CodeKey]) -> Result<Vec<(PathBuf, u64)>, CacheError> {
        match check_directory(&self.directory) {
            Err(CacheError::Missing { .. }) => return Ok(Vec::new()),
            other => other?,
        }
        let is_idle = self.lock_alone().is_ok();
        let kept: HashSet<_> =
            keys.iter().flat_map(|key| [self.path(key), self.stamp_path(key)]).collect();
        let entries: io::Result<Vec<_>> = fs::read_dir(&self.directory).and_then(Iterator::collect);
        let mut files: Vec<_> = entries
            .map_err(|source| io_error(&self.directory, source))?
            .into_iter()
            .filter(|entry| !kept.contains(&entry.path()))
            .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
            .filter(|(path, metadata)| is_of_cache(path, metadata, is_idle))
            .map(|(path, metadata)| (path, metadata.len()))
            .collect();
        files.sort();
        Ok(files)
    }

    /// Removes files that [`CodeCache::unreferenced_files`] returned.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove_files(&self, files: &[(PathBuf, u64)]) -> Result<(), CacheError> {
        files.iter().try_for_each(|(path, _)| remove_if_there(path))
    }

    fn stamp_path(&self, key: &CodeKey) -> PathBuf {
        self.directory.join(format!("{}.stamp", key.name))
    }

    fn temporary(&self) -> io::Result<tempfile::TempPath> {
        Ok(temporary_file(&self.directory)?.into_temp_path())
    }
}

/// A directory for code without a name yet, removed on drop.
pub(crate) struct Scratch {
    directory: tempfile::TempDir,
    _work: Work,
}

impl Scratch {
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// The announcement that files are made, for as long as it is kept.
struct Work {
    _held: Option<HeldLock>,
}

/// Tells whether this cache made a file: code, a stamp, or an abandoned temporary file.
fn is_of_cache(path: &Path, metadata: &Metadata, is_idle: bool) -> bool {
    let is_named =
        path.extension().is_some_and(|extension| extension == "code" || extension == "stamp");
    let is_stale =
        || metadata.modified().is_ok_and(|time| time.elapsed().is_ok_and(|age| age > ABANDONED));
    if is_unnamed(path) { is_idle || is_stale() } else { is_named }
}

fn is_unnamed(path: &Path) -> bool {
    path.file_name().is_some_and(is_temporary)
}

fn digest_of(mut file: &File) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Digest::from_sha256(hash.finalize().into())),
            read => hash.update(&buffer[..read]),
        }
    }
}
