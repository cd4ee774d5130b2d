//! The cause of a call, as the activity log has it.

use serde::{Deserialize, Serialize};

use crate::event::EventName;

/// The beginning of the cause of a delivery.
const EVENT: &str = "event:";

/// The cause of a call: an event, or another program.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// `event:NAME`, or `bus`.
    #[serde(rename = "cause")]
    pub what: String,
    /// The program that asked for it over the bus, as it was seen: its name on the bus and its
    /// executable. Nothing is decided by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
}

impl Cause {
    /// Makes the cause of a delivery.
    pub fn event(name: &EventName) -> Self {
        Self { what: format!("{EVENT}{name}"), caller: None }
    }

    /// Returns the name of the event, if it is the cause of a delivery.
    pub fn event_name(&self) -> Option<&str> {
        self.what.strip_prefix(EVENT)
    }

    /// Makes the cause of a call over the session bus.
    pub fn bus(caller: String) -> Self {
        Self { what: "bus".to_owned(), caller: Some(caller) }
    }
}
