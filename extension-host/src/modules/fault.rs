//! Violations of the ABI by which a module and the host exchange bytes.

/// A module violated the ABI by which it and the host exchange bytes. The call was stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModuleFault {
    /// It named bytes outside of its memory.
    #[error("it named {length} bytes at {address:#x}, and its memory has {memory}")]
    OutOfMemory {
        /// Their address.
        address: u32,
        /// Their length.
        length: u32,
        /// The size of its memory in bytes.
        memory: usize,
    },
    /// It does not export a memory.
    #[error("it exports no memory, so that no bytes can be handed over")]
    NoMemory,
    /// It does not export `malloc`, or one of another type.
    #[error("it does not export `malloc(i32) -> i32`, which gives the host room for bytes")]
    NoMalloc,
    /// Its `malloc` returned null, or room outside of its memory.
    #[error(
        "its `malloc` was asked for {length} bytes and gave {address:#x}, where they do not fit"
    )]
    BadMalloc {
        /// The returned address.
        address: u32,
        /// The requested bytes.
        length: usize,
    },
    /// Its `malloc` asked the host for bytes, which would need `malloc`.
    #[error("its `malloc` asked the host for bytes")]
    NestedMalloc,
    /// It sent the host more messages than a person would read.
    #[error("it called `{function}` after it had told the host {most} things, which is the limit")]
    TooMany {
        /// The function of the host.
        function: &'static str,
        /// The maximum.
        most: usize,
    },
    /// It sent bytes that the function cannot read.
    #[error("it gave `{function}` bytes that are not a valid {expected}: {reason}")]
    BadMessage {
        /// The function of the host.
        function: &'static str,
        /// The expected form.
        expected: &'static str,
        /// The error in it.
        reason: String,
    },
    /// It called a function of the host at a time when it has no meaning.
    #[error("it called `{function}` {why}")]
    WrongTime {
        /// The function of the host.
        function: &'static str,
        /// The reason.
        why: &'static str,
    },
}
