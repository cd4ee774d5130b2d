//! Questions of commands to the session bus about the service. Only [`start`] starts it.

use std::time::Duration;

use core_types::BUS_NAME;
use private_files::with_timeout;
use zbus::blocking::Connection;
use zbus::blocking::fdo::DBusProxy;

/// How long is waited for the bus, which answers in milliseconds where it answers at all.
const BUS_TIMEOUT: Duration = Duration::from_secs(5);

/// A bus does not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bus does not answer: {0}")]
pub struct BusQueryError(String);

/// Returns whether the session bus can start the service.
///
/// # Errors
/// When there is no bus, or it does not answer.
pub fn is_activatable() -> Result<bool, BusQueryError> {
    asked(|bus| {
        let names = bus.list_activatable_names()?;
        Ok(names.iter().any(|name| name.as_str() == BUS_NAME))
    })
}

/// Returns whether the service runs.
///
/// # Errors
/// As [`is_activatable`].
pub fn is_running() -> Result<bool, BusQueryError> {
    asked(|bus| Ok(bus.name_has_owner(BUS_NAME.try_into()?)?))
}

/// Lets the session bus read its files anew.
///
/// # Errors
/// As [`is_activatable`].
pub fn reload_bus() -> Result<(), BusQueryError> {
    asked(|bus| Ok(bus.reload_config()?))
}

/// Lets the session bus start the service, where it can and the service does not run. It is not
/// waited for.
///
/// # Errors
/// As [`is_activatable`].
pub fn start() -> Result<(), BusQueryError> {
    asked(|bus| {
        bus.inner().call_noreply("StartServiceByName", &(BUS_NAME, 0_u32))?;
        // With this answer the bus has read the message before it.
        Ok(bus.get_id().map(drop)?)
    })
}

fn asked<T: Send + 'static>(
    ask: impl FnOnce(&DBusProxy<'_>) -> zbus::Result<T> + Send + 'static,
) -> Result<T, BusQueryError> {
    ask_bus(move || {
        let connection = Connection::session()?;
        ask(&DBusProxy::new(&connection)?)
    })
}

/// Asks a bus something, and does not wait for one that is stuck.
pub(crate) fn ask_bus<T: Send + 'static>(
    ask: impl FnOnce() -> zbus::Result<T> + Send + 'static,
) -> Result<T, BusQueryError> {
    ask_bus_within(BUS_TIMEOUT, ask)
}

/// The same with another time.
pub(super) fn ask_bus_within<T: Send + 'static>(
    timeout: Duration,
    ask: impl FnOnce() -> zbus::Result<T> + Send + 'static,
) -> Result<T, BusQueryError> {
    let answer = with_timeout("bus", timeout, ask);
    let answer = answer.map_err(|error| BusQueryError(error.to_string()))?;
    answer.map_err(|error| BusQueryError(error.to_string()))
}
