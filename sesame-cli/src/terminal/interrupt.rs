//! Ctrl-C while a program runs: the program ends, its call is logged, and this process ends by the
//! signal.

use std::ffi::c_int;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use tokio::sync::oneshot;

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// The time for a program to end before this process ends as well: the program may wait for a
/// reader of its output. A person hardly notices half a second.
const GRACE: Duration = Duration::from_millis(500);

/// The time for the calls of a service to end: a session that ends waits for it.
const GRACE_OF_SERVICE: Duration = Duration::from_secs(5);

/// The signals by which a person or a session ends a process.
pub const ENDING: [c_int; 3] = [SIGINT, SIGTERM, SIGHUP];

/// The signal that arrived.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// Starts to listen for these signals. The future completes at the first one.
pub fn listen() -> Result<impl Future<Output = ()>, Failure> {
    let mut signals = Signals::new(ENDING)?;
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            SIGNAL.store(signal, Ordering::SeqCst);
            // The receiver is gone if the program has ended by itself.
            let _ = sender.send(());
            std::thread::sleep(GRACE);
            let _ = emulate_default_handler(signal);
        }
    })?;
    Ok(async {
        if receiver.await.is_err() {
            // Without a thread that listens, no signal arrives.
            std::future::pending::<()>().await;
        }
    })
}

/// The wait of a service for the signal that ends it.
pub struct EndOfService(Signals);

/// Starts to listen for the signals that end a service, which ends in its own time then.
pub fn wait_for_end() -> Result<EndOfService, Failure> {
    Ok(EndOfService(Signals::new(ENDING)?))
}

impl EndOfService {
    /// Calls a function on a thread of its own when a signal arrives.
    pub fn then(mut self, tell: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            if self.0.forever().next().is_some() {
                tell();
            }
        })?;
        Ok(())
    }
}

/// Ends this process when the reader of its output is gone, as a write would, also while there is
/// nothing to write: a bar that crashed leaves nobody behind.
pub fn end_with_reader() -> Result<(), Failure> {
    std::thread::Builder::new().name("reader".to_owned()).spawn(|| {
        let stdout = std::io::stdout();
        // Nothing is asked for: only the end of the other side ends the wait.
        let mut reader = [PollFd::new(&stdout, PollFlags::empty())];
        while poll(&mut reader, None) == Err(Errno::INTR) {}
        if reader[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            let _ = emulate_default_handler(SIGPIPE);
        }
    })?;
    Ok(())
}

/// Gives a service [`GRACE_OF_SERVICE`] to end, and ends this process then.
pub fn end_service(code: ExitCode) {
    end_after(GRACE_OF_SERVICE, code);
}

/// Returns whether a signal arrived. Later output of a program is dropped, so that it ends at once.
pub fn came() -> bool {
    SIGNAL.load(Ordering::SeqCst) != 0
}

/// Ends this process soon, even in the middle of a write: its time is over, and the reader of its
/// error may have stopped reading.
pub fn end_soon(code: ExitCode) {
    end_after(GRACE, code);
}

/// Ends this process after a while. If no thread can be started, it ends by itself: once its output
/// is read, or once its calls have ended.
fn end_after(grace: Duration, code: ExitCode) {
    let _ = std::thread::Builder::new().name("end".to_owned()).spawn(move || {
        std::thread::sleep(grace);
        std::process::exit(code.number())
    });
}

/// Ends this process by the signal that arrived.
pub fn end() -> Failure {
    let _ = emulate_default_handler(SIGNAL.load(Ordering::SeqCst));
    Failure::message(ExitCode::Passed(130), "interrupted")
}

/// Ends this process as one whose output pipe was closed.
pub fn end_by_broken_pipe() -> Failure {
    let _ = emulate_default_handler(SIGPIPE);
    Failure::message(ExitCode::Passed(141), "the reader of the output is gone")
}
