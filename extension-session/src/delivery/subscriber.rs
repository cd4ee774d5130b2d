//! An extension with what may wake it.

use std::time::Duration;

use core_types::ExtensionName;
use core_types::event::{EventName, EventPattern, EventTables, MissingSetting, Settings};

/// The families of events that are delivered while the session is locked: they tell of the lock and
/// of the sleep themselves.
const THROUGH_LOCK: [&str; 2] = ["session", "system"];

/// An enabled extension that exports the handler of events, with the events that it was granted.
///
/// ```
/// use core_types::event::EventTables;
/// use extension_session::Subscriber;
///
/// let subscriber = Subscriber {
///     name: "battery".parse()?,
///     granted: vec!["power.*".parse()?],
///     tables: EventTables::default(),
///     config: String::new(),
///     max_fuel: 1_000_000,
///     min_interval: Subscriber::MIN_INTERVAL,
/// };
/// assert!(subscriber.hears(&"power.source".parse()?));
/// assert!(!subscriber.hears(&"network.changed".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// The name of the extension.
    pub name: ExtensionName,
    /// The events that may wake it, within the policy.
    pub granted: Vec<EventPattern>,
    /// The settings of its events: those of the author with those of the user over them.
    pub tables: EventTables,
    /// Its own settings, as `config-read` shows them: a change of this text is `config.changed`.
    pub config: String,
    /// The most fuel that one call may use.
    pub max_fuel: u64,
    /// The least time between two deliveries of one state event.
    pub min_interval: Duration,
}

impl Subscriber {
    /// The least time between two deliveries of one state event, where policy does not raise it.
    pub const MIN_INTERVAL: Duration = Duration::from_secs(1);

    /// Tells whether an event of this name may wake the extension.
    pub fn hears(&self, name: &EventName) -> bool {
        let is_enabled = self.tables.get(name).is_none_or(|table| table.is_enabled());
        is_enabled && self.granted.iter().any(|pattern| pattern.covers(name))
    }

    /// Tells whether an event is delivered while the session is locked.
    pub fn hears_locked(&self, name: &EventName) -> bool {
        THROUGH_LOCK.contains(&name.spec().family())
            || self.tables.get(name).is_some_and(|table| table.is_while_locked())
    }

    /// Returns the settings of an event that may wake the extension.
    ///
    /// # Errors
    /// When a setting is missing without which the event never happens.
    pub fn settings(&self, name: &EventName) -> Option<Result<Settings, MissingSetting>> {
        self.hears(name).then(|| self.tables.settings(name))
    }
}
