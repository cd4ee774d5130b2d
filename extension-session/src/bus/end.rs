//! The end of the service.

/// Why the service ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusEnd {
    /// A person asked for it.
    Asked,
    /// The bus has ended. Everything that was asked over it has failed.
    BusGone,
}

/// Told why the service is to end.
pub(super) type Ended = dyn Fn(BusEnd) + Send + Sync;
