//! What wakes an extension, and deliveries by hand.

use core_types::ExtensionName;
use core_types::event::EventName;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// The events of an extension, with the last deliveries where they are asked for.
pub struct WakingEvents {
    pub name: ExtensionName,
    pub events: Vec<EventRow>,
    pub deliveries: Option<Vec<DeliveryRow>>,
}

/// An event that wakes an extension or could.
#[derive(JsonSchema, Serialize)]
pub struct EventRow {
    /// The event, or a pattern of custom events.
    pub event: String,
    /// When it happens.
    pub meaning: &'static str,
    /// The settings of its author and its user, in words.
    pub settings: String,
    pub state: EventState,
    /// The rule by which it is granted or not, with its place.
    pub rule: String,
    /// Whether it is delivered while the screen is locked.
    pub while_locked: bool,
    /// Whether its author declares it.
    pub declared: bool,
    /// The watched files and directories that are in no granted directory: the extension is not told of
    /// them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
    /// The grant that allows it, or reading the first of these, where one helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
}

/// Whether an event wakes an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventState {
    /// It does.
    Wakes,
    /// It is granted, and the user's manifest has `enabled = false`.
    Asleep,
    /// It is granted, and never happens without a setting that is missing.
    Incomplete,
    /// It is not granted, or a policy denies it.
    Refused,
}

impl EventState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Wakes => "wakes it",
            Self::Asleep => "asleep",
            Self::Incomplete => "incomplete",
            Self::Refused => "refused",
        }
    }
}

/// A delivery in the activity log.
#[derive(Debug, Clone, JsonSchema, Serialize)]
pub struct DeliveryRow {
    #[schemars(with = "String")]
    pub at: Timestamp,
    pub event: String,
    /// How it ended, as `activity` has it.
    pub outcome: core_types::CallOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A delivery by hand that the extension handled.
#[derive(JsonSchema, Serialize)]
pub struct DeliveredEvent {
    pub extension: ExtensionName,
    pub event: EventName,
    /// Wall-clock time in milliseconds.
    pub elapsed_ms: f64,
    /// Units of fuel.
    pub fuel: u64,
}
