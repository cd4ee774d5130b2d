//! Calls that may block for ever.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The reason why a call did not return.
#[derive(Debug, thiserror::Error)]
pub enum TimeoutError {
    /// It took longer, or panicked.
    #[error("there was no answer in time")]
    Elapsed,
    /// The system could not start a thread for it.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

/// Runs `work` on a thread of this name and waits at most `timeout` for its result. A call that
/// never returns keeps its thread and nothing else.
///
/// ```
/// use private_files::{TimeoutError, with_timeout};
/// use std::time::Duration;
///
/// assert_eq!(with_timeout("sum", Duration::from_secs(10), || 1 + 1)?, 2);
/// let slow = with_timeout("slow", Duration::from_millis(1), || loop { std::thread::park() });
/// assert!(matches!(slow, Err::<(), _>(TimeoutError::Elapsed)));
/// # Ok::<(), TimeoutError>(())
/// ```
///
/// # Errors
/// When it takes longer, or a thread cannot be started.
pub fn with_timeout<T: Send + 'static>(
    name: &str,
    timeout: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, TimeoutError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let thread = thread::Builder::new().name(name.to_owned());
    // After the timeout the receiver is gone, and the result is dropped.
    let started = thread.spawn(move || drop(sender.send(work())));
    started.map_err(TimeoutError::Thread)?;
    receiver.recv_timeout(timeout).map_err(|_| TimeoutError::Elapsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_is_no_answer() {
        let failed = with_timeout("panics", Duration::from_secs(10), || {
            std::panic::resume_unwind(Box::new("on purpose"))
        });
        assert!(matches!(failed, Err::<(), _>(TimeoutError::Elapsed)));
    }
}
