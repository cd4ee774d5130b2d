//! The settings of an event with their types, and whether some ask for more than others.

use std::fmt;
use std::time::Duration;

use crate::event::name::EventName;
use crate::event::setting::Setting;
use crate::event::setting_values::{MediaPlayer, Percent, Ssid, TimeOfDay, WatchedPath, Weekday};
use crate::policy::Period;

/// The settings of one event: those of its author with those of the user over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settings {
    /// The event has none.
    None,
    /// Of `time.every`.
    Every {
        /// How long after the one before.
        every: Duration,
        /// Not later than that. Without it, timers that are due at about the same time fire
        /// together.
        exact: bool,
    },
    /// Of `time.at`.
    At {
        /// The times of the day, in order, each once.
        times: Vec<TimeOfDay>,
        /// The days, in order; all seven where none are named.
        days: Vec<Weekday>,
        /// Whether a missed time is made up for, once.
        catch_up: bool,
    },
    /// Of `power.battery`.
    Battery {
        /// The charge is below this one.
        below: Option<Percent>,
        /// The charge is above this one.
        above: Option<Percent>,
        /// It is charging, or is not.
        charging: Option<bool>,
    },
    /// Of `network.wifi`.
    Wifi {
        /// The names of networks; every network where none are named.
        ssid: Option<Vec<Ssid>>,
    },
    /// Of `media.changed`.
    Media {
        /// The player; every player where none is named.
        player: Option<MediaPlayer>,
    },
    /// Of `file.changed`.
    File {
        /// The files and directories, each once. A directory stands for its entries.
        paths: Vec<WatchedPath>,
    },
}

/// The settings in words; nothing where there are none.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts().join(", "))
    }
}

/// A setting without which an event never happens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` needs the setting `{}`", setting.key())]
pub struct MissingSetting {
    /// The event.
    pub name: EventName,
    /// The setting.
    pub setting: Setting,
}

impl Settings {
    fn parts(&self) -> Vec<String> {
        match self {
            Self::None => Vec::new(),
            Self::Every { every, exact } => {
                let exactly = exact.then(|| "not later".to_owned());
                let every = format!("every {}", Period::from_seconds(every.as_secs()));
                std::iter::once(every).chain(exactly).collect()
            }
            Self::At { times, days, catch_up } => {
                let all = days.len() == Weekday::ALL.len();
                let days = (!all).then(|| format!("on {}", listed(days)));
                let later = catch_up.then(|| "once after a missed time".to_owned());
                let times = format!("at {}", listed(times));
                std::iter::once(times).chain(days).chain(later).collect()
            }
            Self::Battery { below, above, charging } => {
                let below = below.map(|percent| format!("below {} %", percent.get()));
                let above = above.map(|percent| format!("above {} %", percent.get()));
                let charging = charging.map(|is| if is { "charging" } else { "not charging" });
                let charging = charging.map(str::to_owned);
                below.into_iter().chain(above).chain(charging).collect()
            }
            Self::Wifi { ssid } => {
                ssid.iter().map(|names| format!("joining {}", listed(names))).collect()
            }
            Self::Media { player } => {
                player.iter().map(|player| format!("of {}", player.as_str())).collect()
            }
            Self::File { paths } => vec![format!("in {}", listed(paths))],
        }
    }

    /// Tells whether these wake an extension more often than the others, or by something that the
    /// others keep from it. An update asks for that like for a capability.
    ///
    /// ```
    /// use core_types::event::Settings;
    /// use std::time::Duration;
    ///
    /// let every = |seconds| Settings::Every { every: Duration::from_secs(seconds), exact: false };
    /// assert!(every(5).is_wider_than(&every(3_600)));
    /// assert!(!every(3_600).is_wider_than(&every(5)));
    /// ```
    pub fn is_wider_than(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => false,
            (Self::Every { every, .. }, Self::Every { every: before, .. }) => every < before,
            (
                Self::At { times, days, .. },
                Self::At { times: times_before, days: days_before, .. },
            ) => times.len() > times_before.len() || days.len() > days_before.len(),
            (
                Self::Battery { below, above, charging },
                Self::Battery { below: below_before, above: above_before, charging: before },
            ) => {
                let is_above = |limit: Percent| below.is_none_or(|below| below > limit);
                let is_below = |limit: Percent| above.is_none_or(|above| above < limit);
                below_before.is_some_and(is_above)
                    || above_before.is_some_and(is_below)
                    || before.is_some() && charging != before
            }
            (Self::Wifi { ssid }, Self::Wifi { ssid: before }) => {
                is_beyond(ssid.as_deref(), before.as_deref())
            }
            (Self::Media { player }, Self::Media { player: before }) => {
                is_beyond(player.as_slice_or_all(), before.as_slice_or_all())
            }
            (Self::File { paths }, Self::File { paths: before }) => {
                is_beyond(Some(paths.as_slice()), Some(before.as_slice()))
            }
            _ => true,
        }
    }
}

fn listed<T: fmt::Display>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Tells whether a list has something that another one lacks. Nothing is the list of everything.
fn is_beyond<T: PartialEq>(list: Option<&[T]>, before: Option<&[T]>) -> bool {
    match (list, before) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(list), Some(before)) => list.iter().any(|value| !before.contains(value)),
    }
}

/// An optional value as a list of the values that pass.
trait AsList<T> {
    fn as_slice_or_all(&self) -> Option<&[T]>;
}

impl<T> AsList<T> for Option<T> {
    fn as_slice_or_all(&self) -> Option<&[T]> {
        self.as_ref().map(std::slice::from_ref)
    }
}

#[cfg(test)]
mod tests {
    use crate::event::EventTables;

    /// Tells whether the settings of an event in one text are wider than those in another.
    fn is_wider(name: &str, new: &str, old: &str) -> bool {
        let settings = |text: &str| {
            let text = format!("[\"{name}\"]\n{text}");
            let tables = crate::parse_toml::<EventTables>(&text).expect(&text).value;
            let name = name.parse().expect(name);
            tables.settings(&name).unwrap_or_else(|error| panic!("{text}: {error}"))
        };
        settings(new).is_wider_than(&settings(old))
    }

    /// What asks for more in one direction does not in the other.
    #[test]
    fn more_is_wider_and_less_is_not() {
        for (name, more, less) in [
            ("time.every", "every = \"5s\"", "every = \"1h\""),
            ("time.at", "at = [\"08:00\", \"09:00\"]", "at = [\"08:00\"]"),
            ("time.at", "at = [\"08:00\"]", "at = [\"08:00\"]\ndays = [\"mon\"]"),
            ("power.battery", "below = 30", "below = 20"),
            ("power.battery", "", "below = 20"),
            ("power.battery", "above = 80", "above = 90"),
            ("power.battery", "below = 20", "below = 20\ncharging = false"),
            ("network.wifi", "", "ssid = [\"home\"]"),
            ("network.wifi", "ssid = [\"home\", \"work\"]", "ssid = [\"home\"]"),
            ("media.changed", "", "player = \"mpv\""),
            ("file.changed", "paths = [\"~/a\", \"~/b\"]", "paths = [\"~/a\"]"),
        ] {
            assert!(is_wider(name, more, less), "{name}: {more} beyond {less}");
            assert!(!is_wider(name, less, more), "{name}: {less} beyond {more}");
            assert!(!is_wider(name, more, more), "{name}: {more}");
        }
    }

    /// Another thing is wider in both directions.
    #[test]
    fn another_filter_is_wider() {
        for (name, one, other) in [
            ("power.battery", "charging = true", "charging = false"),
            ("network.wifi", "ssid = [\"home\"]", "ssid = [\"work\"]"),
            ("media.changed", "player = \"mpv\"", "player = \"vlc\""),
            ("file.changed", "paths = [\"~/a\"]", "paths = [\"~/b\"]"),
        ] {
            assert!(is_wider(name, one, other) && is_wider(name, other, one), "{name}: {one}");
        }
        let same_number = ["at = [\"08:00\"]", "at = [\"09:00\"]"];
        assert!(!is_wider("time.at", same_number[0], same_number[1]), "as often as before");
    }
}
