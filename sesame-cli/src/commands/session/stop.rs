//! `sesame session stop`

use extension_session::{BusClient, ClientError};

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::service::wait_until_free;

/// Ends the service that runs, and waits for the end of it.
pub fn run(context: &Context) -> Result<Outcome, Failure> {
    let client = match BusClient::connect(None) {
        Err(ClientError::NotRunning) => return Ok(Outcome::Stopped(false)),
        connected => connected?,
    };
    client.stop()?;
    drop(wait_until_free(context.depot()?)?);
    Ok(Outcome::Stopped(true))
}
