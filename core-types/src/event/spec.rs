//! The table of events: everything that is known of each, in one row.

use crate::event::setting::Setting;

/// A kind of event that can wake an extension.
///
/// ```
/// use core_types::event::{EventType, Kind};
///
/// let spec = EventType::PowerBattery.spec();
/// assert_eq!((spec.name, spec.kind), ("power.battery", Kind::State));
/// assert!(!spec.is_private && EventType::MediaChanged.spec().is_private);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// `time.every`
    TimeEvery,
    /// `time.at`
    TimeAt,
    /// `session.start`
    SessionStart,
    /// `session.locked`
    SessionLocked,
    /// `session.unlocked`
    SessionUnlocked,
    /// `session.idle`
    SessionIdle,
    /// `session.active`
    SessionActive,
    /// `system.sleep`
    SystemSleep,
    /// `system.wake`
    SystemWake,
    /// `power.source`
    PowerSource,
    /// `power.battery`
    PowerBattery,
    /// `network.changed`
    NetworkChanged,
    /// `network.wifi`
    NetworkWifi,
    /// `media.changed`
    MediaChanged,
    /// `file.changed`
    FileChanged,
    /// `config.changed`
    ConfigChanged,
    /// `custom.TOPIC`, for every topic.
    Custom,
}

/// How several events of one name are handled while the first waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The newest one takes the place of those before it.
    State,
    /// Each one is delivered, as far as its queue holds it.
    Discrete,
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueKind {
    /// A text.
    Text,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// True or false.
    Truth,
}

/// A value of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueSpec {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: ValueKind,
    /// The value of a made-up event that does not say another one.
    pub example: &'static str,
}

/// A row of the table of events.
#[derive(Debug)]
pub struct EventSpec {
    /// The kind of event.
    pub event: EventType,
    /// Its name; `custom.TOPIC` for the one that has many.
    pub name: &'static str,
    /// How several of one name are handled.
    pub kind: Kind,
    /// Its values, in the order in which they are delivered.
    pub values: &'static [ValueSpec],
    /// Its settings, beside those that every event has.
    pub settings: &'static [Setting],
    /// Whether only its full name grants it, and no pattern.
    pub is_private: bool,
    /// When it happens, in one line.
    pub meaning: &'static str,
}

const fn text(name: &'static str, example: &'static str) -> ValueSpec {
    ValueSpec { name, kind: ValueKind::Text, example }
}

const fn whole(name: &'static str, example: &'static str) -> ValueSpec {
    ValueSpec { name, kind: ValueKind::Whole, example }
}

const fn truth(name: &'static str, example: &'static str) -> ValueSpec {
    ValueSpec { name, kind: ValueKind::Truth, example }
}

/// Makes a row without values and settings that is not private.
const fn plain(
    event: EventType,
    name: &'static str,
    kind: Kind,
    meaning: &'static str,
) -> EventSpec {
    EventSpec { event, name, kind, values: &[], settings: &[], is_private: false, meaning }
}

/// Every event, in the order of the documentation, which is that of [`EventType`].
const SPECS: &[EventSpec] = &[
    EventSpec {
        values: &[whole("due", "1")],
        settings: &[Setting::Every, Setting::Exact],
        ..plain(EventType::TimeEvery, "time.every", Kind::State, "again and again, after a time")
    },
    EventSpec {
        values: &[text("at", "08:30"), whole("late", "0")],
        settings: &[Setting::At, Setting::Days, Setting::CatchUp],
        ..plain(EventType::TimeAt, "time.at", Kind::State, "at times of the day")
    },
    plain(
        EventType::SessionStart,
        "session.start",
        Kind::Discrete,
        "once, when the session service starts in a login session",
    ),
    plain(EventType::SessionLocked, "session.locked", Kind::State, "when the screen is locked"),
    plain(
        EventType::SessionUnlocked,
        "session.unlocked",
        Kind::State,
        "when the screen is unlocked",
    ),
    plain(EventType::SessionIdle, "session.idle", Kind::State, "when the session becomes idle"),
    plain(
        EventType::SessionActive,
        "session.active",
        Kind::State,
        "when an idle session is used again",
    ),
    plain(
        EventType::SystemSleep,
        "system.sleep",
        Kind::Discrete,
        "when the computer is about to sleep, which does not wait for it",
    ),
    plain(EventType::SystemWake, "system.wake", Kind::Discrete, "when the computer wakes up"),
    EventSpec {
        values: &[truth("on-battery", "true")],
        ..plain(
            EventType::PowerSource,
            "power.source",
            Kind::State,
            "when the computer goes on battery or on mains",
        )
    },
    EventSpec {
        values: &[whole("percent", "15"), truth("charging", "false")],
        settings: &[Setting::Below, Setting::Above, Setting::Charging],
        ..plain(
            EventType::PowerBattery,
            "power.battery",
            Kind::State,
            "when the charge of the battery begins to meet a condition",
        )
    },
    EventSpec {
        values: &[text("connectivity", "full"), truth("metered", "false")],
        ..plain(
            EventType::NetworkChanged,
            "network.changed",
            Kind::State,
            "when the connection to the network changes",
        )
    },
    EventSpec {
        values: &[text("ssid", "example")],
        settings: &[Setting::Ssid],
        is_private: true,
        ..plain(
            EventType::NetworkWifi,
            "network.wifi",
            Kind::State,
            "when the computer joins a wireless network, with its name",
        )
    },
    EventSpec {
        values: &[
            text("player", "example"),
            text("status", "playing"),
            text("title", "Example"),
            text("artist", "Example"),
        ],
        settings: &[Setting::Player],
        is_private: true,
        ..plain(
            EventType::MediaChanged,
            "media.changed",
            Kind::State,
            "when a media player plays something else, with its title",
        )
    },
    EventSpec {
        values: &[text("path", "~/example.txt"), text("kind", "changed")],
        settings: &[Setting::Paths],
        is_private: true,
        ..plain(
            EventType::FileChanged,
            "file.changed",
            Kind::State,
            "when a file changes in a directory that it may read",
        )
    },
    plain(
        EventType::ConfigChanged,
        "config.changed",
        Kind::State,
        "when one of its own settings changes",
    ),
    EventSpec {
        values: &[text("payload", ""), text("from", "user")],
        ..plain(
            EventType::Custom,
            "custom.TOPIC",
            Kind::Discrete,
            "when a program or an extension sends a message on a topic",
        )
    },
];

impl EventType {
    /// Every event, in the order of the documentation.
    pub const ALL: [Self; SPECS.len()] = crate::column!(SPECS, event);

    /// Returns its row of the table.
    pub fn spec(self) -> &'static EventSpec {
        &SPECS[self as usize]
    }

    /// Tells whether its tables can have this setting. `while_locked` and `enabled` are those of
    /// every event.
    pub fn has_setting(self, setting: Setting) -> bool {
        setting.is_of_user() || self.spec().settings.contains(&setting)
    }
}

impl EventSpec {
    /// Returns the first part of the name, such as `power`.
    pub fn family(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }
}

impl ValueKind {
    /// Returns its name in the interface of extensions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Whole => "whole",
            Self::Number => "number",
            Self::Truth => "truth",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventName, EventValue};

    /// Each event finds its own row, whose examples are values of it, and no name stands twice.
    #[test]
    fn rows_stand_in_order() {
        for (at, spec) in SPECS.iter().enumerate() {
            assert_eq!(spec.event as usize, at, "{}", spec.name);
            let name: EventName = spec.name.parse().expect(spec.name);
            assert_eq!(name.event(), spec.event);
            assert!(SPECS[..at].iter().all(|other| other.name != spec.name), "{}", spec.name);
            assert!(spec.settings.iter().all(|setting| !setting.is_of_user()), "{}", spec.name);
            assert!(!spec.meaning.contains('\n') && !spec.meaning.ends_with('.'), "{}", spec.name);
            for value in spec.values {
                assert!(EventValue::parse(value, value.example).is_ok(), "{}", value.name);
            }
        }
    }
}
