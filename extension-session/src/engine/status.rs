//! How the engine is doing.

use core_types::{BootTime, ExtensionName};
use jiff::Zoned;

use crate::sources::SourceState;

/// The engine at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Whether the session is locked, as far as the engine was told.
    pub is_locked: bool,
    /// The sources with their state, by name.
    pub sources: Vec<(&'static str, SourceState)>,
    /// The extensions that something may wake, by name.
    pub extensions: Vec<Load>,
    /// The deliveries at this moment.
    pub running: usize,
    /// The last thing that could not be done, in words; nothing if all is well.
    pub problem: Option<String>,
}

/// The load of one extension.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Its name.
    pub name: ExtensionName,
    /// The number of events that wait for it.
    pub waiting: usize,
    /// Its deliveries in the current minute.
    pub deliveries: u32,
    /// Whether it has used up what it may use in this minute.
    pub is_over_budget: bool,
    /// The next moment of its `time.every`.
    pub next_every: Option<BootTime>,
    /// The next moment of its `time.at`.
    pub next_at: Option<Zoned>,
}
