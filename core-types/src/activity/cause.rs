//! The cause of a call, as the activity log has it.

use serde::{Deserialize, Serialize};

use crate::event::EventName;

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
        Self { what: format!("event:{name}"), caller: None }
    }

    /// Makes the cause of a call over the session bus.
    pub fn bus(caller: String) -> Self {
        Self { what: "bus".to_owned(), caller: Some(caller) }
    }
}
