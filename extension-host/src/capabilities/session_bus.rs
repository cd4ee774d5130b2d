//! The connection to the session bus.

use std::sync::{Mutex, PoisonError};

use zbus::blocking::Connection;

use super::backends::BackendError;

/// The connection of this process. Making one takes a thread, some milliseconds and a greeting, so
/// that the first request makes it and later ones share it.
static CONNECTION: Mutex<Option<Connection>> = Mutex::new(None);

/// Asks something of the session bus, over the connection of this process. Only granted requests
/// get here.
///
/// After a failure the connection is not used again: the bus may have been restarted.
pub(super) fn with_session_bus<T>(
    ask: impl FnOnce(&Connection) -> Result<T, BackendError>,
) -> Result<T, BackendError> {
    let answer = ask(&connection()?);
    if answer.is_err() {
        *CONNECTION.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
    answer
}

fn connection() -> Result<Connection, BackendError> {
    let mut kept = CONNECTION.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(connection) = &*kept {
        return Ok(connection.clone());
    }
    let made = Connection::session()
        .map_err(|error| BackendError::Unavailable(format!("there is no session bus: {error}")))?;
    Ok(kept.insert(made).clone())
}
