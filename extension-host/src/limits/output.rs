//! Standard output and error of a guest during one call: kept for the caller, or passed on as they
//! come.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use core_types::LimitName;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError};

use super::over_limit::OverLimit;

/// The part of standard error that explains a failure, in bytes: ten lines of ordinary length.
const MAX_STDERR_TAIL: usize = 2 * 1024;
/// The maximum of one write to a sink, in bytes. WASI's streams usually permit as much.
const MAX_WRITE: usize = 64 * 1024;

/// Receives the output of a program as it comes, on the thread that runs the program.
pub trait OutputSink: Send + Sync {
    /// Writes all of these bytes. Wait for a slow reader until the deadline, which is that of the
    /// call.
    ///
    /// # Errors
    /// When they cannot be written. [`io::ErrorKind::BrokenPipe`] ends the program, and so does
    /// [`io::ErrorKind::TimedOut`] once the deadline has passed.
    fn write(&self, bytes: &[u8], deadline: Instant) -> io::Result<()>;
}

/// The two output streams of a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamName {
    Stdout,
    Stderr,
}

/// Keeps the output and log of a guest, in order, up to a limit, and the end of its standard error.
///
/// A guest that prints more finds its output closed; one that logs more is stopped. Where there are
/// sinks, the output goes there instead and only the log counts.
#[derive(Clone)]
pub(crate) struct Output {
    kept: Arc<Mutex<Kept>>,
    sinks: Option<(Sinks, Instant)>,
    max: usize,
}

/// The sinks of a program's two streams.
#[derive(Clone)]
pub(crate) struct Sinks {
    pub(crate) stdout: Arc<dyn OutputSink>,
    pub(crate) stderr: Arc<dyn OutputSink>,
}

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    stderr_tail: VecDeque<u8>,
    is_closed: bool,
}

/// The reader of the program's output is gone.
#[derive(Debug, thiserror::Error)]
#[error("the reader of the output is gone")]
pub(crate) struct OutputClosed;

impl Output {
    pub(crate) fn new(max: usize) -> Self {
        Self { kept: Arc::default(), sinks: None, max }
    }

    /// Passes the output on to sinks until the deadline.
    pub(crate) fn passed_to(self, sinks: Option<Sinks>, deadline: Instant) -> Self {
        Self { sinks: sinks.map(|sinks| (sinks, deadline)), ..self }
    }

    /// Returns a stream of the guest.
    pub(crate) fn stream(&self, name: StreamName) -> GuestStream {
        GuestStream { output: self.clone(), name }
    }

    /// Adds a line to the log.
    pub(crate) fn log(&mut self, line: &str) -> Result<(), OverLimit> {
        let mut kept = self.kept();
        if line.len() > self.room(&kept) {
            return Err(OverLimit(LimitName::Output));
        }
        kept.bytes.extend_from_slice(line.as_bytes());
        Ok(())
    }

    /// Tells whether the guest printed more than the limit.
    pub(crate) fn ran_over(&self) -> bool {
        self.kept().bytes.len() > self.max
    }

    /// Tells whether the reader of the output is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.kept().is_closed
    }

    /// Returns the kept bytes.
    pub(crate) fn contents(&self) -> Vec<u8> {
        let kept = self.kept();
        kept.bytes[..kept.bytes.len().min(self.max)].to_vec()
    }

    /// Returns the end of standard error.
    pub(crate) fn stderr_tail(&self) -> Vec<u8> {
        self.kept().stderr_tail.iter().copied().collect()
    }

    /// Returns how much more fits. One byte above the limit tells a full output from one that ran
    /// over.
    fn room(&self, kept: &Kept) -> usize {
        self.max.saturating_add(1).saturating_sub(kept.bytes.len())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, name: StreamName, bytes: &[u8]) -> io::Result<()> {
        let mut kept = self.kept();
        if name == StreamName::Stderr {
            kept.note_stderr(bytes);
        }
        match &self.sinks {
            None => kept.bytes.extend_from_slice(bytes),
            Some((sinks, deadline)) => {
                // The errors of a program are in its log as well, as far as they fit.
                if name == StreamName::Stderr {
                    let room = self.max.saturating_sub(kept.bytes.len()).min(bytes.len());
                    kept.bytes.extend_from_slice(&bytes[..room]);
                }
                drop(kept);
                return sinks
                    .of(name)
                    .write(bytes, *deadline)
                    .inspect_err(|error| self.note_closed(error));
            }
        }
        Ok(())
    }

    fn note_closed(&self, error: &io::Error) {
        if error.kind() == io::ErrorKind::BrokenPipe {
            self.kept().is_closed = true;
        }
    }

    /// Returns how much may be written now; `None` once the output is full.
    fn permitted(&self) -> Option<usize> {
        match self.sinks {
            Some(_) => Some(MAX_WRITE),
            None => Some(self.room(&self.kept())).filter(|room| *room > 0),
        }
    }
}

impl Sinks {
    fn of(&self, name: StreamName) -> &dyn OutputSink {
        match name {
            StreamName::Stdout => &*self.stdout,
            StreamName::Stderr => &*self.stderr,
        }
    }
}

impl Kept {
    fn note_stderr(&mut self, bytes: &[u8]) {
        let last = &bytes[bytes.len().saturating_sub(MAX_STDERR_TAIL)..];
        let surplus = (self.stderr_tail.len() + last.len()).saturating_sub(MAX_STDERR_TAIL);
        self.stderr_tail.drain(..surplus);
        self.stderr_tail.extend(last);
    }
}

/// A standard stream as the guest sees it. It is never a terminal, since its output is escaped
/// before one shows it.
#[derive(Clone)]
pub(crate) struct GuestStream {
    output: Output,
    name: StreamName,
}

impl IsTerminal for GuestStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestStream {
    async fn ready(&mut self) {}
}

impl OutputStream for GuestStream {
    fn write(&mut self, bytes: bytes::Bytes) -> Result<(), StreamError> {
        if self.output.permitted().is_none_or(|permitted| bytes.len() > permitted) {
            return Err(StreamError::trap("wrote more than was permitted"));
        }
        self.output.write(self.name, &bytes).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => StreamError::Trap(OutputClosed.into()),
            io::ErrorKind::TimedOut => StreamError::Trap(error.into()),
            _ => StreamError::LastOperationFailed(error.into()),
        })
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn check_write(&mut self) -> Result<usize, StreamError> {
        self.output.permitted().ok_or(StreamError::Closed)
    }
}

impl AsyncWrite for GuestStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let length = bytes.len().min(self.output.permitted().unwrap_or_default());
        Poll::Ready(self.output.write(self.name, &bytes[..length]).map(|()| length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stderr_tail_is_the_end_of_stderr() {
        let output = Output::new(1 << 20);
        output.write(StreamName::Stdout, b"out").expect("kept");
        output.write(StreamName::Stderr, &[b'a'; 3000]).expect("kept");
        output.write(StreamName::Stderr, b"end").expect("kept");
        let tail = output.stderr_tail();
        assert_eq!((tail.len(), tail.ends_with(b"aend")), (MAX_STDERR_TAIL, true));
        assert_eq!(output.contents().len(), 3006);
    }

    #[test]
    fn output_ends_one_byte_past_limit() {
        let output = Output::new(4);
        let mut stream = output.stream(StreamName::Stdout);
        assert_eq!(stream.check_write().expect("room"), 5);
        output.write(StreamName::Stdout, b"12345").expect("kept");
        assert!(matches!(stream.check_write(), Err(StreamError::Closed)));
        assert!(stream.write(bytes::Bytes::from_static(b"6")).is_err());
        assert_eq!((output.ran_over(), output.contents()), (true, b"1234".to_vec()));
    }

    /// A sink without a reader, or with a full disk.
    struct Failing(io::ErrorKind);

    impl OutputSink for Failing {
        fn write(&self, _: &[u8], _: Instant) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn only_a_broken_pipe_closes_output() {
        for (kind, expected) in
            [(io::ErrorKind::BrokenPipe, true), (io::ErrorKind::StorageFull, false)]
        {
            let sinks = Sinks { stdout: Arc::new(Failing(kind)), stderr: Arc::new(Failing(kind)) };
            let output = Output::new(4).passed_to(Some(sinks), Instant::now());
            assert!(!output.is_closed() && output.write(StreamName::Stdout, b"x").is_err());
            assert_eq!(output.is_closed(), expected, "{kind}");
        }
    }
}
