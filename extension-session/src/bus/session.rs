//! The interface `org.opensesame.Session1`, for the command line.

use std::sync::Arc;

use zbus::message::Header;
use zbus::{Connection, interface};

use super::bus_error::BusError;
use super::end::{BusEnd, Ended};
use super::extensions::{Extensions, done};
use super::status::{BusLoad, ServiceStatus};

/// The interface for `sesame session`. It gives a program nothing that signals and `sesame` itself
/// do not.
pub(super) struct Session {
    pub extensions: Extensions,
    pub version: String,
    pub executable: String,
    pub ended: Arc<Ended>,
}

#[interface(name = "org.opensesame.Session1")]
impl Session {
    /// Returns the state of the service as JSON.
    #[zbus(out_args("status"))]
    async fn status(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<String, BusError> {
        let _received = self.extensions.receive_outside(&header, connection).await?;
        let calls = self.extensions.desk.under_way();
        let bus = BusLoad { calls, watches: self.extensions.watches.count() };
        let (inbox, manager) =
            (self.extensions.inbox.clone(), self.extensions.runner.manager.clone());
        let (version, executable) = (self.version.clone(), self.executable.clone());
        done(&self.extensions.clerks, move || {
            let engine =
                inbox.status().map_err(|error| BusError::unavailable(error.to_string()))?;
            let status = ServiceStatus {
                version,
                executable,
                is_safe_mode: manager.is_safe_mode(),
                ..ServiceStatus::of(engine, bus)
            };
            serde_json::to_string(&status).map_err(|error| BusError::unavailable(error.to_string()))
        })
        .await
    }

    /// Emits an event `custom.TOPIC` for a person.
    #[zbus(out_args("reached"))]
    async fn emit(
        &self,
        topic: String,
        payload: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<u32, BusError> {
        let (_ticket, caller) = self.extensions.receive_outside(&header, connection).await?;
        self.extensions.put(&caller, &topic, payload, "user").await
    }

    /// Ends the service after the calls that run.
    async fn stop(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), BusError> {
        let _received = self.extensions.receive_outside(&header, connection).await?;
        (self.ended)(BusEnd::Asked);
        Ok(())
    }
}
