//! Locks of files, waited for no longer than they are worth.

use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(1);

/// Waits for the exclusive lock of a file or directory, which goes when the file is closed.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] when another process, one that was stopped perhaps, holds it for longer; or what the system says.
pub(crate) fn acquire(file: &File, patience: Duration) -> io::Result<()> {
    let since = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if since.elapsed() > patience => return Err(io::ErrorKind::TimedOut.into()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_somebody_keeps_is_given_up() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let (held, wanted) = (file.reopen().expect("opened"), file.reopen().expect("opened"));
        acquire(&held, Duration::ZERO).expect("free");
        let error = acquire(&wanted, Duration::from_millis(20)).expect_err("held");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(held);
        acquire(&wanted, Duration::ZERO).expect("free again");
    }
}
