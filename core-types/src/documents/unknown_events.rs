//! Events in `[capabilities]` that this version does not know.

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use crate::documents::toml_text::{Parsed, TomlProblem, UnknownKey, parse_toml};
use crate::event::{EventPattern, EventPatternError};

/// Reads an author's manifest, with the unknown events in its capabilities among the unknown keys.
///
/// # Errors
/// When the text is not TOML or a value has the wrong type or form.
pub fn parse_author_manifest<T: DeserializeOwned>(text: &str) -> Result<Parsed<T>, TomlProblem> {
    let mut parsed = parse_toml(text)?;
    parsed.unknown_keys.extend(unknown_events(text, &[]));
    Ok(parsed)
}

/// Returns the unknown events that the capabilities of a document name. They grant nothing, and the
/// rest of the document holds. `tables` lead to the table that has the capabilities.
pub(crate) fn unknown_events(text: &str, tables: &[&str]) -> Vec<UnknownKey> {
    // Most documents have none, and a second look at them costs as much as the first.
    if !text.contains("events") {
        return Vec::new();
    }
    let Ok(document) = DeTable::parse(text) else { return Vec::new() };
    let mut table = document.get_ref();
    for key in tables.iter().copied().chain(["capabilities"]) {
        let below = table.get(key).and_then(|value| value.get_ref().as_table());
        let Some(below) = below else { return Vec::new() };
        table = below;
    }
    let entries = table.get("events").and_then(|value| value.get_ref().as_array());
    let unknown = entries.into_iter().flat_map(|entries| entries.iter()).filter_map(|entry| {
        let name = name_of(entry.get_ref())?;
        let error = name.parse::<EventPattern>().err()?;
        let EventPatternError::Unknown { nearest, .. } = error else { return None };
        Some(UnknownKey::event(name, nearest, entry.span(), text))
    });
    unknown.collect()
}

/// Returns the name in an entry, which an author can write as a table.
fn name_of<'a>(entry: &'a DeValue<'_>) -> Option<&'a str> {
    let in_table = || entry.as_table()?.get("name")?.get_ref().as_str();
    entry.as_str().or_else(in_table)
}
