//! What every source can do.

use crate::delivery::Subscriber;
use crate::engine::Inbox;
use crate::sources::source_state::SourceState;

/// A source of events.
pub trait Source: Send {
    /// Returns its name, for people.
    fn name(&self) -> &'static str;

    /// Listens for what these extensions hear, and for nothing else. It is called again whenever
    /// they change, and does not wait for anything.
    fn listen(&mut self, subscribers: &[Subscriber], inbox: &Inbox) -> SourceState;

    /// Returns its state at this moment, where it changes by itself between two calls of
    /// [`listen`](Self::listen).
    fn state(&self) -> Option<SourceState> {
        None
    }
}
