//! What a guest prints and logs during one call.

use wasmtime_wasi::p2::OutputStream;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

/// Keeps what a guest prints and logs, in order, up to a limit.
///
/// A guest that prints more finds its output closed; one that logs more is stopped.
#[derive(Clone)]
pub(crate) struct Output {
    pipe: MemoryOutputPipe,
    most: usize,
}

/// The guest logged more than it may.
#[derive(Debug, thiserror::Error)]
#[error("the log is full")]
pub(crate) struct OutputFull;

impl Output {
    pub(crate) fn new(most: usize) -> Self {
        // One byte more than allowed tells a full output from one that ran over.
        Self { pipe: MemoryOutputPipe::new(most.saturating_add(1)), most }
    }

    /// The stream that the guest's standard output and error go to.
    pub(crate) fn stream(&self) -> MemoryOutputPipe {
        self.pipe.clone()
    }

    /// Adds a line.
    pub(crate) fn log(&mut self, line: String) -> Result<(), OutputFull> {
        self.pipe.write(line.into()).map_err(|_| OutputFull)
    }

    /// Whether the guest printed more than it may.
    pub(crate) fn ran_over(&self) -> bool {
        self.pipe.contents().len() > self.most
    }

    /// What was kept.
    pub(crate) fn contents(&self) -> Vec<u8> {
        let mut contents = self.pipe.contents().to_vec();
        contents.truncate(self.most);
        contents
    }
}
