//! The session service, as `session status` shows it.

use schemars::JsonSchema;
use serde::Serialize;

/// The service that runs.
#[derive(Debug, Default, JsonSchema, Serialize)]
pub struct SessionService {
    /// The number of its process.
    pub pid: u32,
    pub version: String,
    pub executable: String,
    /// Whether no extension is called, as the user wants it.
    pub safe_mode: bool,
    /// Whether the session is locked, as far as the service knows.
    pub locked: bool,
    pub sources: Vec<SessionSource>,
    /// The extensions that an event may wake.
    pub extensions: Vec<SessionExtension>,
    /// The deliveries at this moment.
    pub deliveries: usize,
    /// The calls of programs at this moment.
    pub calls: usize,
    /// The watches of programs.
    pub watches: usize,
    /// The last thing that could not be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A source of events.
#[derive(Debug, JsonSchema, Serialize)]
pub struct SessionSource {
    pub name: String,
    /// `listening`, `idle` or `absent`.
    pub state: String,
    /// The reason why it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An extension that an event may wake.
#[derive(Debug, JsonSchema, Serialize)]
pub struct SessionExtension {
    pub name: String,
    /// The events that may wake it.
    pub events: Vec<String>,
    /// The number of events that wait for it.
    pub waiting: usize,
    /// Its deliveries in the current minute, of which 120 are the most.
    pub deliveries: u32,
    /// Whether these, or their fuel, are used up: its events wait for the next minute.
    pub over_budget: bool,
    /// The milliseconds until the next `time.every`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_every_ms: Option<u64>,
    /// The next `time.at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<String>,
    /// The last delivery that is in the activity log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<super::DeliveryRow>,
}
