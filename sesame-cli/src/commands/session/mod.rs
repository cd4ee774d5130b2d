//! Commands of the session service, which wakes extensions by events, and through which programs
//! call them.

use std::time::{Duration, Instant};

use core_types::ErrorKind;
use extension_depot::{ClaimError, Depot, SessionClaim};

use crate::failure::Failure;

pub mod emit;
pub mod run;
pub mod status;
pub mod stop;
mod words;

/// The time in which a service that was told to end has ended, its own five seconds included.
const END: Duration = Duration::from_secs(7);
/// The time between two looks whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// Waits for the end of the service that was told to end, and takes its place.
fn wait_until_free(depot: &Depot) -> Result<SessionClaim, Failure> {
    let until = Instant::now() + END;
    loop {
        match depot.claim_session() {
            Err(ClaimError::Taken) if Instant::now() < until => std::thread::sleep(LOOK),
            claimed => return claimed.map_err(|error| Failure::new(ErrorKind::Local, error)),
        }
    }
}
