//! Ctrl-C while a program runs: the program ends, its call is noted, and this process ends as the
//! signal would have it.

use std::ffi::c_int;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use tokio::sync::oneshot;

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// How long the end of a program may take before this process ends as well: it may wait for a
/// reader of its output.
const GRACE: Duration = Duration::from_millis(500);

/// The signals by which a person or a session ends a process.
pub const ENDING: [c_int; 3] = [SIGINT, SIGTERM, SIGHUP];

/// The signal that came.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// Begins to listen for these signals. The future completes when one comes.
pub fn listen() -> Result<impl Future<Output = ()>, Failure> {
    let mut signals = Signals::new(ENDING)?;
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            SIGNAL.store(signal, Ordering::SeqCst);
            // Nobody may wait any more; then the program has ended by itself.
            let _ = sender.send(());
            std::thread::sleep(GRACE);
            let _ = emulate_default_handler(signal);
        }
    })?;
    Ok(async {
        if receiver.await.is_err() {
            // Without a thread that listens no signal comes.
            std::future::pending::<()>().await;
        }
    })
}

/// Whether a signal came. What a program writes afterwards is not written any more, so that it ends
/// at once.
pub fn came() -> bool {
    SIGNAL.load(Ordering::SeqCst) != 0
}

/// Ends this process soon, whatever it waits for: its time is over, and the reader of what it has
/// to say may have stopped reading.
pub fn end_soon(code: ExitCode) {
    // Without another thread the end comes when somebody reads.
    let _ = std::thread::Builder::new().name("end".to_owned()).spawn(move || {
        std::thread::sleep(GRACE);
        std::process::exit(code.number())
    });
}

/// Ends this process by the signal that came.
pub fn end() -> Failure {
    let _ = emulate_default_handler(SIGNAL.load(Ordering::SeqCst));
    Failure::message(ExitCode::Passed(130), "interrupted")
}

/// Ends this process as one whose reader is gone.
pub fn end_by_broken_pipe() -> Failure {
    let _ = emulate_default_handler(SIGPIPE);
    Failure::message(ExitCode::Passed(141), "the reader of the output is gone")
}
