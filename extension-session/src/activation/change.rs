//! Changes of both files, all or nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use private_files::{
    HeldLock, Sharing, acquire, create_durable_directory, remove_durably, sync_directory,
};

/// How long another process is waited for, which changes the same files within milliseconds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// The mode of both files, less the user's mask: they hold nothing secret.
const MODE: u32 = 0o644;

/// Why the files that start the service cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// Another program's file has the name.
    #[error("`{}` is not a file of sesame's", .0.display())]
    Foreign(PathBuf),
    /// Somebody has edited the file.
    #[error("`{}` was edited since sesame wrote it", .0.display())]
    Edited(PathBuf),
    /// The user forbids the unit to start.
    #[error("the unit `{}` is masked", .0.display())]
    Masked(PathBuf),
    /// A file cannot be looked at.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file cannot be written or removed. Both files are as they were.
    #[error("cannot change `{}`", path.display())]
    Change {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file could not be changed, nor the other one restored.
    #[error("cannot change `{}`, and `{}` is no longer as it was", path.display(), other.display())]
    Halfway {
        /// The file.
        path: PathBuf,
        /// The other file.
        other: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The directory of a file cannot be locked.
    #[error("cannot lock `{}`", path.display())]
    Lock {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The contents of a file before and after. Without contents there is no file.
pub(super) struct Change {
    pub path: PathBuf,
    pub old: Option<String>,
    pub new: Option<String>,
}

/// The locks of the directories of both files.
pub(super) struct Locked {
    _held: Vec<HeldLock>,
}

impl Locked {
    /// Locks the present directories, always in the same order, and removes leftovers of a killed
    /// process left beside these files.
    pub fn around(files: [&Path; 2]) -> Result<Self, ActivationError> {
        let directories = files.into_iter().filter_map(Path::parent);
        let held = directories.filter(|directory| directory.is_dir()).map(lock);
        let locked = Self { _held: held.collect::<Result<_, _>>()? };
        files.into_iter().try_for_each(|path| {
            remove_durably(&staged(path)).map(drop).map_err(|source| change_error(path, source))
        })?;
        Ok(locked)
    }
}

fn lock(directory: &Path) -> Result<HeldLock, ActivationError> {
    let error = |source| ActivationError::Lock { path: directory.to_owned(), source };
    let file = File::open(directory).map_err(error)?;
    acquire(file, Sharing::Exclusive, LOCK_TIMEOUT).map_err(|failure| error(failure.into()))
}

/// Makes the directory of a file.
pub(super) fn make_directory(path: &Path) -> Result<(), ActivationError> {
    let made = path.parent().map_or(Ok(()), create_durable_directory);
    made.map_err(|source| change_error(path, source))
}

/// Changes files one after the other. When one fails, it and those before it are restored, so that
/// an error means that nothing has changed.
///
/// New contents are written before the first change: a full disk changes nothing.
pub(super) fn apply(changes: &[Change]) -> Result<(), ActivationError> {
    for change in changes {
        if let Err(source) = change.stage() {
            changes.iter().for_each(|change| drop(fs::remove_file(staged(&change.path))));
            return Err(change_error(&change.path, source));
        }
    }
    for (at, change) in changes.iter().enumerate() {
        if let Err(source) = change.put() {
            return Err(restore(&changes[..=at], &changes[at + 1..], source));
        }
    }
    Ok(())
}

/// Restores the changed files, and removes leftovers of the others. Returns the
/// error of the last change.
fn restore(done: &[Change], open: &[Change], source: io::Error) -> ActivationError {
    open.iter().for_each(|change| drop(fs::remove_file(staged(&change.path))));
    // Each is tried, even if one before it fails.
    let failed: Vec<_> = done.iter().rev().filter(|change| change.undo().is_err()).collect();
    let path = done.last().map(|change| change.path.clone()).unwrap_or_default();
    match failed.first() {
        Some(failed) => ActivationError::Halfway { path, other: failed.path.clone(), source },
        None => ActivationError::Change { path, source },
    }
}

impl Change {
    fn stage(&self) -> io::Result<()> {
        self.new.as_ref().map_or(Ok(()), |text| write_staged(&self.path, text))
    }

    fn put(&self) -> io::Result<()> {
        match &self.new {
            Some(_) => rename_staged(&self.path),
            None => remove_durably(&self.path).map(drop),
        }
    }

    fn undo(&self) -> io::Result<()> {
        let _ = fs::remove_file(staged(&self.path));
        if fs::read_to_string(&self.path).ok() == self.old {
            return Ok(());
        }
        match &self.old {
            Some(text) => write_staged(&self.path, text).and_then(|()| rename_staged(&self.path)),
            None => remove_durably(&self.path).map(drop),
        }
    }
}

fn write_staged(path: &Path, text: &str) -> io::Result<()> {
    // `create_new` follows no link that something has put there.
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(MODE).open(staged(path))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn rename_staged(path: &Path) -> io::Result<()> {
    fs::rename(staged(path), path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Returns the path of the file that takes another's place. Its name is fixed, so that the next run
/// finds it after a kill, and neither systemd nor the bus reads it.
fn staged(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}

fn change_error(path: &Path, source: io::Error) -> ActivationError {
    ActivationError::Change { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use private_files::LockFailure;

    use super::*;

    fn change(path: PathBuf, old: Option<&str>, new: Option<&str>) -> Change {
        let text = |text: &str| text.to_owned();
        Change { path, old: old.map(text), new: new.map(text) }
    }

    /// Returns the names in a directory.
    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("read").flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The second file cannot get its name: a directory has it. The first is as before.
    #[test]
    fn failing_change_restores_first() {
        for old in [None, Some("old")] {
            let root = tempfile::tempdir().expect("a directory");
            let (first, second) = (root.path().join("first"), root.path().join("second"));
            if let Some(text) = old {
                fs::write(&first, text).expect("written");
            }
            fs::create_dir_all(second.join("inside")).expect("made");
            for new in [Some("new"), None] {
                let changes =
                    [change(first.clone(), old, new), change(second.clone(), None, Some("new"))];
                let error = apply(&changes).expect_err("a directory is there");
                assert!(
                    matches!(&error, ActivationError::Change { path, .. } if *path == second),
                    "{error}"
                );
                assert_eq!(fs::read_to_string(&first).ok().as_deref(), old, "{new:?}");
            }
            assert!(!names(root.path()).iter().any(|name| name.ends_with(".new")));
        }
    }

    /// A file that cannot be written at all changes nothing.
    #[test]
    fn failing_write_changes_nothing() {
        let root = tempfile::tempdir().expect("a directory");
        let first = root.path().join("first");
        fs::write(&first, "old").expect("written");
        let second = root.path().join("missing/second");
        let changes =
            [change(first.clone(), Some("old"), Some("new")), change(second, None, Some("new"))];
        assert!(matches!(apply(&changes), Err(ActivationError::Change { .. })));
        assert_eq!(fs::read_to_string(&first).expect("there"), "old");
        assert_eq!(names(root.path()), ["first"]);
    }

    #[test]
    fn locks_wait_and_leftovers_go() {
        let root = tempfile::tempdir().expect("a directory");
        let (one, other) = (root.path().join("one"), root.path().join("none/other"));
        fs::write(staged(&one), "half").expect("written");
        let locked = Locked::around([&one, &other]).expect("free");
        assert_eq!(names(root.path()), Vec::<String>::new());
        let second =
            acquire(File::open(root.path()).expect("open"), Sharing::Exclusive, Duration::ZERO);
        assert!(matches!(second, Err(LockFailure::Held)));
        drop(locked);
    }
}
