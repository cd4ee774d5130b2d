//! Locks of files and directories, waited for only for a time.

use std::fs::{File, TryLockError};
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;

/// The time between two attempts: locks are held for milliseconds, and a waiting call shall not be
/// slower than that.
const PAUSE: Duration = Duration::from_millis(1);

/// Whether others may hold the lock at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Only one holder.
    Exclusive,
    /// Any number of holders that share it.
    Shared,
}

/// The reason why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockFailure {
    /// Another process held it all the time.
    #[error("another process holds the lock")]
    Held,
    /// The file system lacks locks, as some network file systems and some of FUSE. Changes without
    /// them are not safe.
    #[error("its file system has no locks ({0})")]
    Unsupported(io::Error),
    /// The system refuses.
    #[error(transparent)]
    Io(io::Error),
}

/// A locked file or directory, released on drop. The kernel releases it at the end of the process,
/// however it ends.
///
/// Closing the file would not be enough: a child that another thread has just forked has a copy of
/// the descriptor, and with it the lock, until it becomes another program.
#[derive(Debug)]
pub struct HeldLock(File);

impl Drop for HeldLock {
    fn drop(&mut self) {
        // Closing releases it as well, only later.
        let _ = self.0.unlock();
    }
}

impl Deref for HeldLock {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl DerefMut for HeldLock {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.0
    }
}

/// Waits for the lock of a file or directory for at most `timeout`.
///
/// ```
/// use private_files::{LockFailure, Sharing, acquire};
/// use std::time::Duration;
///
/// let file = tempfile::NamedTempFile::new()?;
/// let (first, second) = (file.reopen()?, file.reopen()?);
/// let held = acquire(first, Sharing::Exclusive, Duration::ZERO)?;
/// let failure = acquire(second, Sharing::Shared, Duration::from_millis(5)).unwrap_err();
/// assert!(matches!(failure, LockFailure::Held));
/// # drop(held);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When another process holds the lock for longer, or the system refuses.
pub fn acquire(file: File, sharing: Sharing, timeout: Duration) -> Result<HeldLock, LockFailure> {
    let since = Instant::now();
    loop {
        let tried = match sharing {
            Sharing::Exclusive => file.try_lock(),
            Sharing::Shared => file.try_lock_shared(),
        };
        match tried {
            Ok(()) => return Ok(HeldLock(file)),
            Err(TryLockError::Error(error)) => return Err(error.into()),
            Err(TryLockError::WouldBlock) if since.elapsed() > timeout => {
                return Err(LockFailure::Held);
            }
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
        }
    }
}

/// Returns whether nothing in a directory can be locked.
pub fn is_without_locks(directory: &Path) -> bool {
    let Ok(directory) = File::open(directory) else { return false };
    let Err(TryLockError::Error(error)) = directory.try_lock_shared() else { return false };
    matches!(LockFailure::from(error), LockFailure::Unsupported(_))
}

impl From<io::Error> for LockFailure {
    fn from(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(Errno::NOLCK | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL) => {
                Self::Unsupported(error)
            }
            _ => Self::Io(error),
        }
    }
}

impl From<TryLockError> for LockFailure {
    fn from(error: TryLockError) -> Self {
        match error {
            TryLockError::WouldBlock => Self::Held,
            TryLockError::Error(error) => error.into(),
        }
    }
}

/// An error of the system with the same words.
impl From<LockFailure> for io::Error {
    fn from(failure: LockFailure) -> Self {
        match failure {
            LockFailure::Held => io::ErrorKind::TimedOut.into(),
            LockFailure::Unsupported(_) => {
                Self::new(io::ErrorKind::Unsupported, failure.to_string())
            }
            LockFailure::Io(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_lock_is_given_up() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let opened = || file.reopen().expect("opened");
        let held = acquire(opened(), Sharing::Exclusive, Duration::ZERO).expect("free");
        let failure = acquire(opened(), Sharing::Shared, Duration::from_millis(20));
        let error = io::Error::from(failure.expect_err("held"));
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(held);
        acquire(opened(), Sharing::Exclusive, Duration::ZERO).expect("free again");
    }

    /// A copy of the descriptor, as a child has between fork and exec, does not keep the lock.
    #[test]
    fn copy_does_not_keep_the_lock() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let opened = || file.reopen().expect("opened");
        let held = acquire(opened(), Sharing::Exclusive, Duration::ZERO).expect("free");
        let _copy = held.try_clone().expect("copied");
        drop(held);
        acquire(opened(), Sharing::Exclusive, Duration::ZERO).expect("free again");
    }

    /// A file system without locks is named; one that fails is not taken for it.
    #[test]
    fn missing_locks_are_named() {
        for errno in [Errno::NOLCK, Errno::NOTSUP, Errno::NOSYS, Errno::INVAL] {
            let error = io::Error::from(LockFailure::from(io::Error::from(errno)));
            assert_eq!(error.kind(), io::ErrorKind::Unsupported);
            assert!(error.to_string().starts_with("its file system has no locks ("), "{error}");
        }
        let failed = io::Error::from(LockFailure::from(io::Error::from(Errno::IO)));
        assert_eq!(failed.raw_os_error(), Some(Errno::IO.raw_os_error()));
        assert!(!is_without_locks(&std::env::temp_dir()));
        assert!(!is_without_locks(Path::new("/nowhere")));
    }
}
