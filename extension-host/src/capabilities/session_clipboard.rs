//! The clipboard of a session, with the child process that holds a text.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use core_types::Capability;

use super::backends::{BackendError, Clipboard, timed_out};
use super::clipboard_holder::HELD;

/// The clipboard of a session.
///
/// On X11 and Wayland a text is on the clipboard as long as a program hands it out, so that a
/// child process holds it until it is replaced.
#[derive(Clone)]
pub struct SessionClipboard {
    /// Makes the command of the holder for each text, since a display can come and go while a program
    /// runs; `None` in a session without a display.
    pub holder: Arc<dyn Fn() -> Option<HolderCommand> + Send + Sync>,
}

/// The command line of a program that calls [`crate::hold_clipboard`].
#[derive(Debug, Clone)]
pub struct HolderCommand {
    /// The program, usually the running one.
    pub program: PathBuf,
    /// The arguments that make it a holder, and of which clipboard.
    pub arguments: Vec<OsString>,
    /// The variables by which it finds the display, and no others.
    pub environment: Vec<(OsString, OsString)>,
}

impl Clipboard for SessionClipboard {
    fn set_text(&self, text: &str, deadline: Instant) -> Result<(), BackendError> {
        let Some(holder) = (self.holder)() else {
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
fn answer_until(child: &mut Child, text: &str, deadline: Instant) -> Result<String, BackendError> {
    let (input, output, text) = (child.stdin.take(), child.stdout.take(), text.to_owned());
    let left = deadline.saturating_duration_since(Instant::now());
    let answer = private_files::with_timeout("sesame-clipboard", left, move || {
        hand_over(input, output, &text)
    });
    answer
        .map_err(|error| timed_out(error, Capability::ClipboardWrite))?
        .map_err(|error| BackendError::Other(error.to_string()))
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
