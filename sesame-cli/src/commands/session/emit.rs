//! `sesame session emit`

use std::io::Read;

use core_types::ErrorKind;
use extension_session::{BusClient, MAX_PAYLOAD};

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// Emits an event through the service that runs.
pub fn run(_: &Context, topic: &str, payload: Option<String>) -> Result<Outcome, Failure> {
    let payload = match payload.as_deref() {
        None => String::new(),
        Some("-") => read_payload()?,
        Some(payload) => payload.to_owned(),
    };
    let client = BusClient::connect(None)?;
    Ok(Outcome::Emitted(client.emit(topic, &payload)?))
}

/// Reads standard input. The line end behind a line belongs to the line.
fn read_payload() -> Result<String, Failure> {
    let mut payload = String::new();
    std::io::stdin().lock().take(MAX_PAYLOAD as u64 + 2).read_to_string(&mut payload)?;
    let payload = payload.strip_suffix('\n').unwrap_or(&payload);
    if payload.len() > MAX_PAYLOAD {
        return Err(Failure::message(ErrorKind::Usage, "the payload is over 64 KiB"));
    }
    Ok(payload.to_owned())
}
