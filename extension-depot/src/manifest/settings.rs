//! Sets and unsets settings and limits in a manifest.

use core_types::{Config, ExtensionName, LimitName, Manifest, SettingKind};
use toml_edit::{Item, Table, TableLike, Value, value};

use crate::history::generation::Reason;
use crate::manifest::edit::EditError;
use crate::manifest::manifest_file::{LoadedManifest, ManifestEditor, ManifestError};
use crate::store::locked_depot::LockedDepot;

/// A change of one setting or limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingChange {
    /// A value of `[config]`.
    Set {
        /// The dotted key.
        key: String,
        /// The value, as text.
        value: String,
        /// Its kind, where the author declares it.
        kind: Option<SettingKind>,
    },
    /// A value of `[config]` is taken away.
    Unset {
        /// The dotted key.
        key: String,
    },
    /// A value of `[limits]`, in the unit of its key.
    SetLimit(LimitName, u64),
    /// The default of a limit holds again.
    UnsetLimit(LimitName),
}

/// Why settings and limits are not changed. The manifest is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ChangeSettingsError {
    /// The manifest cannot be edited.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The result is not a manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A value would take the place of a table of settings.
    #[error("it would take the setting `{}` away", key.escape_debug())]
    Table {
        /// The extension.
        name: ExtensionName,
        /// A setting in that table.
        key: String,
    },
}

impl LockedDepot<'_> {
    /// Changes settings and limits, all or none. Returns of each whether it was not so before.
    ///
    /// # Errors
    /// When the manifest is missing, the result is not a manifest, or it cannot be written.
    pub fn change_settings(
        &self,
        name: &ExtensionName,
        changes: &[SettingChange],
    ) -> Result<Vec<bool>, ChangeSettingsError> {
        let mut changed = Vec::new();
        self.edit::<ChangeSettingsError>(name, Reason::Configured, |loaded, editor| {
            changed = changes.iter().map(|change| editor.change_setting(loaded, change)).collect();
            let path = &loaded.path;
            let wrong = |problem| ManifestError::Content { path: path.clone(), problem };
            let after = Manifest::parse(&editor.to_text(), name).map_err(wrong)?.value;
            check_others(changes, &loaded.manifest.config, &after.config)
                .map_err(|key| ChangeSettingsError::Table { name: name.clone(), key })?;
            Ok(changed.contains(&true))
        })?;
        Ok(changed)
    }
}

/// Checks that every other setting is unchanged: a value in the place of a table would remove all
/// in it.
fn check_others(changes: &[SettingChange], before: &Config, after: &Config) -> Result<(), String> {
    let changed: Vec<_> = changes.iter().filter_map(SettingChange::key).collect();
    let mut others = before.iter().filter(|(key, _)| !changed.contains(key));
    match others.find(|(key, value)| after.get(key) != Some(value)) {
        Some((key, _)) => Err(key.to_owned()),
        None => Ok(()),
    }
}

impl SettingChange {
    /// Returns the key of `[config]` that it changes.
    fn key(&self) -> Option<&str> {
        match self {
            Self::Set { key, .. } | Self::Unset { key } => Some(key),
            Self::SetLimit(..) | Self::UnsetLimit(_) => None,
        }
    }
}

impl ManifestEditor {
    /// Makes a change. Returns whether it was not so before.
    fn change_setting(&mut self, loaded: &LoadedManifest, change: &SettingChange) -> bool {
        let Manifest { config, limits, .. } = &loaded.manifest;
        match change {
            SettingChange::Set { key, value, kind } => {
                set(self.table("config"), key, value, *kind);
                config.get(key) != Some(value)
            }
            SettingChange::Unset { key } => {
                let is_set = config.get(key).is_some();
                if is_set {
                    unset(self.table("config"), key);
                }
                is_set
            }
            SettingChange::SetLimit(name, value) => {
                self.set_limit(*name, *value);
                limits.get(*name) != Some(*value)
            }
            SettingChange::UnsetLimit(name) => {
                let key = name.key().filter(|_| limits.get(*name).is_some());
                key.is_some_and(|key| self.table("limits").remove(key).is_some())
            }
        }
    }
}

/// Sets the value of a dotted key where it stands, in whichever form. A new one becomes a dotted
/// key.
fn set(table: &mut dyn TableLike, key: &str, text: &str, kind: Option<SettingKind>) {
    if let Some(old) = table.get_mut(key).and_then(Item::as_value_mut) {
        let mut new = written(text, kind.or_else(|| kind_of(old)));
        *new.decor_mut() = old.decor().clone();
        *old = new;
        return;
    }
    if let Some((below, rest)) = table_with(table, key) {
        return set(below, rest, text, kind);
    }
    let first = key.split_once('.').filter(|(first, _)| !table.contains_key(first));
    match first {
        Some((first, rest)) => {
            let mut below = Table::new();
            below.set_dotted(true);
            set(&mut below, rest, text, kind);
            table.insert(first, Item::Table(below));
        }
        None => drop(table.insert(key, value(written(text, kind)))),
    }
}

/// Takes the value of a dotted key away, and the tables that have nothing left in them.
fn unset(table: &mut dyn TableLike, key: &str) {
    if table.get(key).is_some_and(Item::is_value) {
        drop(table.remove(key));
        return;
    }
    let Some((below, rest)) = table_with(table, key) else { return };
    unset(below, rest);
    if below.is_empty() {
        drop(table.remove(&key[..key.len() - rest.len() - 1]));
    }
}

/// Returns the table whose key a dotted key begins with, and the rest of it; that in which it
/// stands, if it stands in one.
fn table_with<'t, 'k>(
    table: &'t mut dyn TableLike,
    key: &'k str,
) -> Option<(&'t mut dyn TableLike, &'k str)> {
    let dots: Vec<_> = key.match_indices('.').map(|(at, _)| at).collect();
    let has_table = |at: &usize| table.get(&key[..*at]).is_some_and(Item::is_table_like);
    let tables: Vec<_> = dots.into_iter().filter(has_table).collect();
    let has_key =
        |at: &usize| table.get(&key[..*at]).is_some_and(|below| contains(below, &key[at + 1..]));
    let at = tables.iter().copied().find(|at| has_key(at)).or_else(|| tables.first().copied())?;
    Some((table.get_mut(&key[..at])?.as_table_like_mut()?, &key[at + 1..]))
}

/// Returns whether a dotted key stands in a table, in whichever form.
fn contains(item: &Item, key: &str) -> bool {
    let Some(table) = item.as_table_like() else { return false };
    let below = |(at, _): (usize, &str)| {
        table.get(&key[..at]).is_some_and(|below| contains(below, &key[at + 1..]))
    };
    table.get(key).is_some_and(Item::is_value) || key.match_indices('.').any(below)
}

/// Returns the kind of an existing value.
fn kind_of(value: &Value) -> Option<SettingKind> {
    match value {
        Value::Integer(_) => Some(SettingKind::Integer),
        Value::Float(_) => Some(SettingKind::Number),
        Value::Boolean(_) => Some(SettingKind::Boolean),
        _ => None,
    }
}

/// Returns a value as TOML writes it. A value of another kind, or one that would be read as another
/// text, is written as text.
fn written(text: &str, kind: Option<SettingKind>) -> Value {
    let typed = match kind.unwrap_or_default() {
        SettingKind::Integer => text.parse::<i64>().ok().map(Value::from),
        SettingKind::Number => {
            text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from)
        }
        SettingKind::Boolean => text.parse::<bool>().ok().map(Value::from),
        SettingKind::String => None,
    };
    let same = typed.filter(|typed| match typed {
        Value::Integer(number) => number.value().to_string() == text,
        Value::Float(number) => number.value().to_string() == text,
        _ => true,
    });
    same.unwrap_or_else(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, changes: &[(&str, Option<&str>)]) -> String {
        let mut editor = ManifestEditor::new(Some(text));
        for (key, value) in changes {
            match value {
                Some(value) => set(editor.table("config"), key, value, None),
                None => unset(editor.table("config"), key),
            }
        }
        let text = editor.to_text();
        let name: ExtensionName = "x".parse().expect("a name");
        let manifest =
            Manifest::parse(&text, &name).unwrap_or_else(|error| panic!("{error}: {text}")).value;
        for (key, value) in changes {
            assert_eq!(manifest.config.get(key), *value, "{key} in {text}");
        }
        text
    }

    #[test]
    fn set_keeps_comments_and_forms() {
        let text = r#"# mine
[config] # settings
days = 3     # a number
city = "Oslo" # a text
greeting.template = "Hi" # dotted
"quoted.key" = "q" # quoted
inline = { a = "b", c.d = 1 }

[config.table] # a table
deep.er = true # deeper
"#;
        let changes = [
            ("days", Some("4")),
            ("city", Some("7")),
            ("greeting.template", Some("Hello")),
            ("quoted.key", Some("r")),
            ("inline.c.d", Some("2")),
            ("table.deep.er", Some("false")),
            ("table.new.one", Some("x")),
            ("brand.new", Some("y")),
            ("city.of", Some("z")),
        ];
        insta::assert_snapshot!(changed(text, &changes), @r#"
        # mine
        [config] # settings
        days = 4     # a number
        city = "7" # a text
        greeting.template = "Hello" # dotted
        "quoted.key" = "r" # quoted
        inline = { a = "b", c.d = 2 }
        brand.new = "y"
        "city.of" = "z"

        [config.table] # a table
        deep.er = false # deeper
        new.one = "x"
        "#);
    }

    #[test]
    fn unset_takes_only_what_is_named() {
        let text = "[config]\na = 1 # one\nb.c = 2\nb.d = 3\n\"e.f\" = 4\n[config.t]\nx = 5\n";
        insta::assert_snapshot!(changed(text, &[("a", None), ("b.c", None), ("e.f", None), ("t.x", None), ("no", None)]), @r#"
        [config]
        b.d = 3
        "#);
    }

    /// A value of another kind than before is written as the text that it is.
    #[test]
    fn value_reads_back_as_typed() {
        for value in [
            "007",
            "1e3",
            "1_0",
            "true ",
            "inf",
            "",
            "line\nbreak",
            "\"",
            "[x]",
            "9223372036854775808",
        ] {
            changed(
                "[config]\na = 1\nb = 1.5\nc = true\n",
                &[("a", Some(value)), ("b", Some(value)), ("c", Some(value))],
            );
        }
    }
}
