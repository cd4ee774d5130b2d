//! One change at a time.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use private_files::{
    HeldLock, LockFailure, Sharing, acquire, create_durable_directory, open_regular, open_to_change,
};

/// The wait while one and the same process holds the lock, which is held for milliseconds: after
/// this long it was stopped.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(30);
/// The time between two attempts of a change, which takes some milliseconds itself.
const PAUSE: Duration = Duration::from_millis(20);

/// The right to change installed extensions. The kernel takes it back when the process ends,
/// however it ends.
///
/// It is held while files are put into place, which is milliseconds, and never while anything is
/// downloaded, compiled or asked.
pub(crate) struct Lock {
    _held: HeldLock,
}

/// The reason why the lock is not held.
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
        /// The error of the system.
        source: io::Error,
    },
}

impl Lock {
    /// Waits for the lock as long as it changes hands, and [`LOCK_TIMEOUT`] while it does not.
    /// `waiting` is called once when the wait begins.
    pub(crate) fn acquire(path: &Path, waiting: &dyn Fn()) -> Result<Self, LockError> {
        let io_error = |source| LockError::Io { path: path.to_owned(), source };
        path.parent().map_or(Ok(()), create_durable_directory).map_err(io_error)?;
        let mut file = open_to_change(path).map_err(io_error)?;
        let mut holder = None;
        let mut since = Instant::now();
        let held = loop {
            if let Some(held) = try_acquire(&file).map_err(io_error)? {
                break held;
            }
            let now = read_holder(&mut file);
            if holder.is_none() {
                waiting();
            }
            if holder.as_ref() != Some(&now) {
                (holder, since) = (Some(now), Instant::now());
            } else if since.elapsed() > LOCK_TIMEOUT {
                return Err(LockError::Busy { holder: holder.filter(|pid| !pid.is_empty()) });
            }
            std::thread::sleep(PAUSE);
        };
        write_holder(&mut file).map_err(io_error)?;
        Ok(Self { _held: held })
    }
}

/// Returns the process that holds a lock now, as far as it said so; nothing when the lock is free.
pub(crate) fn holder(path: &Path) -> Option<String> {
    let (mut file, _) = open_regular(path).ok()?;
    matches!(try_acquire(&file), Ok(None)).then(|| read_holder(&mut file))
}

/// Takes the lock if it is free. The file stays open for the name of the holder.
fn try_acquire(file: &File) -> io::Result<Option<HeldLock>> {
    match acquire(file.try_clone()?, Sharing::Exclusive, Duration::ZERO) {
        Ok(held) => Ok(Some(held)),
        Err(LockFailure::Held) => Ok(None),
        Err(failure) => Err(failure.into()),
    }
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

    /// The second waits until the first lets go and says so.
    #[test]
    fn second_waits_for_the_first() {
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
