//! The state of a source, which `session run` tells.

/// The state of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceState {
    /// It listens, or is about to.
    Listening,
    /// No extension hears of it.
    Idle,
    /// It cannot listen, for this reason.
    Absent(String),
}
