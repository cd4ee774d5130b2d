//! The place of the session service, which one process of a user has: a lock, and the name on the bus.

use std::time::Duration;

use core_types::ErrorKind;
use extension_depot::{ClaimError, Depot, SessionClaim};
use extension_session::{BusClient, ClientError};

use crate::context::Context;
use crate::failure::Failure;

/// The time in which a service that was told to end has ended, its own five seconds included.
const END: Duration = Duration::from_secs(7);
/// The longest wait for the owner of the name to say that it is a service.
const WAIT: Duration = Duration::from_secs(3);

/// Takes the place of the service; nothing where another process has it and keeps it.
pub fn take_place(
    context: &Context,
    depot: &Depot,
    replace: bool,
) -> Result<Option<SessionClaim>, Failure> {
    let claim = match depot.claim_session(Duration::ZERO) {
        Ok(claim) => claim,
        Err(ClaimError::Taken) if replace => {
            stop_running()?;
            wait_until_free(depot)?
        }
        Err(error @ ClaimError::Taken) => {
            context.status(&error.to_string());
            return Ok(None);
        }
        Err(error @ ClaimError::Io { .. }) => return Err(Failure::new(ErrorKind::Local, error)),
    };
    // A service with another runtime directory has another lock, and the same name.
    match other_service() {
        Some(other) if replace && other.stop_and_wait(END)? => Ok(Some(claim)),
        Some(_) if replace => Err(Failure::new(ErrorKind::Local, ClaimError::Taken)),
        Some(_) => {
            context.status(&ClaimError::Taken.to_string());
            Ok(None)
        }
        None => Ok(Some(claim)),
    }
}

/// Tells the service to end. One without a bus, or that has not begun, ends by itself or not at all.
fn stop_running() -> Result<(), Failure> {
    match BusClient::connect(None).and_then(|client| client.stop()) {
        Ok(()) | Err(ClientError::NotRunning) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Waits for the end of the service that was told to end, and takes its place.
pub fn wait_until_free(depot: &Depot) -> Result<SessionClaim, Failure> {
    depot.claim_session(END).map_err(|error| Failure::new(ErrorKind::Local, error))
}

/// Returns the service that has the name. Another program that has it is for the start to name.
fn other_service() -> Option<BusClient> {
    BusClient::connect_within(None, WAIT).ok().filter(BusClient::is_service)
}
