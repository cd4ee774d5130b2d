//! The check of granted directories against the mounts of this process and everything that is
//! protected.

use std::cell::OnceCell;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use core_types::GrantedPath;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::error::DirectoryError;
use super::mounts::Mounts;
use super::protected::Protected;
use crate::held_path::held_path;

/// A checked directory that is held open, so that it stays the same one.
#[derive(Debug)]
pub(crate) struct OpenDirectory {
    descriptor: OwnedFd,
    /// Its path for the guest.
    pub(crate) path: PathBuf,
}

impl OpenDirectory {
    /// Returns a path to exactly the checked directory, even if its name leads elsewhere by now.
    pub(crate) fn held_path(&self) -> PathBuf {
        held_path(&self.descriptor)
    }
}

/// One check of the directories of a call. The mounts and the protected directories are read when
/// the first directory is opened, and once: a call with twenty directories would read them twenty
/// times.
pub(crate) struct DirectoryCheck<'a> {
    home: Option<&'a Path>,
    roots: &'a [PathBuf],
    mounts: OnceCell<Mounts>,
    protected: OnceCell<Protected>,
}

impl<'a> DirectoryCheck<'a> {
    /// Makes a check with this home directory, below which paths with `~` lie, and these protected
    /// directories.
    pub(crate) fn new(home: Option<&'a Path>, roots: &'a [PathBuf]) -> Self {
        Self { home, roots, mounts: OnceCell::new(), protected: OnceCell::new() }
    }

    /// Opens a directory that an extension can get now.
    ///
    /// # Errors
    /// When it is protected, reached through a link, or not a directory.
    /// [`DirectoryError::Missing`] when it only does not exist.
    pub(crate) fn open(&self, path: &GrantedPath) -> Result<OpenDirectory, DirectoryError> {
        let open_error = |source| DirectoryError::Open { path: path.clone(), source };
        let (home, real_home) = self.homes(path)?;
        let (shown, wanted) = (path.in_guest(home), path.on_host(&real_home));
        let real = match fs::canonicalize(&wanted) {
            Ok(real) => real,
            // Protected directories and links are refused even before they exist.
            Err(error) if error.kind() == io::ErrorKind::NotFound => real_path(&wanted),
            // A path that cannot be resolved may be protected.
            Err(error) => return Err(open_error(error)),
        };
        if let Some(protected) = self.overlapping(&real).map_err(open_error)? {
            return Err(DirectoryError::Protected { path: path.clone(), protected });
        }
        if real != wanted {
            return Err(DirectoryError::Link { path: path.clone(), real });
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match openat2(CWD, &real, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            Ok(descriptor) => Ok(OpenDirectory { descriptor, path: shown }),
            Err(Errno::LOOP) => {
                Err(DirectoryError::Link { path: path.clone(), real: target_of(real) })
            }
            Err(Errno::NOENT) => Err(DirectoryError::Missing { path: path.clone() }),
            Err(Errno::NOSYS) => Err(DirectoryError::NoOpenat2 { path: path.clone() }),
            Err(error) => Err(open_error(error.into())),
        }
    }

    /// Returns the home directory, as it is written and without links: it may be a link, which the
    /// administrator made. A path that does not begin there needs none.
    fn homes(&self, path: &GrantedPath) -> Result<(&'a Path, PathBuf), DirectoryError> {
        match self.home {
            Some(home) => Ok((home, real_path(home))),
            None if path.host().starts_with('/') => Ok((Path::new("/"), PathBuf::new())),
            None => Err(DirectoryError::NoHome { path: path.clone() }),
        }
    }

    /// Returns the protected place that is, contains or lies in this directory now.
    fn overlapping(&self, real: &Path) -> io::Result<Option<PathBuf>> {
        let mounts = kept(&self.mounts, Mounts::read)?;
        let kernel = ["/proc", "/sys"]
            .map(PathBuf::from)
            .into_iter()
            .find(|path| mounts.overlap(real, path));
        if kernel.is_some() {
            return Ok(kernel);
        }
        let protected = kept(&self.protected, || Protected::find(self.roots.iter()))?;
        if let Some(place) = protected.places.iter().find(|place| mounts.overlap_below(real, place))
        {
            return Ok(Some(place.clone()));
        }
        match protected.same_as(real) {
            Some(place) => Ok(Some(place)),
            None => protected.linked_into(real),
        }
    }
}

/// Returns the kept value, or reads it.
fn kept<T>(cell: &OnceCell<T>, read: impl FnOnce() -> io::Result<T>) -> io::Result<&T> {
    match cell.get() {
        Some(value) => Ok(value),
        None => {
            let value = read()?;
            Ok(cell.get_or_init(|| value))
        }
    }
}

/// Returns the target of a dangling link, whose real path is its own.
fn target_of(link: PathBuf) -> PathBuf {
    match (fs::read_link(&link), link.parent()) {
        (Ok(target), Some(parent)) => parent.join(target),
        _ => link,
    }
}

/// Returns the path without links, as far as it exists.
pub(super) fn real_path(path: &Path) -> PathBuf {
    match (fs::canonicalize(path), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(parent), Some(name)) => real_path(parent).join(name),
        _ => path.to_owned(),
    }
}
