//! The values that are configured, each with its place.

use std::path::PathBuf;

use core_types::{Document, TomlLeaf, toml_leaves};

use crate::config::effective_config::EffectiveConfig;

/// One value that is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key with its tables, as TOML has it; those of the system's policy below
    /// `extensions.policy`.
    pub key: String,
    /// The value as it is written.
    pub value: String,
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

impl EffectiveConfig {
    /// Returns every value that is in force, with where it stands. All policies hold; of the
    /// settings of a registry, those in the last file that has any; of those of the session service,
    /// each in the last file that has it.
    pub fn settings(&self) -> Vec<Setting> {
        let all: Vec<_> = self
            .documents
            .iter()
            .enumerate()
            .flat_map(|(at, document)| self.written(at, document))
            .collect();
        let last = |keys: &[String]| {
            let begins = replaced(keys)?;
            all.iter().rev().find(|(other, _)| other.starts_with(begins))
        };
        let is_in_force = |(keys, setting): &&(Vec<String>, Setting)| {
            last(keys).is_none_or(|(_, winner)| winner.path == setting.path)
        };
        all.iter().filter(is_in_force).map(|(_, setting)| setting.clone()).collect()
    }

    fn written(&self, at: usize, document: &Document) -> Vec<(Vec<String>, Setting)> {
        let above: &[&str] =
            if at == 0 && self.has_system_policy { &["extensions", "policy"] } else { &[] };
        let setting = |leaf: TomlLeaf| {
            let keys: Vec<_> = above.iter().map(|key| (*key).to_owned()).chain(leaf.keys).collect();
            let key = keys.iter().map(|key| written_key(key)).collect::<Vec<_>>().join(".");
            (keys, Setting { key, value: leaf.value, path: document.path.clone(), line: leaf.line })
        };
        toml_leaves(&document.text).into_iter().map(setting).collect()
    }
}

/// Returns the beginning of the keys that a later file replaces together.
fn replaced(keys: &[String]) -> Option<&[String]> {
    match keys.first()?.as_str() {
        "registries" => keys.get(..2),
        "session" => Some(keys),
        _ => None,
    }
}

/// Returns a key as it is written in TOML: bare where that is possible.
fn written_key(key: &str) -> String {
    let is_bare = !key.is_empty()
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if is_bare { key.to_owned() } else { toml_edit::Value::from(key).to_string() }
}
