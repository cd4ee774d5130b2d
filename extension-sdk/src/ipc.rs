//! Messages to other programs of the session.
//!
//! Needs the capability `ipc-publish` with a pattern that covers the topic: `ipc-publish =
//! ["greeting.*"]` in the manifest.

use crate::Error;
use crate::host::ipc_publish;

/// Publishes a message on a topic. Whether anybody listens cannot be seen.
///
/// ```no_run
/// # fn tell() -> Result<(), extension_sdk::Error> {
/// extension_sdk::ipc::publish("greeting.sent", r#"{"to":"World"}"#)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Denied`] if no granted pattern covers the topic, [`Error::TooLarge`] beyond 64 KiB,
/// [`Error::TooMany`] after a hundred in a minute, and [`Error::Unavailable`] if there is no
/// session bus.
///
/// # Panics
///
/// Outside of a component.
pub fn publish(topic: &str, payload: &str) -> Result<(), Error> {
    Ok(ipc_publish::publish(topic, payload)?)
}
