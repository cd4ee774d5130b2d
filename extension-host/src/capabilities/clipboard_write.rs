//! `open-sesame:host/clipboard-write`: text on the clipboard.

use std::time::Instant;

use core_types::{Capability, Request};

use super::backends::BACKEND_TIMEOUT;
use crate::bindings::open_sesame::host::clipboard_write::Host;
use crate::bindings::open_sesame::host::types::Error;
use crate::calling::{CallState, Size};

/// The maximum of a text, in bytes: enough for any text that a person pastes. The holder keeps it
/// in memory.
const MAX_TEXT: usize = 1 << 20;

impl Host for CallState {
    async fn set_text(&mut self, text: String) -> wasmtime::Result<Result<(), Error>> {
        let size = Size { bytes: text.len(), max: MAX_TEXT };
        let deadline = self.bounds.deadline().min(Instant::now() + BACKEND_TIMEOUT);
        let set =
            move |backends: &crate::Backends, _: &_| backends.clipboard.set_text(&text, deadline);
        self.ask_backend(Request::Use(Capability::ClipboardWrite), size, set).await
    }
}

#[cfg(feature = "clipboard")]
pub use session::{Display, HolderCommand, HolderFailure, SessionClipboard, hold_clipboard};

#[cfg(feature = "clipboard")]
mod session {
    use std::ffi::OsString;
    use std::io::{self, BufRead, BufReader, Read, Write};
    use std::path::PathBuf;
    use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
    use std::str::FromStr;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Instant;

    use arboard::SetExtLinux;
    use core_types::Capability;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use wl_clipboard_rs::copy;
    use x11rb::connection::Connection;

    use super::MAX_TEXT;
    use crate::capabilities::backends::{BACKEND_TIMEOUT, BackendError, Clipboard, no_answer};

    /// The child's answer when the text is on the clipboard.
    const HELD: &str = "held";

    /// Whether the text is on the clipboard. From then on the child outlives its parent.
    static IS_HELD: AtomicBool = AtomicBool::new(false);

    /// The clipboard of a session.
    ///
    /// On X11 and Wayland a text is on the clipboard as long as a program hands it out, so that a
    /// child process holds it until it is replaced.
    #[derive(Debug, Clone)]
    pub struct SessionClipboard {
        /// The command of the holder; `None` in a session without a display.
        pub holder: Option<HolderCommand>,
    }

    /// The command line of a program that calls [`hold_clipboard`].
    #[derive(Debug, Clone)]
    pub struct HolderCommand {
        /// The program, usually the running one.
        pub program: PathBuf,
        /// The arguments that make it a holder, and of which clipboard.
        pub arguments: Vec<OsString>,
        /// The variables by which it finds the display, and no others.
        pub environment: Vec<(OsString, OsString)>,
    }

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

    impl Clipboard for SessionClipboard {
        fn set_text(&self, text: &str, deadline: Instant) -> Result<(), BackendError> {
            let Some(holder) = &self.holder else {
                return Err(BackendError::Unavailable("this session has no display".to_owned()));
            };
            let mut child = holder.start().map_err(|error| {
                BackendError::Other(format!("cannot start `{}`: {error}", holder.program.display()))
            })?;
            let answer = answer_until(&mut child, text, deadline);
            if matches!(&answer, Ok(answer) if answer == HELD) {
                // It holds the text until it is replaced. A thread waits for its end, or it would
                // stay a zombie.
                let reaping = thread::Builder::new().name("sesame-clipboard".to_owned());
                let _ = reaping.spawn(move || child.wait());
                return Ok(());
            }
            // A child with another answer ends by itself; one without an answer has to be killed.
            let _ = child.kill();
            let _ = child.wait();
            let answer = answer?;
            Err(BackendError::Unavailable(if answer.is_empty() {
                "the clipboard refuses".to_owned()
            } else {
                answer
            }))
        }
    }

    /// Gives the child the text and waits for its answer, on a thread: a display server that does
    /// not answer blocks both.
    fn answer_until(
        child: &mut Child,
        text: &str,
        deadline: Instant,
    ) -> Result<String, BackendError> {
        let (input, output, text) = (child.stdin.take(), child.stdout.take(), text.to_owned());
        let (answer, answered) = mpsc::sync_channel(1);
        let talking = thread::Builder::new().name("sesame-clipboard".to_owned());
        let talking = talking.spawn(move || answer.send(hand_over(input, output, &text)));
        talking.map_err(|error| BackendError::Other(format!("cannot start a thread: {error}")))?;
        match answered.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(answer) => answer.map_err(|error| BackendError::Other(error.to_string())),
            Err(_) => Err(no_answer(Capability::ClipboardWrite)),
        }
    }

    impl HolderCommand {
        fn start(&self) -> io::Result<Child> {
            Command::new(&self.program)
                .args(&self.arguments)
                .env_clear()
                .envs(self.environment.iter().map(|(name, value)| (name, value)))
                .current_dir("/")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
        }
    }

    fn hand_over(
        input: Option<ChildStdin>,
        output: Option<ChildStdout>,
        text: &str,
    ) -> io::Result<String> {
        if let Some(mut input) = input {
            input.write_all(text.as_bytes())?;
        }
        let mut answer = String::new();
        if let Some(output) = output {
            BufReader::new(output.take(1024)).read_line(&mut answer)?;
        }
        Ok(answer.trim_end().to_owned())
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
            let found =
                [Self::Wayland, Self::X11].into_iter().find(|display| display.name() == name);
            found.ok_or_else(|| format!("unknown display `{}`", name.escape_debug()))
        }
    }

    /// Runs the child of a [`HolderCommand`]: reads a text from standard input, puts it on the
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
                copy::Error::MissingProtocol { name, .. } => {
                    HolderFailure::Protocol(name.to_string())
                }
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
}
