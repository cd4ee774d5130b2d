//! One change at a time.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::files::{durable, own_file};
use crate::oci::blob::open_plain;

/// How long to wait while one and the same process holds the lock.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);
const SHORT_PAUSE: Duration = Duration::from_millis(1);

/// The right to change installed extensions. The kernel takes it back when the process ends,
/// however it ends.
///
/// It is held while files are put into place, which is milliseconds, and never while anything is
/// downloaded, compiled or asked.
pub(crate) struct Lock {
    _file: File,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it and does not let go.
    #[error("another sesame is changing extensions{}", holder.as_ref().map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Busy {
        /// The process that holds it, as far as it said so.
        holder: Option<String>,
    },
    /// The lock's file cannot be used.
    #[error("cannot lock `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Lock {
    /// Waits for the lock as long as it changes hands, and [`PATIENCE`] while it does not.
    /// `waiting` is called once when the wait begins.
    pub(crate) fn acquire(path: &Path, waiting: &dyn Fn()) -> Result<Self, LockError> {
        let io_error = |source| LockError::Io { path: path.to_owned(), source };
        path.parent().map_or(Ok(()), durable::create_directory).map_err(io_error)?;
        let mut file = own_file::open_to_change(path).map_err(io_error)?;
        let mut holder = None;
        let mut since = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(io_error(explained(error))),
                Err(TryLockError::WouldBlock) => {}
            }
            let now = read_holder(&mut file);
            if holder.is_none() {
                waiting();
            }
            if holder.as_ref() != Some(&now) {
                (holder, since) = (Some(now), Instant::now());
            } else if since.elapsed() > PATIENCE {
                return Err(LockError::Busy { holder: holder.filter(|pid| !pid.is_empty()) });
            }
            std::thread::sleep(PAUSE);
        }
        write_holder(&mut file).map_err(io_error)?;
        Ok(Self { _file: file })
    }
}

/// Whether others may hold a lock at the same time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sharing {
    Alone,
    WithOthers,
}

/// Waits for the lock of a file or directory, and gives back whether it was had in time. It goes
/// when the file is closed.
pub(crate) fn wait_for(file: &File, sharing: Sharing, patience: Duration) -> io::Result<bool> {
    let since = Instant::now();
    loop {
        let tried = match sharing {
            Sharing::Alone => file.try_lock(),
            Sharing::WithOthers => file.try_lock_shared(),
        };
        match tried {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) => return Err(explained(error)),
            Err(TryLockError::WouldBlock) if since.elapsed() > patience => return Ok(false),
            Err(TryLockError::WouldBlock) => std::thread::sleep(SHORT_PAUSE),
        }
    }
}

/// Returns whether nothing in a directory can be locked: some network file systems, and some of
/// FUSE, have no locks.
pub(crate) fn is_without_locks(directory: &Path) -> bool {
    match File::open(directory).map(|file| file.try_lock_shared()) {
        Ok(Err(TryLockError::Error(error))) => is_unsupported(&error),
        _ => false,
    }
}

/// Says of a file system without locks that it has none. Changes without them would not be safe, so
/// there are none.
pub(crate) fn explained(error: io::Error) -> io::Error {
    if is_unsupported(&error) {
        return io::Error::new(
            io::ErrorKind::Unsupported,
            format!("its file system has no locks ({error})"),
        );
    }
    error
}

fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::NOLCK | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL)
    )
}

/// The process that holds a lock now, as far as it said so; nothing when nobody does.
pub(crate) fn holder(path: &Path) -> Option<String> {
    let (mut file, _) = open_plain(path).ok()?;
    matches!(file.try_lock(), Err(TryLockError::WouldBlock)).then(|| read_holder(&mut file))
}

fn read_holder(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.rewind();
    let _ = file.take(20).read_to_string(&mut text);
    text.trim().chars().filter(char::is_ascii_digit).collect()
}

/// Says who holds the lock, for those who wait. Not durable, and nothing depends on it.
fn write_holder(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A file system without locks is named; one that fails is not taken for it.
    #[test]
    fn missing_locks_are_named() {
        for errno in [Errno::NOLCK, Errno::NOTSUP, Errno::NOSYS, Errno::INVAL] {
            let error = explained(errno.into());
            assert_eq!(error.kind(), io::ErrorKind::Unsupported);
            assert!(error.to_string().starts_with("its file system has no locks ("), "{error}");
        }
        assert_eq!(explained(Errno::IO.into()).raw_os_error(), Some(Errno::IO.raw_os_error()));
        assert!(
            !is_without_locks(&std::env::temp_dir()) && !is_without_locks(Path::new("/nowhere"))
        );
    }

    #[test]
    fn the_second_waits_until_the_first_lets_go_and_says_so() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("deep/lock");
        let first = Lock::acquire(&path, &|| panic!("nobody holds it")).expect("free");
        let waited = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let second = scope
                .spawn(|| Lock::acquire(&path, &|| waited.store(true, Ordering::SeqCst)).map(drop));
            while !waited.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            drop(first);
            second.join().expect("no panic").expect("free again");
        });
    }
}
