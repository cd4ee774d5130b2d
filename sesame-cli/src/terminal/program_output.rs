//! The output of a program under `run`: the bytes as they are, or escaped where a terminal would
//! act on them.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use extension_host::OutputSink;

use super::escape::escape_control;
use super::interrupt;
use super::timed_write::{WriteTimeout, write_with_timeout};

/// The time for the last output to be written after the program has ended. A person hardly notices
/// half a second.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// One of the two output streams of this process, for a program.
pub struct ProgramOutput {
    stream: Stream,
    /// The start of a character, kept from the terminal until it is complete; nothing where there
    /// is no terminal.
    unfinished: Option<Mutex<Vec<u8>>>,
}

enum Stream {
    Stdout,
    Stderr,
}

impl ProgramOutput {
    /// Returns standard output.
    pub fn stdout() -> Self {
        Self { stream: Stream::Stdout, unfinished: io::stdout().is_terminal().then(Mutex::default) }
    }

    /// Returns standard error.
    pub fn stderr() -> Self {
        Self { stream: Stream::Stderr, unfinished: io::stderr().is_terminal().then(Mutex::default) }
    }

    /// Prints an unfinished character as it is.
    pub fn finish(&self) {
        let Some(unfinished) = &self.unfinished else { return };
        let rest = std::mem::take(&mut *unfinished.lock().unwrap_or_else(PoisonError::into_inner));
        // The program has ended, so a failed write is not an error any more.
        let rest = escape_control(&String::from_utf8_lossy(&rest));
        let _ = self.write_through(rest.as_bytes(), Instant::now() + LAST_WORDS);
    }

    fn write_through(&self, bytes: &[u8], deadline: Instant) -> io::Result<()> {
        match self.stream {
            Stream::Stdout => {
                write_with_timeout(io::stdout().as_fd(), bytes, WriteTimeout::Until(deadline))
            }
            Stream::Stderr => {
                write_with_timeout(io::stderr().as_fd(), bytes, WriteTimeout::Until(deadline))
            }
        }
    }
}

impl OutputSink for ProgramOutput {
    fn write(&self, bytes: &[u8], deadline: Instant) -> io::Result<()> {
        if interrupt::came() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let Some(unfinished) = &self.unfinished else { return self.write_through(bytes, deadline) };
        let mut unfinished = unfinished.lock().unwrap_or_else(PoisonError::into_inner);
        unfinished.extend_from_slice(bytes);
        let whole = whole_characters(&unfinished);
        let shown = escape_control(&String::from_utf8_lossy(&unfinished[..whole]));
        unfinished.drain(..whole);
        self.write_through(shown.as_bytes(), deadline)
    }
}

/// Returns the number of bytes up to the last complete character.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        // Invalid bytes are shown as such; only an end can be unfinished.
        Err(error) => {
            let behind = error.valid_up_to() + error.error_len().unwrap_or_default();
            behind + whole_characters(&bytes[behind..])
        }
        Ok(_) => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_characters_wait_for_their_end() {
        for (bytes, expected) in [
            ("añ".as_bytes(), 3),
            (b"a\xc3", 1),
            (b"\xff\xc3", 1),
            (b"\xff\xffa", 3),
            (b"\xf0\x9f\x99", 0),
            (b"", 0),
        ] {
            assert_eq!(whole_characters(bytes), expected, "{bytes:?}");
        }
    }
}
