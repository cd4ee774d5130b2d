//! Lists of extensions that belong on a machine: what `sync` follows beside the manifests.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use toml::Spanned;

use crate::capability::Capabilities;
use crate::documents::config::Config;
use crate::documents::toml_text::{Parsed, TomlProblem, parse_toml};
use crate::documents::unknown_events;
use crate::event::{AuthorEvents, EventTables};
use crate::limits::Limits;
use crate::reference::{ExtensionName, OciReference};

/// A list of extensions, by the names that they are installed under. As TOML, each is a table, and
/// `[defaults]` has the rules of the list itself:
///
/// ```toml
/// [defaults]
/// prune = true                              # remove what left the list, where policy allows it
///
/// [greeting-extension]
/// oci = "ghcr.io/my-org/greeting-extension:0.1.0@sha256:..."
/// capabilities = { config-read = true }     # its requests; the list alone grants none
/// config.greeting.template = "Moin, {}!"
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtensionList {
    defaults: ListDefaults,
    entries: BTreeMap<ExtensionName, ExtensionEntry>,
}

/// The rules of a list itself.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct ListDefaults {
    /// `prune`: whether `sync` removes extensions that came from this list and left it. Default:
    /// false.
    pub prune: bool,
}

/// One extension of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionEntry {
    /// `oci`: where it comes from.
    pub oci: OciReference,
    /// `capabilities`: its requests. Default: none.
    pub capabilities: Capabilities,
    /// `limits`: the first limits of its manifest. Default: none.
    pub limits: Limits,
    /// `config`: the first settings of its manifest. Default: none.
    pub config: Config,
    /// `events`: the first settings of events in its manifest. They grant nothing. Default: none.
    pub events: EventTables,
}

#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[derive(serde::Deserialize)]
struct EntryFile {
    #[cfg_attr(feature = "schema", schemars(with = "OciReference"))]
    oci: Spanned<OciReference>,
    #[serde(default)]
    capabilities: Capabilities,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    config: Config,
    /// Without the settings of the user alone: a list comes from others.
    #[serde(default)]
    events: AuthorEvents,
}

/// The table that no extension of a list can be called by.
const DEFAULTS: &str = "defaults";

/// The list as it stands in a file.
#[derive(Default)]
struct ListFile {
    defaults: ListDefaults,
    entries: BTreeMap<ExtensionName, EntryFile>,
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for ExtensionList {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ExtensionList".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let name = generator.subschema_for::<ExtensionName>();
        schemars::json_schema!({
            "type": "object",
            "description": "Extensions that belong on a machine, by name",
            "properties": { DEFAULTS: generator.subschema_for::<ListDefaults>() },
            "propertyNames": name,
            "additionalProperties": generator.subschema_for::<EntryFile>(),
        })
    }
}

/// The name of a table in a list.
enum TableName {
    Defaults,
    Extension(ExtensionName),
}

impl<'de> Deserialize<'de> for TableName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == DEFAULTS {
            return Ok(Self::Defaults);
        }
        text.parse().map(Self::Extension).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for ListFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ListVisitor)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = ListFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table for each extension")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ListFile, A::Error> {
        let mut list = ListFile::default();
        while let Some(table) = map.next_key()? {
            match table {
                TableName::Defaults => list.defaults = map.next_value()?,
                TableName::Extension(name) => drop(list.entries.insert(name, map.next_value()?)),
            }
        }
        Ok(list)
    }
}

impl ExtensionList {
    /// Reads a list. In one that is `published`, each extension has to be pinned to a digest.
    ///
    /// # Errors
    /// When the text is not TOML, a value has the wrong type or form, or `[defaults]` has a key
    /// that this version does not know: it could demand something that this version cannot do.
    pub fn parse(text: &str, published: bool) -> Result<Parsed<Self>, TomlProblem> {
        let Parsed { value, mut unknown_keys } = parse_toml::<ListFile>(text)?;
        if let Some(key) =
            unknown_keys.iter().find(|key| key.path.split('.').next() == Some(DEFAULTS))
        {
            return Err(key.problem(text));
        }
        let mut entries = BTreeMap::new();
        for (name, entry) in value.entries {
            if published && !matches!(entry.oci.get_ref().pinned_digest(), Ok(Some(_))) {
                let message =
                    format!("`{name}` is not pinned to a digest, as a published list has to");
                return Err(TomlProblem::at(entry.oci.span(), &message, text));
            }
            unknown_keys.extend(unknown_events(text, &[name.as_str()]));
            let EntryFile { oci, capabilities, limits, config, events } = entry;
            let events = events.into_tables();
            let oci = oci.into_inner();
            entries.insert(name, ExtensionEntry { oci, capabilities, limits, config, events });
        }
        Ok(Parsed { value: Self { defaults: value.defaults, entries }, unknown_keys })
    }

    /// Returns the rules of the list itself.
    pub fn defaults(&self) -> ListDefaults {
        self.defaults
    }

    /// Returns the entry of this extension, if the list names it.
    pub fn get(&self, name: &ExtensionName) -> Option<&ExtensionEntry> {
        self.entries.get(name)
    }

    /// Iterates over the extensions, in the order of their names.
    pub fn into_entries(self) -> impl Iterator<Item = (ExtensionName, ExtensionEntry)> {
        self.entries.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Entries are manifests in short and published ones are pinned.
    #[test]
    fn published_entries_are_pinned() {
        let text = "[a]\noci = \"r.io/o/a:1\"\nlimits.max_fuel = 5\nconfig.x.y = 1\n[b-c]\noci = \"r.io/o/b:1\"\ntypo = 1\n";
        let parsed = ExtensionList::parse(text, false).expect("valid");
        assert_eq!((parsed.unknown_keys.len(), parsed.unknown_keys[0].line), (1, 7));
        let entries: Vec<_> = parsed.value.into_entries().collect();
        assert_eq!(entries[0].1.config.get("x.y"), Some("1"));
        assert_eq!(entries[1].0.as_str(), "b-c");
        let error = ExtensionList::parse(text, true).expect_err("not pinned");
        assert!(error.to_string().starts_with("line 2, column 7: `a` is not pinned"), "{error}");
        for bad in ["[Bad]\noci = \"r.io/o/a:1\"", "[a]", "a = 1", "[a]\noci = \"r.io/a\"", "["] {
            assert!(ExtensionList::parse(bad, false).is_err(), "{bad}");
        }
    }

    /// A list that demands something which this version does not know is not followed, and names of
    /// extensions stay apart.
    #[test]
    fn defaults_are_understood_or_refused() {
        let entry = "[a]\noci = \"r.io/o/a:1\"\n";
        let parse = |text: &str| ExtensionList::parse(&format!("{text}\n{entry}"), false);
        let prunes = |text: &str| parse(text).expect(text).value.defaults().prune;
        assert!(prunes("[defaults]\nprune = true") && !prunes("[defaults]") && !prunes(""));
        let list = parse("[defaults]\nprune = true").expect("valid").value;
        assert_eq!(list.into_entries().count(), 1, "`defaults` is not an extension");
        for (bad, why) in [
            ("[defaults]\nprnue = true", "unknown key `defaults.prnue`; the nearest is `prune`"),
            ("[defaults]\noci = \"r.io/o/defaults:1\"", "unknown key `defaults.oci`"),
            ("[defaults]\nprune = 1", "expected `true` or `false`, found `1`"),
            ("defaults = true", "expected a table, found `true`"),
            ("[a]\noci = \"r.io/o/b:1\"", "duplicate key"),
            ("[\"a\"]\noci = \"r.io/o/b:1\"", "duplicate key"),
        ] {
            let error = parse(bad).expect_err(bad).to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    /// Settings that are the user's alone do nothing in a list, and each is named.
    #[test]
    fn list_sets_nothing_of_the_user() {
        let text = "[a]\noci = \"r.io/o/a:1\"\n[a.events.\"time.every\"]\nevery = \"1h\"\n\
                    while_locked = true\nenabled = false\n";
        let parsed = ExtensionList::parse(text, false).expect("valid");
        let unknown: Vec<_> = parsed.unknown_keys.iter().map(|key| key.line).collect();
        assert_eq!(unknown, [5, 6]);
        let (_, entry) = parsed.value.into_entries().next().expect("an entry");
        let table = entry.events.get(&"time.every".parse().expect("a name")).expect("a table");
        assert!(table.is_enabled() && !table.is_while_locked());
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = ExtensionList::parse(&text, true);
        }
    }
}
