//! The place of the session service, which one process of a user has.

use std::time::Duration;

use core_types::ErrorKind;
use extension_depot::{Depot, SessionClaim};

use crate::failure::Failure;

/// The time in which a service that was told to end has ended, its own five seconds included.
const END: Duration = Duration::from_secs(7);
/// Waits for the end of the service that was told to end, and takes its place.
pub fn wait_until_free(depot: &Depot) -> Result<SessionClaim, Failure> {
    depot.claim_session(END).map_err(|error| Failure::new(ErrorKind::Local, error))
}
