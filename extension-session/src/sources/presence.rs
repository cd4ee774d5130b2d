//! Which services a machine has, without listening to them.

use zbus::blocking::Connection;
use zbus::blocking::fdo::DBusProxy;

use super::services::ON_SYSTEM_BUS;
use crate::activation::{BusQueryError, ask_bus};

/// Returns the sources on the system bus, each with whether its service runs or can be started. None is
/// started for this.
///
/// # Errors
/// When there is no system bus, or it does not answer.
pub fn present_sources() -> Result<Vec<(&'static str, bool)>, BusQueryError> {
    ask_bus(|| {
        let connection = Connection::system()?;
        let bus = DBusProxy::new(&connection)?;
        let mut names = bus.list_names()?;
        names.extend(bus.list_activatable_names()?);
        let is_there = |name: &str| names.iter().any(|it| it.as_str() == name);
        Ok(ON_SYSTEM_BUS.into_iter().map(|(source, name)| (source, is_there(name))).collect())
    })
}
