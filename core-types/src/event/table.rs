//! The table of one event in a manifest.

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};
use std::fmt;

use crate::event::name::EventName;
use crate::event::setting::Setting;
use crate::event::setting_values::{
    Interval, MAX_PATHS, MAX_SSIDS, MAX_TIMES, MediaPlayer, Percent, Several, Ssid, TimeOfDay,
    WatchedPath, Weekday,
};
use crate::event::settings::{MissingSetting, Settings};
use crate::event::spec::EventType;

/// The settings of one event as they are written: `[events."NAME"]`. Nothing stands for a key that
/// is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(default)]
pub struct EventTable {
    /// `every`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Interval>,
    /// `exact`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<bool>,
    /// `at`, in order, each once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Vec<TimeOfDay>>,
    /// `days`, in order, each once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<Vec<Weekday>>,
    /// `catch_up`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catch_up: Option<bool>,
    /// `below`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<Percent>,
    /// `above`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<Percent>,
    /// `charging`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charging: Option<bool>,
    /// `ssid`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssid: Option<Vec<Ssid>>,
    /// `player`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub player: Option<MediaPlayer>,
    /// `paths`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<WatchedPath>>,
    /// `while_locked`: delivered while the screen is locked. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub while_locked: Option<bool>,
    /// `enabled`: whether it wakes the extension. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

impl EventTable {
    /// Returns these settings, with those of another table where this one says nothing.
    pub fn over(&self, other: &Self) -> Self {
        let (own, other) = (self.clone(), other.clone());
        Self {
            every: own.every.or(other.every),
            exact: own.exact.or(other.exact),
            at: own.at.or(other.at),
            days: own.days.or(other.days),
            catch_up: own.catch_up.or(other.catch_up),
            below: own.below.or(other.below),
            above: own.above.or(other.above),
            charging: own.charging.or(other.charging),
            ssid: own.ssid.or(other.ssid),
            player: own.player.or(other.player),
            paths: own.paths.or(other.paths),
            while_locked: own.while_locked.or(other.while_locked),
            enabled: own.enabled.or(other.enabled),
        }
    }

    /// Returns these settings without those that belong to the user alone.
    pub(super) fn without_user(&self) -> Self {
        Self { while_locked: None, enabled: None, ..self.clone() }
    }

    /// Tells whether the event wakes the extension where it is granted.
    pub fn is_enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }

    /// Tells whether it is delivered while the screen is locked.
    pub fn is_while_locked(&self) -> bool {
        self.while_locked.unwrap_or(false)
    }

    /// Returns the settings with their types and defaults.
    ///
    /// # Errors
    /// When one is missing without which the event never happens.
    pub fn settings(&self, name: &EventName) -> Result<Settings, MissingSetting> {
        let missing = |setting| MissingSetting { name: name.clone(), setting };
        Ok(match name.event() {
            EventType::TimeEvery => Settings::Every {
                every: self.every.ok_or_else(|| missing(Setting::Every))?.duration(),
                exact: self.exact.unwrap_or(false),
            },
            EventType::TimeAt => Settings::At {
                times: self.at.clone().ok_or_else(|| missing(Setting::At))?,
                days: self.days.clone().unwrap_or_else(|| Weekday::ALL.to_vec()),
                catch_up: self.catch_up.unwrap_or(false),
            },
            EventType::PowerBattery => {
                Settings::Battery { below: self.below, above: self.above, charging: self.charging }
            }
            EventType::NetworkWifi => Settings::Wifi { ssid: self.ssid.clone() },
            EventType::MediaChanged => Settings::Media { player: self.player.clone() },
            EventType::FileChanged => {
                Settings::File { paths: self.paths.clone().ok_or_else(|| missing(Setting::Paths))? }
            }
            _ => Settings::None,
        })
    }

    /// Reads the value of a setting.
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        setting: Setting,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match setting {
            Setting::Every => self.every = Some(map.next_value()?),
            Setting::Exact => self.exact = Some(map.next_value()?),
            Setting::At => self.at = Some(several::<_, MAX_TIMES, _>(map)?),
            Setting::Days => self.days = Some(several::<_, 7, _>(map)?),
            Setting::CatchUp => self.catch_up = Some(map.next_value()?),
            Setting::Below => self.below = Some(map.next_value()?),
            Setting::Above => self.above = Some(map.next_value()?),
            Setting::Charging => self.charging = Some(map.next_value()?),
            Setting::Ssid => self.ssid = Some(several::<_, MAX_SSIDS, _>(map)?),
            Setting::Player => self.player = Some(map.next_value()?),
            Setting::Paths => self.paths = Some(several::<_, MAX_PATHS, _>(map)?),
            Setting::WhileLocked => self.while_locked = Some(map.next_value()?),
            Setting::Enabled => self.enabled = Some(map.next_value()?),
        }
        Ok(())
    }
}

fn several<'de, T, const MAX: usize, A>(map: &mut A) -> Result<Vec<T>, A::Error>
where
    A: MapAccess<'de>,
    Several<T, MAX>: de::Deserialize<'de>,
{
    map.next_value::<Several<T, MAX>>().map(|several| several.0)
}

/// Reads the table of one event. Keys that it does not have are skipped, and reported by the reader
/// of the document.
pub(super) struct TableSeed {
    pub(super) event: EventType,
    /// Whether the table is an author's, which lacks the settings of the user.
    pub(super) is_author: bool,
}

impl<'de> DeserializeSeed<'de> for TableSeed {
    type Value = EventTable;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<EventTable, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TableSeed {
    type Value = EventTable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of settings of an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EventTable, A::Error> {
        let mut table = EventTable::default();
        while let Some(key) = map.next_key::<String>()? {
            let is_there = |setting: &Setting| {
                self.event.has_setting(*setting) && !(self.is_author && setting.is_of_user())
            };
            match Setting::of_key(&key).filter(is_there) {
                Some(setting) => table.read(setting, &mut map)?,
                None => drop(map.next_value::<de::IgnoredAny>()?),
            }
        }
        Ok(table)
    }
}
