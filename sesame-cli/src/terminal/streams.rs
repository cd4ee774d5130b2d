//! The three standard streams: data, messages, and questions to a person.

use std::fs::OpenOptions;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::termios::{QueueSelector, Winsize, tcflush, tcgetwinsize};

use super::escape::escape_control;
use super::pager::page_with_pager;
use super::style::{Colour, paint_labels};
use super::timed_write::{WriteTimeout, write_with_timeout};

/// The longest password, in bytes: far longer than one that a person or a script uses.
const MAX_PASSWORD: u64 = 64 << 10;

/// The longest answer to a question, in bytes: a path or a host with room to spare.
const MAX_ANSWER: u64 = 1024;

/// Whether standard input has ended. Nothing more can be asked then.
static ENDED: AtomicBool = AtomicBool::new(false);

/// How long a reader of the output is waited for that takes nothing. Without one it is for ever, as
/// a person may be at work in a pager.
static WRITE_TIMEOUT: OnceLock<Duration> = OnceLock::new();

/// The state of the three standard streams.
#[derive(Debug, Clone)]
pub struct Terminal {
    stdin: bool,
    stdout: bool,
    stderr: bool,
    colour: Colour,
}

impl Terminal {
    /// Looks at the streams of this process.
    pub fn detect(colour: Colour) -> Self {
        Self {
            colour,
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
        }
    }

    /// Returns the same streams without a person to be asked.
    pub fn without_questions(&self) -> Self {
        Self { stdin: false, ..self.clone() }
    }

    /// Returns whether standard output goes to a person.
    pub fn shows_output(&self) -> bool {
        self.stdout
    }

    /// Returns whether data may have colours.
    pub fn has_styles(&self) -> bool {
        self.colour.holds_for(self.stdout)
    }

    /// Returns whether standard error goes to a person.
    pub fn shows_progress(&self) -> bool {
        self.stderr
    }

    /// Returns whether a person uses a program that has these streams.
    pub fn is_attended(&self) -> bool {
        self.stdin || self.stdout
    }

    /// Limits the wait for a reader that takes nothing, unless a person can be at one of the
    /// streams: they may be reading in a pager.
    pub fn limit_waiting(&self, time: Duration) {
        if !(self.stdin || self.stdout || self.stderr) {
            // It is set once in the life of a process, by the one call that it makes.
            let _ = WRITE_TIMEOUT.set(time);
        }
    }

    /// Returns whether a person can be asked.
    pub fn is_interactive(&self) -> bool {
        self.stdin && self.stderr
    }

    /// Returns the columns of the terminal of standard output.
    pub fn width(&self) -> Option<u16> {
        columns(size_of(self.stdout, io::stdout())?)
    }

    /// Returns the columns of the terminal for help and errors.
    pub fn reading_width(&self) -> Option<u16> {
        self.width().or_else(|| columns(size_of(self.stderr, io::stderr())?))
    }

    /// Writes data. On a terminal it is escaped first.
    pub fn data(&self, bytes: &[u8]) -> io::Result<()> {
        if self.stdout {
            return write(io::stdout(), escape_control(&String::from_utf8_lossy(bytes)).as_bytes());
        }
        write(io::stdout(), bytes)
    }

    /// Lets a person read a text that is escaped but for styles of our own: in the pager if it is
    /// longer than the screen, or as it is where there is none.
    pub fn page(&self, styled: &str) -> io::Result<()> {
        if styled.lines().count() < usize::from(self.height().unwrap_or(u16::MAX))
            || !page_with_pager(styled)
        {
            let mut stdout = io::stdout().lock();
            stdout.write_all(styled.as_bytes())?;
            return stdout.flush();
        }
        Ok(())
    }

    fn height(&self) -> Option<u16> {
        let rows = size_of(self.stdout, io::stdout())?.ws_row;
        (rows > 0).then_some(rows)
    }

    /// Writes a line to standard error. A closed standard error is not an error.
    pub fn status(&self, text: &str) {
        let _ = self.stderr(&format!("{text}\n"));
    }

    /// Writes to standard error, with labels painted and everything else escaped: much of it
    /// contains untrusted text.
    pub fn stderr(&self, text: &str) -> io::Result<()> {
        let mut text = escape_control(text);
        if self.colour.holds_for(self.stderr) {
            text = paint_labels(&text);
        }
        write(io::stderr(), text.as_bytes())
    }

    /// Asks a question that is answered with yes or no; no is the default.
    pub fn confirm(&self, question: &str) -> io::Result<bool> {
        let answer = self.ask(&format!("{question} [y/N]"))?;
        Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks for a password, which is not shown while it is typed.
    pub fn ask_password(&self, question: &str) -> io::Result<String> {
        self.forget_typed_ahead();
        rpassword::prompt_password(escape_control(&format!("{question} (not shown): ")))
    }

    /// Reads a password from standard input, without the end of its line.
    pub fn password_from_stdin() -> io::Result<String> {
        let mut password = String::new();
        io::stdin().lock().take(MAX_PASSWORD).read_to_string(&mut password)?;
        Ok(password.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Asks a question that is answered with a line, without the blanks around it.
    pub fn ask(&self, question: &str) -> io::Result<String> {
        self.forget_typed_ahead();
        self.stderr(&format!("{question} "))?;
        if ENDED.load(Ordering::Relaxed) {
            return Ok(String::new());
        }
        let mut answer = String::new();
        let mut stdin = io::stdin().lock();
        if stdin.by_ref().take(MAX_ANSWER).read_line(&mut answer)? == 0 {
            ENDED.store(true, Ordering::Relaxed);
        } else if !answer.ends_with('\n') {
            // The rest of the line is not the answer to the next question.
            stdin.skip_until(b'\n')?;
        }
        Ok(answer.trim().to_owned())
    }

    /// Forgets the keys that were pressed before a question could be read: they are not an answer
    /// to it.
    fn forget_typed_ahead(&self) {
        if self.stdin {
            // Whole lines first: the end of the input is among them, and would be forgotten with
            // the rest.
            if typed_ahead().is_ok_and(|has_ended| has_ended) {
                ENDED.store(true, Ordering::Relaxed);
            }
            // Where this fails, standard input is not a terminal any more, and nothing can be typed
            // ahead.
            let _ = tcflush(io::stdin(), QueueSelector::IFlush);
        }
    }
}

/// Writes to one of the streams of this process, and waits for its reader as long as was set.
fn write(mut to: impl Write + AsFd, bytes: &[u8]) -> io::Result<()> {
    to.flush()?;
    match WRITE_TIMEOUT.get() {
        Some(time) => write_with_timeout(to.as_fd(), bytes, WriteTimeout::PerPiece(*time)),
        None => write_all(to.as_fd(), bytes),
    }
}

/// Writes all bytes. The standard library would take them for written where the stream is closed.
fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn size_of(is_terminal: bool, stream: impl AsFd) -> Option<Winsize> {
    is_terminal.then(|| tcgetwinsize(stream).ok()).flatten()
}

/// Returns the columns of a terminal. Some say that they have none.
fn columns(size: Winsize) -> Option<u16> {
    (size.ws_col > 0).then_some(size.ws_col)
}

/// Reads the lines that were typed before a question, and returns whether the input ended with
/// them. The terminal is opened once more, since other users of standard input still have to wait
/// there.
fn typed_ahead() -> io::Result<bool> {
    let flags = i32::try_from((OFlags::NONBLOCK | OFlags::NOCTTY).bits()).unwrap_or_default();
    let mut terminal = OpenOptions::new().read(true).custom_flags(flags).open("/proc/self/fd/0")?;
    let mut line = [0; 4096];
    while terminal.read(&mut line)? > 0 {}
    Ok(true)
}
