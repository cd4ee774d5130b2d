//! The child process that holds a text on the clipboard.

use std::io::{self, Read, Write};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use arboard::SetExtLinux;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use wl_clipboard_rs::copy;
use x11rb::connection::Connection;

use super::backends::BACKEND_TIMEOUT;
use super::clipboard_write::MAX_TEXT;

/// The child's answer when the text is on the clipboard.
pub(super) const HELD: &str = "held";

/// Whether the text is on the clipboard. From then on the child outlives its parent.
static IS_HELD: AtomicBool = AtomicBool::new(false);

/// Why a text could not be put on the clipboard. It is written to standard output, for the
/// parent.
#[derive(Debug, thiserror::Error)]
pub enum HolderFailure {
    /// The compositor has no protocol for programs without a window.
    #[error(
        "the Wayland compositor does not offer `{0}`, which programs without a window need for the clipboard"
    )]
    Protocol(String),
    /// The display server refuses.
    #[error("the display server refuses: {0}")]
    Display(String),
    /// The text cannot be read or the answer not written.
    #[error("cannot reach sesame: {0}")]
    Pipe(#[from] io::Error),
}

/// The kind of clipboard to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// The compositor's of `WAYLAND_DISPLAY`.
    Wayland,
    /// The X server's of `DISPLAY`.
    X11,
}

impl Display {
    /// Returns the name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wayland => "wayland",
            Self::X11 => "x11",
        }
    }
}

impl FromStr for Display {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = [Self::Wayland, Self::X11].into_iter().find(|display| display.name() == name);
        found.ok_or_else(|| format!("unknown display `{}`", name.escape_debug()))
    }
}

/// Runs the child of a [`crate::HolderCommand`]: reads a text from standard input, puts it on the
/// clipboard, says so on standard output, and hands it out until it is replaced.
///
/// # Errors
/// When the text cannot be put there. The error is written to standard output as well.
pub fn hold_clipboard(display: Display) -> Result<(), HolderFailure> {
    // The terminal may close, and the text has to stay.
    let _ = rustix::process::setsid();
    thread::spawn(end_with_parent);
    let mut text = String::new();
    io::stdin().lock().take(MAX_TEXT as u64).read_to_string(&mut text)?;
    let held = match display {
        Display::Wayland => hold_on_wayland(text),
        Display::X11 => hold_on_x11(text),
    };
    held.inspect_err(|failure| drop(say(&failure.to_string())))
}

/// Ends this process when the parent is gone or its timeout is over, unless the text is on the
/// clipboard by then: a display server that does not answer would keep it for ever, without a
/// terminal.
#[expect(clippy::disallowed_methods, reason = "the thread that returns may wait for ever")]
fn end_with_parent() {
    let output = io::stdout();
    let mut parent = [PollFd::new(&output, PollFlags::empty())];
    let timeout = Timespec { tv_sec: BACKEND_TIMEOUT.as_secs() as i64, tv_nsec: 0 };
    // No events are asked for, so that only the closed pipe ends the wait.
    let _ = poll(&mut parent, Some(&timeout));
    if !IS_HELD.load(Ordering::SeqCst) {
        std::process::exit(1);
    }
}

/// Tells the parent that the text is on the clipboard.
fn say_held() -> io::Result<()> {
    IS_HELD.store(true, Ordering::SeqCst);
    say(HELD)
}

/// Writes one line to the parent.
fn say(what: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{}", what.replace('\n', " "))?;
    output.flush()
}

fn hold_on_wayland(text: String) -> Result<(), HolderFailure> {
    let mut options = copy::Options::new();
    options.foreground(true);
    let source = copy::Source::Bytes(text.into_bytes().into());
    let prepared =
        options.prepare_copy(source, copy::MimeType::Text).map_err(|error| match error {
            copy::Error::MissingProtocol { name, .. } => HolderFailure::Protocol(name.to_string()),
            other => HolderFailure::Display(other.to_string()),
        })?;
    say_held()?;
    prepared.serve().map_err(|error| HolderFailure::Display(error.to_string()))
}

/// Holds the text until it is replaced or the display server ends: the library that holds the
/// text does not notice the latter, so that a second connection waits for it.
fn hold_on_x11(text: String) -> Result<(), HolderFailure> {
    let (watched, _) =
        x11rb::connect(None).map_err(|error| HolderFailure::Display(error.to_string()))?;
    let (ended, waiting) = mpsc::channel();
    let server_ended = ended.clone();
    thread::spawn(move || {
        while watched.wait_for_event().is_ok() {}
        server_ended.send(Ok(()))
    });
    thread::spawn(move || ended.send(hold_until_replaced(&text)));
    waiting.recv().unwrap_or(Ok(()))
}

/// Holds the text. The library tells that it holds the text only if it does not wait, and when
/// the text was replaced only if it does. So the text is put there twice, with nothing in
/// between.
fn hold_until_replaced(text: &str) -> Result<(), HolderFailure> {
    let display = |error: arboard::Error| HolderFailure::Display(error.to_string());
    let mut clipboard = arboard::Clipboard::new().map_err(display)?;
    clipboard.set_text(text).map_err(display)?;
    say_held()?;
    clipboard.set().wait().text(text).map_err(display)
}
