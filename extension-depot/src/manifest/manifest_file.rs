//! The manifest of an extension as a file. Edits keep the user's comments and order.

use std::io;
use std::path::{Path, PathBuf};

use core_types::event::EventTables;
use core_types::{
    Capabilities, Capability, Digest, Document, ExtensionName, Grant, LimitName, Manifest,
    OciReference, Scope, TomlProblem, UnknownKey, Written, parse_toml,
};
use private_files::read_private_text;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

use crate::manifest::seed::Seed;
use crate::manifest::toml_list;

/// The largest manifest, in bytes: people write a few kilobytes, and a list reads hundreds of them.
pub(crate) const MAX_SIZE: u64 = 1 << 20;

/// A manifest with the file that it stands in.
#[derive(Debug, Clone)]
pub struct LoadedManifest {
    /// The manifest.
    pub manifest: Manifest,
    /// Keys in it that mean nothing.
    pub unknown_keys: Vec<UnknownKey>,
    /// The file.
    pub path: PathBuf,
    /// The file's text, for editing.
    pub(crate) text: String,
}

/// The file with what stands in it.
impl From<&LoadedManifest> for Document {
    fn from(loaded: &LoadedManifest) -> Self {
        Self { path: loaded.path.clone(), text: loaded.text.clone() }
    }
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("cannot read the manifest `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// What stands in it is wrong.
    #[error("the manifest `{}` is wrong: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What, and where in the file.
        problem: TomlProblem,
    },
}

impl LoadedManifest {
    /// Reads the manifest of an extension, or nothing if there is none.
    pub(crate) fn read(path: &Path, name: &ExtensionName) -> Result<Option<Self>, ManifestError> {
        let text = match read_text(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ManifestError::Read { path: path.to_owned(), source }),
        };
        let parsed = Manifest::parse(&text, name)
            .map_err(|problem| ManifestError::Content { path: path.to_owned(), problem })?;
        let (manifest, unknown_keys) = (parsed.value, parsed.unknown_keys);
        Ok(Some(Self { manifest, unknown_keys, path: path.to_owned(), text }))
    }

    /// Returns the reference with its whole digest, if the manifest is pinned.
    pub fn pinned(&self) -> Option<(OciReference, Digest)> {
        let reference = self.manifest.extension.oci.as_ref()?;
        let digest = reference.pinned_digest().ok().flatten()?;
        Some((reference.clone(), digest))
    }

    /// Returns the same without the digest by itself.
    pub fn pinned_reference(&self) -> Option<OciReference> {
        self.pinned().map(|(reference, _)| reference)
    }

    /// Returns the text, and where it says that the extension came from.
    pub(crate) fn text_and_origin(&self) -> (&str, Option<&OciReference>) {
        (&self.text, self.manifest.extension.oci.as_ref())
    }
}

/// Returns the tables of events as they stand in a manifest; nothing where there are none.
fn event_tables(events: &EventTables) -> Option<Table> {
    let mut tables = events.to_toml().parse::<DocumentMut>().ok()?.as_table().clone();
    tables.set_implicit(true);
    (!tables.is_empty()).then_some(tables)
}

/// Returns the text of a manifest, whatever it says.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    read_private_text(path, MAX_SIZE)
}

/// Returns the tables `[capabilities]` and `[limits]` with these values, as they are written into
/// manifests.
pub fn needs_text(capabilities: &Capabilities, limits: &[(LimitName, u64)]) -> String {
    let mut editor = ManifestEditor::new(None);
    editor.set_capabilities(None, capabilities);
    limits.iter().for_each(|(name, value)| editor.set_limit(*name, *value));
    editor.to_text()
}

/// Changes to the text of a manifest. Comments, order and everything that is not changed stay as
/// they are.
pub(crate) struct ManifestEditor(DocumentMut);

impl ManifestEditor {
    /// Starts from the text of a valid manifest, or from nothing.
    pub(crate) fn new(text: Option<&str>) -> Self {
        Self(text.and_then(|text| text.parse().ok()).unwrap_or_default())
    }

    /// Fills in what installing knows.
    pub(crate) fn set_installed(
        &mut self,
        name: &ExtensionName,
        version: &str,
        reference: &OciReference,
    ) {
        self.set_missing("extension", "name", name.as_str());
        self.set("extension", "version", version.into());
        self.set("extension", "oci", reference.to_string().into());
    }

    /// Sets a text that is not set yet.
    pub(crate) fn set_missing(&mut self, table: &str, key: &str, text: &str) {
        if self.0.get(table).and_then(|table| table.get(key)).is_none() {
            self.set(table, key, text.into());
        }
    }

    /// Begins a manifest with these.
    pub(crate) fn set_seed(&mut self, seed: &Seed<'_>) {
        let Seed { limits, config, events } = seed;
        let limits = limits.iter().flat_map(|limits| limits.iter());
        limits.for_each(|(name, value)| self.set_limit(name, value));
        let config = config.iter().flat_map(|config| config.iter());
        config.for_each(|(key, text)| self.set_missing("config", key, text));
        if let Some(tables) = events.and_then(event_tables) {
            self.0.insert("events", Item::Table(tables));
        }
    }

    /// Takes the settings of events over from another manifest, with the comments in them.
    pub(crate) fn take_events(&mut self, from: &str) {
        let other = from.parse::<DocumentMut>().unwrap_or_default();
        match other.get("events") {
            Some(events) => drop(self.0.insert("events", events.clone())),
            None => drop(self.0.remove("events")),
        }
    }

    pub(crate) fn set_enabled(&mut self, enabled: bool) {
        self.set("extension", "enabled", enabled.into());
    }

    pub(crate) fn set_pinned(&mut self, pinned: bool) {
        self.set("extension", "pinned", pinned.into());
    }

    pub(crate) fn set_limit(&mut self, name: LimitName, value: u64) {
        if let Some(key) = name.key() {
            self.set("limits", key, i64::try_from(value).unwrap_or(i64::MAX).into());
        }
    }

    /// Writes what changed between two sets of capabilities.
    pub(crate) fn set_capabilities(&mut self, before: Option<&Capabilities>, after: &Capabilities) {
        self.table("capabilities");
        let denied = Capabilities::default();
        let before = before.unwrap_or(&denied);
        for capability in Capability::ALL {
            match (capability_value(before, capability), capability_value(after, capability)) {
                (old, new)
                    if old.as_ref().map(ToString::to_string)
                        == new.as_ref().map(ToString::to_string) => {}
                (_, Some(new)) => self.set_capability(capability, new),
                (_, None) => drop(self.table("capabilities").remove(capability.name())),
            }
        }
    }

    /// Sets a capability, entry by entry where lists of it stand there.
    fn set_capability(&mut self, capability: Capability, new: Value) {
        match self.table("capabilities").get_mut(capability.name()) {
            Some(old) => merge(old, new, capability.name()),
            None => self.set("capabilities", capability.name(), new),
        }
    }

    pub(crate) fn to_text(&self) -> String {
        self.0.to_string()
    }

    /// Sets a value and keeps the comment behind it.
    fn set(&mut self, table: &str, key: &str, mut new: Value) {
        let table = self.table(table);
        match table.get_mut(key).and_then(Item::as_value_mut) {
            Some(old) => {
                *new.decor_mut() = old.decor().clone();
                *old = new;
            }
            None => drop(table.insert(key, value(new))),
        }
    }

    /// Returns a table, made as `[name]` at the end if it is not there.
    pub(crate) fn table(&mut self, name: &str) -> &mut dyn toml_edit::TableLike {
        let item = self.0.entry(name).or_insert_with(|| Item::Table(Table::new()));
        if !item.is_table_like() {
            *item = Item::Table(Table::new());
        }
        match item.as_table_like_mut() {
            Some(table) => table,
            None => unreachable!("it was made a table above"),
        }
    }
}

/// The keys of lists within a capability.
const LISTS: [&str; 3] = ["keys", "read", "write"];

/// Makes what stands under a key of `[capabilities]` say what `new` says.
fn merge(old: &mut Item, new: Value, key: &str) {
    if old.as_array().is_some() && new.is_array() {
        merge_lists(old, new, key);
    } else if let (Some(table), Value::InlineTable(new)) = (old.as_table_like_mut(), &new) {
        LISTS
            .into_iter()
            .filter(|list| !new.contains_key(list))
            .for_each(|list| drop(table.remove(list)));
        for (name, list) in new {
            match table.get_mut(name) {
                Some(there) => merge(there, list.clone(), &format!("{key}.{name}")),
                None => drop(table.insert(name, value(list.clone()))),
            }
        }
    } else {
        let decor = old.as_value().map(|old| old.decor().clone()).unwrap_or_default();
        *old = value(new);
        old.as_value_mut().into_iter().for_each(|new| *new.decor_mut() = decor.clone());
    }
}

/// Grants of both lists stay as they are written.
fn merge_lists(old: &mut Item, new: Value, key: &str) {
    let (Some(old), Some(new)) = (old.as_array_mut(), new.as_array()) else { return };
    let grants: Vec<_> = new.iter().map(|entry| grant_of(key, entry)).collect();
    toml_list::retain(old, |entry| grants.contains(&grant_of(key, entry)));
    let there: Vec<_> = old.iter().map(|entry| grant_of(key, entry)).collect();
    for (entry, _) in new.iter().zip(&grants).filter(|(_, grant)| !there.contains(grant)) {
        toml_list::push(old, entry.clone());
    }
}

/// Returns the grant of an entry of a list.
fn grant_of(key: &str, entry: &Value) -> Option<Grant> {
    let entry = entry.clone().decorated("", "");
    let parsed = parse_toml::<Capabilities>(&format!("{key} = [{entry}]")).ok()?;
    parsed.value.into_iter().next_back()
}

/// Returns a capability as it is written, or nothing when it is denied.
fn capability_value(capabilities: &Capabilities, capability: Capability) -> Option<Value> {
    capabilities.written(capability).map(|written| match written {
        Written::Whole => true.into(),
        Written::Size(key, size) => {
            Value::InlineTable([(key, i64::from(size.kib()))].into_iter().collect())
        }
        Written::List(scopes) => list_value(&scopes),
        Written::Lists(lists) => Value::InlineTable(
            lists.into_iter().map(|(key, scopes)| (key, list_value(&scopes))).collect(),
        ),
    })
}

fn list_value(scopes: &[&Scope]) -> Value {
    Value::Array(scopes.iter().map(|scope| entry_value(scope)).collect::<Array>())
}

/// An entry as it is written: a directory with a path for the guest is a table.
fn entry_value(scope: &Scope) -> Value {
    match scope {
        Scope::Read(path) | Scope::Write(path) => match path.guest() {
            Some(guest) => Value::InlineTable(InlineTable::from_iter([
                ("path", path.host()),
                ("guest", guest),
            ])),
            None => path.host().into(),
        },
        scope => scope.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REFERENCE: &str = "ghcr.io/my-org/greeting:0.1.0@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn name() -> ExtensionName {
        "greeting".parse().expect("a name")
    }

    fn installed(text: Option<&str>) -> String {
        let mut editor = ManifestEditor::new(text);
        editor.set_installed(&name(), "0.1.0", &REFERENCE.parse().expect("a reference"));
        editor.to_text()
    }

    #[test]
    fn install_keeps_comments() {
        insta::assert_snapshot!(installed(Some(
            "# mine\n\n[capabilities] # decided\nconfig-read = true   # yes\n\n[extension]\nversion = '0.0.1' # old\n# end\n"
        )), @r#"
    # mine

    [capabilities] # decided
    config-read = true   # yes

    [extension]
    version = "0.1.0" # old
    name = "greeting"
    oci = "ghcr.io/my-org/greeting:0.1.0@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    # end
    "#);
        insta::assert_snapshot!(installed(None), @r#"
    [extension]
    name = "greeting"
    version = "0.1.0"
    oci = "ghcr.io/my-org/greeting:0.1.0@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    "#);
    }

    /// Granting changes one line and revoking takes it away.
    #[test]
    fn grant_and_revoke_edit_one_line() {
        let text = "[capabilities]\n# web\nnetwork = [\"a.example\"] # one\nconfig-read = true\n";
        let before = Manifest::parse(text, &name()).expect("valid").value.granted();
        let mut after = before.clone();
        after.add(&"network=b.example".parse().expect("a grant"));
        after.add(&"filesystem=read:~/x".parse().expect("a grant"));
        after.add(&"notification".parse().expect("a grant"));
        after.deny(Capability::ConfigRead);
        let mut editor = ManifestEditor::new(Some(text));
        editor.set_capabilities(Some(&before), &after);
        let written = editor.to_text();
        insta::assert_snapshot!(written, @r#"
    [capabilities]
    # web
    network = ["a.example", "b.example"] # one
    notification = true
    filesystem = { read = ["~/x"] }
    "#);
        assert_eq!(Manifest::parse(&written, &name()).expect("valid").value.granted(), after);
    }

    fn regranted(text: &str, add: &[&str], take: &[&str]) -> String {
        let before = Manifest::parse(text, &name()).expect("valid").value.granted();
        let mut after = before.clone();
        take.iter()
            .for_each(|grant| assert!(after.take(&grant.parse().expect("a grant")), "{grant}"));
        add.iter()
            .for_each(|grant| assert!(after.add(&grant.parse().expect("a grant")), "{grant}"));
        let mut editor = ManifestEditor::new(Some(text));
        editor.set_capabilities(Some(&before), &after);
        let written = editor.to_text();
        let parsed =
            Manifest::parse(&written, &name()).unwrap_or_else(|error| panic!("{written}{error}"));
        let sorted = |capabilities: &Capabilities| {
            let mut grants: Vec<_> = capabilities.iter().cloned().collect();
            grants.sort();
            grants
        };
        assert_eq!(sorted(&parsed.value.granted()), sorted(&after), "{written}");
        written
    }

    /// Entries that stay keep their comments and their form of a table.
    #[test]
    fn list_keeps_comments() {
        let text = r#"[capabilities]
network = [
    "a.example",   # one
    { host = "http://nas.local", allow_private = true }, # two
    "b.example",   # three
]
filesystem = { read = [
    # my notes
    { path = "~/notes", guest = "/notes" }, # seen as /notes
    "~/Documents",
], write = ["~/out"] } # both
config-read = { keys = ["a", "b.*"] } # some
"#;
        let add = ["filesystem=read:~/x::.", "network=c.example", "filesystem=write:~/w"];
        let take = ["network=a.example", "filesystem=read:~/Documents", "config-read=a"];
        insta::assert_snapshot!(regranted(text, &add, &take), @r#"
        [capabilities]
        network = [
            { host = "http://nas.local", allow_private = true }, # two
            "b.example",   # three
            "c.example",
        ]
        filesystem = { read = [
            # my notes
            { path = "~/notes", guest = "/notes" }, # seen as /notes
            { path = "~/x", guest = "." },
        ], write = ["~/out", "~/w"] } # both
        config-read = { keys = ["b.*"] } # some
        "#);
    }

    /// Directories in a table of their own stay there.
    #[test]
    fn filesystem_table_stays_table() {
        let text = "[capabilities.filesystem] # mine\nread = [\"~/a\"] # a\nwrite = [\"~/b\"]\n";
        let written = regranted(text, &["filesystem=read:~/c::/c"], &["filesystem=write:~/b"]);
        insta::assert_snapshot!(written, @r#"
        [capabilities.filesystem] # mine
        read = ["~/a", { path = "~/c", guest = "/c" }] # a
        "#);
    }

    /// Text that would be something else in TOML if it were written as it is.
    fn tricky() -> impl Strategy<Value = String> {
        let parts = [
            "\"",
            "\"\"\"",
            "'",
            "'''",
            "\\",
            "\n",
            "\r\n",
            "]",
            "[capabilities]",
            "network = ['*']",
            "#",
            "=",
            "\0",
            "\u{202e}",
            "\u{85}",
            "\u{7f}",
            "é",
        ];
        proptest::collection::vec(proptest::sample::select(parts.to_vec()), 0..12)
            .prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn publisher_text_stays_a_value(version in prop_oneof![any::<String>(), tricky()]) {
            let mut editor = ManifestEditor::new(None);
            editor.set_installed(&name(), &version, &REFERENCE.parse().expect("a reference"));
            let parsed = Manifest::parse(&editor.to_text(), &name()).expect("what is written can be read");
            prop_assert_eq!(parsed.value.extension.version, Some(version));
            prop_assert!(parsed.unknown_keys.is_empty() && parsed.value.capabilities.is_none());
        }
    }
}
