//! The object of a running call, by which its caller cancels it.

use core_types::BUS_OBJECT;
use zbus::interface;
use zbus::message::Header;

use crate::bus::bus_error::BusError;
use crate::bus::desk::Desk;

/// A call with a handle, for as long as it runs.
pub(in crate::bus) struct CallObject {
    pub desk: Desk,
    pub handle: String,
}

/// Returns the path of the object of a handle.
pub(in crate::bus) fn path_of(handle: &str) -> String {
    format!("{BUS_OBJECT}/call/{handle}")
}

#[interface(name = "org.opensesame.Call1")]
impl CallObject {
    /// Ends the call. Only its own caller can.
    async fn cancel(&self, #[zbus(header)] header: Header<'_>) -> Result<(), BusError> {
        let caller = header.sender().map(|name| name.as_str()).unwrap_or_default();
        if self.desk.cancel(caller, &self.handle) {
            return Ok(());
        }
        Err(BusError::refused("this is a call of another program"))
    }
}
