//! What a module does wrong when it and the host hand bytes to each other.

/// A module broke the rules by which it and the host hand bytes to each other. The call was
/// stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModuleFault {
    /// It named bytes that are not in its memory.
    #[error("it named {length} bytes at {address:#x}, and its memory has {memory}")]
    OutOfMemory {
        /// Where they would begin.
        address: u32,
        /// How many they would be.
        length: u32,
        /// How large its memory is, in bytes.
        memory: usize,
    },
    /// It exports no memory.
    #[error("it exports no memory, so that no bytes can be handed over")]
    NoMemory,
    /// It does not export `malloc`, or another one than is needed.
    #[error("it does not export `malloc(i32) -> i32`, which gives the host room for bytes")]
    NoMalloc,
    /// Its `malloc` gave no room, or room that is not there.
    #[error(
        "its `malloc` was asked for {length} bytes and gave {address:#x}, which is no room for them"
    )]
    BadMalloc {
        /// What it gave.
        address: u32,
        /// How many bytes were asked for.
        length: usize,
    },
    /// Its `malloc` asked the host for bytes, which would need `malloc`.
    #[error("its `malloc` asked the host for bytes")]
    NestedMalloc,
    /// It told the host more than anybody would read.
    #[error(
        "it called `{function}` when it had told the host {most} things already, which are the most"
    )]
    TooMany {
        /// The function of the host.
        function: &'static str,
        /// How many are the most.
        most: usize,
    },
    /// It gave bytes that are not what the function takes.
    #[error("it gave `{function}` bytes that are no {expected}: {reason}")]
    BadMessage {
        /// The function of the host.
        function: &'static str,
        /// What was expected.
        expected: &'static str,
        /// What is wrong with them.
        reason: String,
    },
    /// It called a function of the host at a time when that has no meaning.
    #[error("it called `{function}` {why}")]
    WrongTime {
        /// The function of the host.
        function: &'static str,
        /// Why it cannot be called.
        why: &'static str,
    },
}
