//! The tables of events in a manifest.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::event::name::EventName;
use crate::event::settings::{MissingSetting, Settings};
use crate::event::table::{EventTable, TableSeed};

/// `[events]` of a manifest: a table for each event that has settings.
///
/// ```
/// use core_types::event::{EventTables, Settings};
///
/// let author = "[\"time.every\"]\nevery = \"1h\"\nexact = true";
/// let user = "[\"time.every\"]\nevery = \"5m\"\nwhile_locked = true";
/// let tables = |text| core_types::parse_toml::<EventTables>(text).map(|parsed| parsed.value);
/// let both = tables(user)?.over(&tables(author)?);
/// let settings = both.settings(&"time.every".parse()?)?;
/// let every = std::time::Duration::from_secs(300);
/// assert_eq!(settings, Settings::Every { every, exact: true });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct EventTables(BTreeMap<EventName, EventTable>);

/// `[events]` of an author's `extension.toml`, which does not have the settings of the user. A
/// table requests its event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthorEvents(EventTables);

impl EventTables {
    /// Returns the table of an event, if there is one.
    pub fn get(&self, name: &EventName) -> Option<&EventTable> {
        self.0.get(name)
    }

    /// Iterates over the tables, in the order of the documentation.
    pub fn iter(&self) -> impl Iterator<Item = (&EventName, &EventTable)> {
        self.0.iter()
    }

    /// Tells whether there is no table.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns these tables with others below them, key by key.
    pub fn over(&self, below: &Self) -> Self {
        let mut tables = below.clone();
        for (name, table) in &self.0 {
            let both = below.0.get(name).map(|below| table.over(below));
            tables.0.insert(name.clone(), both.unwrap_or_else(|| table.clone()));
        }
        tables
    }

    /// Returns the schedules: when events of the clock come. What only the user of a machine decides is
    /// not in them, and neither is any other setting, such as the name of a network.
    pub fn schedules(&self) -> Self {
        let tables = self.0.iter().filter(|(name, _)| name.event().spec().family() == "time");
        let tables = tables.map(|(name, table)| (name.clone(), table.without_user()));
        Self(tables.filter(|(_, table)| *table != EventTable::default()).collect())
    }

    /// Returns the tables as the text of a document.
    pub fn to_toml(&self) -> String {
        // Tables of texts, numbers and lists have no value that TOML lacks.
        toml::to_string(self).unwrap_or_default()
    }

    /// Returns the settings of an event. One without a table has the defaults.
    ///
    /// # Errors
    /// When a setting is missing without which the event never happens.
    pub fn settings(&self, name: &EventName) -> Result<Settings, MissingSetting> {
        self.0.get(name).unwrap_or(&EventTable::default()).settings(name)
    }
}

impl AuthorEvents {
    /// Returns the tables.
    pub fn tables(&self) -> &EventTables {
        &self.0
    }

    /// Returns the tables.
    pub fn into_tables(self) -> EventTables {
        self.0
    }
}

impl<'de> Deserialize<'de> for EventTables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TablesVisitor { is_author: false })
    }
}

impl<'de> Deserialize<'de> for AuthorEvents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TablesVisitor { is_author: true }).map(Self)
    }
}

struct TablesVisitor {
    is_author: bool,
}

impl<'de> Visitor<'de> for TablesVisitor {
    type Value = EventTables;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table for each event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EventTables, A::Error> {
        let mut tables = EventTables::default();
        while let Some(key) = map.next_key::<String>()? {
            // An unknown name is skipped, and reported by the reader of the document.
            let Ok(name) = key.parse::<EventName>() else {
                map.next_value::<de::IgnoredAny>()?;
                continue;
            };
            let seed = TableSeed { event: name.event(), is_author: self.is_author };
            tables.0.insert(name, map.next_value_seed(seed)?);
        }
        Ok(tables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<crate::Parsed<EventTables>, crate::TomlProblem> {
        crate::parse_toml(text)
    }

    /// The rows of bad input: each is an error that stands at its value.
    #[test]
    fn bad_setting_is_an_error_at_its_place() {
        let every = "a length of time as text, from `1s` to `30d`";
        let many: Vec<_> = (0..25).map(|minute| format!("\"08:{minute:02}\"")).collect();
        let many = format!("[{}]", many.join(", "));
        for (name, key, value, said) in [
            ("time.every", "every", "\"0s\"", every),
            ("time.every", "every", "\"900ms\"", every),
            ("time.every", "every", "\"31d\"", every),
            ("time.every", "every", "-1", every),
            ("time.every", "every", "15", every),
            ("time.every", "exact", "\"yes\"", "`true` or `false`"),
            ("time.at", "at", "\"25:00\"", "a list of 1 to 24"),
            ("time.at", "at", "[\"25:00\"]", "as `HH:MM`"),
            ("time.at", "at", "[\"8:30\"]", "as `HH:MM`"),
            ("time.at", "at", "[]", "a list of 1 to 24"),
            ("time.at", "at", many.as_str(), "a list of 1 to 24"),
            ("time.at", "days", "[\"monday\"]", "a day: `mon`"),
            ("power.battery", "below", "101", "a whole number from 0 to 100"),
            ("power.battery", "below", "20.5", "a whole number from 0 to 100"),
            ("network.wifi", "ssid", "\"home\"", "a list of 1 to 64"),
            ("network.wifi", "ssid", "[\"\"]", "the name of a wireless network"),
            ("media.changed", "player", "\"a b\"", "the name of a media player"),
            ("file.changed", "paths", "[\"a\"]", "an absolute path"),
            ("file.changed", "paths", "[\"~/../a\"]", "an absolute path"),
            ("session.locked", "while_locked", "1", "`true` or `false`"),
        ] {
            let text = format!("# mine\n[\"{name}\"]\n{key} = {value}");
            let error = read(&text).expect_err(&text);
            assert_eq!(error.line, 3, "{error}");
            let column = key.len() + 4;
            assert!((column..column + 3).contains(&error.column), "{error}");
            assert!(error.message.contains(said), "{text}: {error}");
        }
    }

    /// An unknown name or key is skipped with the nearest one, and the rest holds.
    #[test]
    fn unknown_name_is_skipped() {
        let text = "[\"power.batery\"]\nbelow = 1\n[\"power.battery\"]\nbelo = 2\nevery = \"1s\"\n\
                    below = 3\n[power.source]\n[\"custom.\"]\n";
        let parsed = read(text).expect("valid");
        let names: Vec<_> = parsed.value.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["power.battery"]);
        assert_eq!(parsed.unknown_keys.len(), 5, "{:?}", parsed.unknown_keys);
    }

    #[test]
    fn duplicates_stand_once() {
        let text =
            "[\"time.at\"]\nat = [\"17:00\", \"08:30\", \"17:00\"]\ndays = [\"fri\", \"fri\"]";
        let tables = read(text).expect("valid").value;
        let written = toml::to_string(&tables).expect("text");
        assert_eq!(written.trim(), "[\"time.at\"]\nat = [\"08:30\", \"17:00\"]\ndays = [\"fri\"]");
    }

    /// A schedule says when, and nothing of the user.
    #[test]
    fn schedules_are_of_the_clock() {
        let text = "[\"time.every\"]\nevery = \"5m\"\nenabled = false\n\
                    [\"time.at\"]\nwhile_locked = true\n\
                    [\"network.wifi\"]\nssid = [\"home\"]\n\
                    [\"file.changed\"]\npaths = [\"~/a\"]\n";
        let schedules = read(text).expect("valid").value.schedules();
        assert_eq!(schedules.to_toml(), "[\"time.every\"]\nevery = \"5m\"\n");
    }

    /// An author cannot decide what belongs to the user.
    #[test]
    fn author_has_no_settings_of_the_user() {
        let text = "[\"time.every\"]\nevery = \"1h\"\nwhile_locked = true\nenabled = false";
        let parsed = crate::parse_toml::<AuthorEvents>(text).expect("valid");
        let unknown: Vec<_> = parsed.unknown_keys.iter().map(|key| key.path.as_str()).collect();
        assert_eq!(unknown, ["time.every.while_locked", "time.every.enabled"]);
        let table = parsed.value.tables().get(&"time.every".parse().expect("a name"));
        assert!(table.is_some_and(|table| table.is_enabled() && !table.is_while_locked()));
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = read(&text);
        }

        /// What is written reads back the same.
        #[test]
        fn written_tables_read_back(
            minutes in proptest::collection::vec(0_u32..1440, 1..30),
            below in 0_u8..=100,
            seconds in 1_u64..=2_592_000,
        ) {
            let times: Vec<_> = minutes
                .iter()
                .map(|minute| format!("\"{:02}:{:02}\"", minute / 60, minute % 60))
                .collect();
            let text = format!(
                "[\"time.at\"]\nat = [{}]\n[\"power.battery\"]\nbelow = {below}\n\
                 [\"time.every\"]\nevery = \"{seconds}s\"\n",
                times.join(", ")
            );
            if let Ok(parsed) = read(&text) {
                let written = toml::to_string(&parsed.value).expect("text");
                prop_assert_eq!(read(&written).expect("valid").value, parsed.value);
            }
        }
    }
}
