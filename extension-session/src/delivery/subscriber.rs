//! An extension with what may wake it.

use std::time::Duration;

use core_types::event::{EventName, EventPattern, EventType, Settings};
use core_types::{Config, ExtensionName};

/// The families of events that are delivered while the session is locked: they tell of the lock and
/// of the sleep themselves.
const THROUGH_LOCK: [&str; 2] = ["session", "system"];

/// An enabled extension that handles events, with those that may wake it.
///
/// ```
/// use extension_session::{Subscriber, Wake};
///
/// let subscriber = Subscriber::new("battery".parse()?, vec![Wake::by("power.source".parse()?)]);
/// assert!(subscriber.hears(&"power.source".parse()?));
/// assert!(!subscriber.hears(&"network.changed".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// The name of the extension.
    pub name: ExtensionName,
    /// The events that may wake it, as its grants and the policy are now.
    pub wakes: Vec<Wake>,
    /// The events that its user lets sleep, also where a pattern covers them.
    pub asleep: Vec<EventName>,
    /// The events that it handles and that its grants or the policy do not allow. No source listens
    /// for them. One that comes all the same, since others hear it, is told to
    /// [`Deliver::refused`](crate::Deliver::refused).
    pub refused: Vec<EventPattern>,
    /// Its own settings, as `config-read` shows them: a change of these is `config.changed`.
    pub config: Config,
    /// The most fuel that one call may use.
    pub max_fuel: u64,
    /// The least time between two deliveries of one state event.
    pub min_interval: Duration,
}

/// An event, or a pattern of custom events, that may wake an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    /// The event.
    pub event: EventPattern,
    /// Its settings: those of the author with those of the user over them.
    pub settings: Settings,
    /// Whether it is delivered while the session is locked.
    pub is_while_locked: bool,
}

impl Wake {
    /// Makes an event without settings, which the lock of the session holds back.
    pub fn by(event: EventPattern) -> Self {
        Self { event, settings: Settings::None, is_while_locked: false }
    }
}

impl Subscriber {
    /// The least time between two deliveries of one state event, where a policy does not raise it.
    pub const MIN_INTERVAL: Duration = Duration::from_secs(1);

    /// Makes a subscriber without settings of its own, and without a bound for its fuel.
    pub fn new(name: ExtensionName, wakes: Vec<Wake>) -> Self {
        let min_interval = Self::MIN_INTERVAL;
        let (asleep, refused) = (Vec::new(), Vec::new());
        let (config, max_fuel) = (Config::default(), u64::MAX);
        Self { name, wakes, asleep, refused, config, max_fuel, min_interval }
    }

    /// Tells whether any event may wake the extension.
    pub(crate) fn is_woken(&self) -> bool {
        !self.wakes.is_empty()
    }

    /// Tells whether an event of this name may wake the extension.
    pub fn hears(&self, name: &EventName) -> bool {
        self.wake(name).is_some()
    }

    /// Returns the declaration of an event for which the extension lacks the grant.
    pub(crate) fn refused_by(&self, name: &EventName) -> Option<&EventPattern> {
        let is_refused = !self.hears(name) && !self.asleep.contains(name);
        self.refused.iter().find(|event| is_refused && event.covers(name))
    }

    /// Tells whether an event of the table may wake the extension.
    pub(crate) fn hears_of(&self, event: EventType) -> bool {
        self.settings_of(event).is_some()
    }

    /// Returns the settings of an event of the table that may wake the extension.
    pub(crate) fn settings_of(&self, event: EventType) -> Option<&Settings> {
        self.settings(&EventName::of(event)?)
    }

    /// Tells whether an event is delivered while the session is locked.
    pub fn hears_locked(&self, name: &EventName) -> bool {
        THROUGH_LOCK.contains(&name.spec().family())
            || self.wake(name).is_some_and(|wake| wake.is_while_locked)
    }

    /// Returns the settings of an event that may wake the extension.
    pub fn settings(&self, name: &EventName) -> Option<&Settings> {
        self.wake(name).map(|wake| &wake.settings)
    }

    /// Returns the narrowest entry for an event: its own name before a pattern.
    fn wake(&self, name: &EventName) -> Option<&Wake> {
        if self.asleep.contains(name) {
            return None;
        }
        let covering = || self.wakes.iter().filter(|wake| wake.event.covers(name));
        let own = covering().find(|wake| matches!(wake.event, EventPattern::Name(_)));
        own.or_else(|| covering().next())
    }
}
