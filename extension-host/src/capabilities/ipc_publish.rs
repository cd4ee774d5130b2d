//! `open-sesame:host/ipc-publish`: signals on the session bus.

use core_types::Request;

use crate::bindings::open_sesame::host::ipc_publish::Host;
use crate::bindings::open_sesame::host::types::Error;
use crate::calling::{CallState, Size};

/// The maximum of a payload, in bytes: a message is a notice and not a file transfer.
const MAX_PAYLOAD: usize = 64 * 1024;

impl Host for CallState {
    async fn publish(
        &mut self,
        topic: String,
        payload: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        let size = Size { bytes: payload.len(), max: MAX_PAYLOAD };
        let request = Request::Publish(topic.clone());
        let publish = move |backends: &crate::Backends, owner: &_| {
            backends.publisher.publish(owner, &topic, &payload)
        };
        self.ask_backend(request, size, publish).await
    }
}

#[cfg(feature = "ipc")]
pub use session::SessionPublisher;

#[cfg(feature = "ipc")]
mod session {
    use core_types::{BUS_NAME, BUS_OBJECT, Owner};
    use zbus::blocking::fdo::DBusProxy;

    use crate::capabilities::session_bus::with_session_bus;
    use crate::capabilities::{BackendError, Publisher};

    const SIGNAL: &str = "Published";

    /// The session bus: the signal `org.opensesame.Extensions1.Published` of
    /// `/org/opensesame/Extensions`, with the identity of the extension, the topic and the payload.
    ///
    /// Any program of the session can send such a signal. Receivers that care check the sender.
    #[derive(Debug, Clone, Copy, Default)]
    pub struct SessionPublisher;

    impl Publisher for SessionPublisher {
        fn publish(&self, owner: &Owner, topic: &str, payload: &str) -> Result<(), BackendError> {
            with_session_bus(|connection| {
                let signal = (owner.identity.as_str(), topic, payload);
                connection
                    .emit_signal(None::<&str>, BUS_OBJECT, BUS_NAME, SIGNAL, &signal)
                    .map_err(refused)?;
                // The bus answers in order, so that an answer means that it has the signal.
                let bus = DBusProxy::new(connection).map_err(refused)?;
                bus.get_id().map(drop).map_err(|error| refused(error.into()))
            })
        }
    }

    fn refused(error: zbus::Error) -> BackendError {
        BackendError::Unavailable(format!("the session bus refuses: {error}"))
    }
}
