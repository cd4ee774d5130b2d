//! The keys of the settings of events.

/// A key in the table of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// `every`: how often, from `1s` to `30d`.
    Every,
    /// `exact`: not later than that, although timers would fire together otherwise.
    Exact,
    /// `at`: the times of the day.
    At,
    /// `days`: the days of the week.
    Days,
    /// `catch_up`: once after the time, where the computer slept.
    CatchUp,
    /// `below`: a charge below this one, in percent.
    Below,
    /// `above`: a charge above this one, in percent.
    Above,
    /// `charging`: only while charging, or only while not.
    Charging,
    /// `ssid`: the names of wireless networks.
    Ssid,
    /// `player`: the media player.
    Player,
    /// `paths`: files and directories.
    Paths,
    /// `while_locked`: delivered while the screen is locked. The user's alone.
    WhileLocked,
    /// `enabled`: whether it wakes the extension. The user's alone.
    Enabled,
}

impl Setting {
    /// Every setting, in the order of the documentation.
    pub const ALL: [Self; 13] = [
        Self::Every,
        Self::Exact,
        Self::At,
        Self::Days,
        Self::CatchUp,
        Self::Below,
        Self::Above,
        Self::Charging,
        Self::Ssid,
        Self::Player,
        Self::Paths,
        Self::WhileLocked,
        Self::Enabled,
    ];

    /// Returns its key.
    pub fn key(self) -> &'static str {
        match self {
            Self::Every => "every",
            Self::Exact => "exact",
            Self::At => "at",
            Self::Days => "days",
            Self::CatchUp => "catch_up",
            Self::Below => "below",
            Self::Above => "above",
            Self::Charging => "charging",
            Self::Ssid => "ssid",
            Self::Player => "player",
            Self::Paths => "paths",
            Self::WhileLocked => "while_locked",
            Self::Enabled => "enabled",
        }
    }

    /// Returns the setting of this key, if there is one.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.key() == key)
    }

    /// Tells whether every event has it, in the manifest of the user alone.
    pub fn is_of_user(self) -> bool {
        matches!(self, Self::WhileLocked | Self::Enabled)
    }
}
