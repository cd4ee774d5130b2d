//! Where a bus is.

use zbus::connection::Builder;

/// The number of messages that are read ahead. Behind them the bus waits.
const MAX_READ_AHEAD: usize = 64;

/// A bus, at its standard address or another one.
#[derive(Debug, Clone)]
pub(crate) enum BusAddress {
    /// The bus of the machine.
    System(Option<String>),
    /// The bus of the session.
    Session(Option<String>),
}

impl BusAddress {
    /// Returns the name of the bus, for people.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::System(_) => "system bus",
            Self::Session(_) => "session bus",
        }
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// When there is no such bus, or it refuses.
    pub(crate) async fn connect(&self) -> zbus::Result<zbus::Connection> {
        let builder = match self {
            Self::System(Some(address)) | Self::Session(Some(address)) => {
                Builder::address(address.as_str())
            }
            Self::System(None) => Builder::system(),
            Self::Session(None) => Builder::session(),
        };
        builder?.max_queued(MAX_READ_AHEAD).build().await
    }
}
