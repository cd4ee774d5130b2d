//! Compiled code on disk.
//!
//! Compiled code is machine code that runs in this process, so a file is used only if sesame wrote
//! it for exactly these bytes, this engine and this processor, if nobody but the user could have
//! written to it since, and if it has not changed since. The last is known without reading the
//! file: beside each file `KEY.code` lies `KEY.stamp` with the inode, size and change time that the
//! file had when it was published, and the kernel sets the change time whenever a file is written
//! to, truncated, renamed or given other permissions.
//!
//! Who makes files shares the lock of `lock` meanwhile, so that whoever has it alone knows that
//! files without their name were left by processes that were killed.
//!
//! A stamp does not find bits that rot on the disk without the kernel's knowledge;
//! [`CodeCache::verify`] does, by the digest that stands in the stamp as well.

use std::collections::HashSet;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use core_types::Digest;
use private_files::{
    LockFailure, Sharing, acquire, create_directory, ensure_exclusive, is_temporary,
    open_to_change, open_unlinked, temporary_directory, temporary_file,
};
use sha2::{Digest as _, Sha256};

use crate::engine::fingerprint;

/// How long to wait for another process that gives code its name.
const PATIENCE: Duration = Duration::from_secs(30);

/// The file that is locked by who makes files.
const LOCK: &str = "lock";

/// After how long a file without its name belongs to nobody, where locks do not say it: compiling
/// takes minutes at most.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// A directory of compiled code. It may be deleted at any time; what is missing is compiled again.
#[derive(Debug, Clone)]
pub struct CodeCache {
    directory: PathBuf,
}

/// The name of compiled code: what was compiled, by which Wasmtime with which settings, for which
/// processor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeKey {
    name: String,
    binary: Digest,
}

/// Why a file of the cache cannot be used or made. None of it matters to whoever calls an
/// extension: the code is compiled again.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// There is none.
    #[error("`{}` is not there", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file or directory is not the user's alone.
    #[error("`{}` {reason}", path.display())]
    NotOurs {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file has changed since sesame wrote it.
    #[error("`{}` has changed since it was written", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("cannot use `{}`", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl CodeKey {
    /// The key for code compiled from a binary with this digest.
    pub fn new(binary: &Digest) -> Self {
        let mut hash = Sha256::new();
        hash.update(fingerprint());
        hash.update(binary.to_string());
        Self { name: Digest::from_sha256(hash.finalize().into()).hex(), binary: *binary }
    }

    /// The digest of the binary.
    pub fn binary(&self) -> &Digest {
        &self.binary
    }
}

impl CodeCache {
    /// The cache in this directory, which is made when something is stored.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The directory, which may not be there yet.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the code of this key lies if it is there.
    pub fn path(&self, key: &CodeKey) -> PathBuf {
        self.directory.join(format!("{}.code", key.name))
    }

    /// Opens the code of this key, having made sure that it is what was stored.
    ///
    /// # Errors
    /// When it is not there or not to be trusted.
    pub fn open(&self, key: &CodeKey) -> Result<File, CacheError> {
        let path = self.path(key);
        check_directory(&self.directory)?;
        let (file, metadata) = open_own(&path)?;
        let stamp = self.read_stamp(key)?;
        if stamp.lines().next() == Some(&stamp_of(&metadata)) {
            Ok(file)
        } else {
            Err(CacheError::Changed { path })
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

    /// Reads and hashes the code of this key, which finds what a stamp cannot: bits that rotted on
    /// the disk.
    ///
    /// # Errors
    /// As [`CodeCache::open`], and when the bytes are others than were stored.
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
            // Opened again: whoever wrote may have replaced the file. From here on the descriptor
            // is the file, whatever another process puts in its place.
            let written = File::open(&temporary)?;
            make_private(&written)?;
            written.sync_data()?;
            Ok(written)
        };
        let written = publish().map_err(in_directory)?;
        let digest = digest_of(&written).map_err(in_directory)?;
        // One at a time, so that of two processes that store the same code, file and stamp are of
        // the same one.
        let lock = File::open(&self.directory).map_err(in_directory)?;
        match acquire(&lock, Sharing::Exclusive, PATIENCE) {
            // Without locks a stamp may be of the other's code. Then it does not fit, and the code
            // is compiled again.
            Err(LockFailure::Unsupported(_)) => {}
            locked => locked.map_err(io::Error::from).map_err(in_directory)?,
        }
        temporary.persist(self.path(key)).map_err(|error| in_directory(error.error))?;
        self.stamp(key, &written, &digest).map_err(in_directory)?;
        Ok(written)
    }

    /// A directory for code that has no name yet, on the same file system.
    pub(crate) fn scratch(&self) -> Result<Scratch, CacheError> {
        let work = self.begin()?;
        let directory = temporary_directory(&self.directory);
        let directory =
            directory.map_err(|source| CacheError::Io { path: self.directory.clone(), source })?;
        Ok(Scratch { directory, _work: work })
    }

    /// Says that this process makes files, having removed what killed ones left.
    fn begin(&self) -> Result<Work, CacheError> {
        create_directory(&self.directory).map_err(|source| io_error(&self.directory, source))?;
        check_directory(&self.directory)?;
        let path = self.directory.join(LOCK);
        let lock = open_to_change(&path).map_err(|source| io_error(&path, source))?;
        if lock.try_lock().is_ok() {
            self.remove_leftovers();
        }
        match acquire(&lock, Sharing::Shared, PATIENCE) {
            // Where there are no locks nobody has it alone, and what is left is known by its age.
            Ok(()) | Err(LockFailure::Unsupported(_)) => Ok(Work { _lock: lock }),
            Err(failure) => Err(CacheError::Io { path, source: failure.into() }),
        }
    }

    /// Removes what processes left that were killed, unless one is at work now.
    pub fn sweep(&self) {
        if self.is_idle() {
            self.remove_leftovers();
        }
    }

    /// Whether nobody makes files now, as far as locks say it.
    fn is_idle(&self) -> bool {
        match check_directory(&self.directory).and_then(|()| open_own(&self.directory.join(LOCK))) {
            Ok((lock, _)) => lock.try_lock().is_ok(),
            // Whoever makes a file makes this one first.
            Err(error) => matches!(error, CacheError::Missing { .. }),
        }
    }

    fn remove_leftovers(&self) {
        // What cannot be removed is in nobody's way.
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            if is_unnamed(&entry.path()) {
                let _ = remove_if_there(&entry.path());
            }
        }
    }

    /// Records what the file looks like now that it has its name.
    fn stamp(&self, key: &CodeKey, written: &File, digest: &Digest) -> io::Result<()> {
        let temporary = self.temporary()?;
        fs::write(&temporary, format!("{}\n{digest}\n", stamp_of(&written.metadata()?)))?;
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

    /// The files of this cache that belong to none of these keys, with their sizes in bytes: code
    /// of what is gone, of other versions of Wasmtime and other processors, and what was left
    /// behind by processes that were killed.
    ///
    /// # Errors
    /// When the directory is there and cannot be read, or is not the user's alone.
    pub fn beside(&self, keys: &[CodeKey]) -> Result<Vec<(PathBuf, u64)>, CacheError> {
        match check_directory(&self.directory) {
            Err(CacheError::Missing { .. }) => return Ok(Vec::new()),
            other => other?,
        }
        let is_idle = self.is_idle();
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

    /// Removes files that [`CodeCache::beside`] named.
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

fn remove_if_there(path: &Path) -> Result<(), CacheError> {
    let is_directory = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed = if is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed.map_err(|source| io_error(path, source)) {
        Ok(()) | Err(CacheError::Missing { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A directory for code that has no name yet, for as long as this is kept.
pub(crate) struct Scratch {
    directory: tempfile::TempDir,
    _work: Work,
}

impl Scratch {
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Files are made as long as this is kept.
struct Work {
    _lock: File,
}

/// Whether a file is one that this cache made: code, a stamp, or either that has no name and nobody
/// is at work on.
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

fn stamp_of(metadata: &Metadata) -> String {
    format!(
        "{} {} {}.{:09}",
        metadata.ino(),
        metadata.size(),
        metadata.ctime(),
        metadata.ctime_nsec()
    )
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

/// Takes a file from everybody else. Where a file system has no modes of its own, it may have been
/// so from the beginning.
fn make_private(file: &File) -> io::Result<()> {
    match file.set_permissions(Permissions::from_mode(0o600)) {
        Err(_) if file.metadata()?.mode() & 0o077 == 0 => Ok(()),
        done => done,
    }
}

/// Makes sure that nobody else can put files into the directory.
fn check_directory(path: &Path) -> Result<(), CacheError> {
    let metadata = fs::symlink_metadata(path).map_err(|source| io_error(path, source))?;
    if !metadata.is_dir() {
        return Err(CacheError::NotOurs {
            path: path.to_owned(),
            reason: "is not a directory".to_owned(),
        });
    }
    check_owner(path, &metadata)
}

/// Opens a file that only the user can have written, without following a link.
fn open_own(path: &Path) -> Result<(File, Metadata), CacheError> {
    let (file, metadata) = open_unlinked(path).map_err(|source| match source.kind() {
        io::ErrorKind::InvalidInput => CacheError::NotOurs {
            path: path.to_owned(),
            reason: "is not a regular file".to_owned(),
        },
        _ => io_error(path, source),
    })?;
    check_owner(path, &metadata)?;
    Ok((file, metadata))
}

fn check_owner(path: &Path, metadata: &Metadata) -> Result<(), CacheError> {
    ensure_exclusive(metadata)
        .map_err(|reason| CacheError::NotOurs { path: path.to_owned(), reason: reason.to_string() })
}

fn io_error(path: &Path, source: io::Error) -> CacheError {
    match source.kind() {
        io::ErrorKind::NotFound => CacheError::Missing { path: path.to_owned() },
        _ => CacheError::Io { path: path.to_owned(), source },
    }
}
