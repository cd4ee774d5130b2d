//! The object of a watch.

use zbus::message::Header;
use zbus::{ObjectServer, interface};

use super::table::Watches;
use super::watch::path_of;
use crate::bus::bus_error::BusError;

/// A watch on the bus. Only the program that made it reaches it.
pub(in crate::bus) struct WatchObject {
    pub watches: Watches,
    pub number: u32,
}

fn sender(header: &Header<'_>) -> String {
    header.sender().map(ToString::to_string).unwrap_or_default()
}

#[interface(name = "org.opensesame.Watch1")]
impl WatchObject {
    /// The last result, in the JSON of `Call`, or an object `error` with its kind and message.
    #[zbus(property)]
    async fn value(&self, #[zbus(header)] header: Option<Header<'_>>) -> zbus::fdo::Result<String> {
        let caller = header.as_ref().map(sender).unwrap_or_default();
        let value = self.watches.value(self.number, &caller);
        value.map_err(|error| zbus::fdo::Error::AccessDenied(error.text().to_owned()))
    }

    /// Calls the function now.
    async fn refresh(&self, #[zbus(header)] header: Header<'_>) -> Result<(), BusError> {
        self.watches.refresh(self.number, &sender(&header))
    }

    /// Ends the watch.
    async fn close(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(object_server)] server: &ObjectServer,
    ) -> Result<(), BusError> {
        self.watches.close(self.number, &sender(&header))?;
        // A caller that leaves at this moment has it removed as well.
        let _ = server.remove::<Self, _>(path_of(self.number)).await;
        Ok(())
    }
}
