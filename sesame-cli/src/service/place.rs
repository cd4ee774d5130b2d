//! The place of the session service, which one process of a user has.

use std::time::{Duration, Instant};

use core_types::ErrorKind;
use extension_depot::{ClaimError, Depot, SessionClaim};

use crate::failure::Failure;

/// The time in which a service that was told to end has ended, its own five seconds included.
const END: Duration = Duration::from_secs(7);
/// The time between two looks whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// Waits for the end of the service that was told to end, and takes its place.
pub fn wait_until_free(depot: &Depot) -> Result<SessionClaim, Failure> {
    let until = Instant::now() + END;
    loop {
        match depot.claim_session() {
            Err(ClaimError::Taken) if Instant::now() < until => std::thread::sleep(LOOK),
            claimed => return claimed.map_err(|error| Failure::new(ErrorKind::Local, error)),
        }
    }
}
