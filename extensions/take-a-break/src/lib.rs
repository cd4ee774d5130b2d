//! Tells you to take a break after a time of work. A locked or idle session is a break.

use extension_sdk::event::Event;
use extension_sdk::{config, notification, storage};

extension_sdk::events!(handle);

/// The key of the moment at which the work began, in milliseconds since 1970. During a break it is
/// not a number.
const SINCE: &str = "since";
/// A minute, in milliseconds.
const MINUTE: u64 = 60_000;
/// The minutes of work that are enough, where the user has not set any.
const MINUTES: u64 = 50;

fn handle(event: Event) -> Result<(), String> {
    match event.name.as_str() {
        "session.locked" | "session.idle" => storage::set_text(SINCE, "break")?,
        "session.unlocked" | "session.active" => begin(event.time)?,
        "time.every" => check(event.time)?,
        _ => {}
    }
    Ok(())
}

fn begin(now: u64) -> Result<(), String> {
    Ok(storage::set_text(SINCE, &now.to_string())?)
}

fn check(now: u64) -> Result<(), String> {
    let Some(since) = storage::get_text(SINCE)? else { return begin(now) };
    let Ok(since) = since.parse::<u64>() else { return Ok(()) };
    let enough = config::parse("minutes").map_err(|error| error.to_string())?.unwrap_or(MINUTES);
    let worked = now.saturating_sub(since) / MINUTE;
    if worked < enough {
        return Ok(());
    }
    notification::show("Take a break", &format!("You have worked for {worked} minutes"))?;
    begin(now)
}
