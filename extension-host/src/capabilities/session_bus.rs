//! The connection to the session bus.

use zbus::blocking::Connection;

use super::backends::BackendError;

/// Connects. It takes a thread and some milliseconds, so only what is granted and asked for gets
/// here.
pub(crate) fn connect() -> Result<Connection, BackendError> {
    Connection::session()
        .map_err(|error| BackendError::Unavailable(format!("there is no session bus: {error}")))
}
