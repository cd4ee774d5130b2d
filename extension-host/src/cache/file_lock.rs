//! File locks with a timeout.

use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, Instant};

use rustix::io::Errno;

const PAUSE: Duration = Duration::from_millis(1);

/// Waits for the exclusive lock of a file or directory, which ends when the file is closed.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] when another process holds it for longer, or the error of the
/// system.
pub(crate) fn acquire(file: &File, timeout: Duration) -> io::Result<()> {
    wait(timeout, || file.try_lock())
}

/// Waits for the shared lock of a file or directory.
///
/// # Errors
/// As [`acquire`].
pub(crate) fn acquire_shared(file: &File, timeout: Duration) -> io::Result<()> {
    wait(timeout, || file.try_lock_shared())
}

fn wait(timeout: Duration, try_lock: impl Fn() -> Result<(), TryLockError>) -> io::Result<()> {
    let since = Instant::now();
    loop {
        match try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if since.elapsed() > timeout => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
        }
    }
}

/// Tells whether an error is that of a file system without locks, such as some network file systems
/// and some of FUSE.
pub(crate) fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::NOLCK | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_lock_times_out() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let (held, wanted) = (file.reopen().expect("opened"), file.reopen().expect("opened"));
        acquire(&held, Duration::ZERO).expect("free");
        let error = acquire(&wanted, Duration::from_millis(20)).expect_err("held");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(held);
        acquire(&wanted, Duration::ZERO).expect("free again");
    }
}
