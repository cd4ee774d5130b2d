//! How capabilities stand in documents: the one reader and the one writer.

use std::fmt;
use std::path::Path;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::capability::grant::Grant;
use crate::capability::scope::{
    GrantedPath, Pattern, SameGuestPath, Scope, ScopeKind, check_guest_paths,
};
use crate::capability::set::Capabilities;
use crate::capability::spec::Capability;

/// The key of the lists that a part of `config-read` stands in.
const KEYS: &str = "keys";

/// The grants of one capability as a document has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written<'a> {
    /// `true`
    Whole,
    /// `["a", "b"]`
    List(Vec<&'a Scope>),
    /// `{ read = ["~/a"], write = ["~/b"] }`: lists with their keys.
    Lists(Vec<(&'static str, Vec<&'a Scope>)>),
}

impl Capabilities {
    /// Returns what stands under the key of a capability; nothing when it is denied.
    ///
    /// ```
    /// use core_types::{Capabilities, Capability, Written};
    ///
    /// let granted = Capabilities::from_iter(["network=a.example".parse()?]);
    /// let Some(Written::List(hosts)) = granted.written(Capability::Network) else { panic!() };
    /// assert_eq!(hosts[0].to_string(), "a.example");
    /// assert_eq!(granted.written(Capability::Notification), None);
    /// # Ok::<(), core_types::GrantError>(())
    /// ```
    pub fn written(&self, capability: Capability) -> Option<Written<'_>> {
        let first = self.of(capability).next()?;
        Some(match (first.scope(), first.list()) {
            (Scope::Whole, _) => Written::Whole,
            (_, None) => Written::List(self.of(capability).map(Grant::scope).collect()),
            (_, Some(_)) => Written::Lists(lists(self.of(capability))),
        })
    }
}

/// Sorts grants into the lists that they stand in.
fn lists<'a>(grants: impl Iterator<Item = &'a Grant>) -> Vec<(&'static str, Vec<&'a Scope>)> {
    let mut lists: Vec<(&'static str, Vec<&'a Scope>)> = Vec::new();
    for (key, scope) in grants.filter_map(|grant| Some((grant.list()?, grant.scope()))) {
        match lists.last_mut().filter(|(last, _)| *last == key) {
            Some((_, scopes)) => scopes.push(scope),
            None => lists.push((key, vec![scope])),
        }
    }
    lists
}

impl Grant {
    /// Returns the key of the list that it stands in, within the table of its capability.
    pub(crate) fn list(&self) -> Option<&'static str> {
        match (self.capability().spec().scope, self.scope()) {
            (ScopeKind::Keys, Scope::Pattern(_)) => Some(KEYS),
            (_, scope) => scope.list(),
        }
    }
}

/// Only what is granted is written.
impl Serialize for Capabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let granted = self.granted();
        serializer.collect_map(
            granted.into_iter().map(|capability| (capability, self.written(capability))),
        )
    }
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole => serializer.serialize_bool(true),
            Self::List(scopes) => serializer.collect_seq(scopes.iter().map(|scope| Entry(scope))),
            Self::Lists(lists) => {
                let mut map = serializer.serialize_map(Some(lists.len()))?;
                for (key, scopes) in lists {
                    map.serialize_entry(key, &Self::List(scopes.clone()))?;
                }
                map.end()
            }
        }
    }
}

/// An entry of a list: the text of a scope.
struct Entry<'a>(&'a Scope);

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Capabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TableVisitor)
    }
}

struct TableVisitor;

impl<'de> Visitor<'de> for TableVisitor {
    type Value = Capabilities;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of capabilities")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Capabilities, A::Error> {
        let mut capabilities = Capabilities::default();
        while let Some(Key(known)) = map.next_key()? {
            let Some(capability) = known else {
                map.next_value::<de::IgnoredAny>()?;
                continue;
            };
            for scope in read_scopes(capability.spec().scope, &mut map)? {
                capabilities.push(Grant::new(capability, scope));
            }
        }
        Ok(capabilities)
    }
}

/// A key of the table. Unknown ones are reported by the reader of the document.
struct Key(Option<Capability>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a capability")
    }

    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        Ok(Key(name.parse().ok()))
    }
}

/// Reads what stands under a key.
fn read_scopes<'de, A: MapAccess<'de>>(
    kind: ScopeKind,
    map: &mut A,
) -> Result<Vec<Scope>, A::Error> {
    match kind {
        ScopeKind::Whole => map.next_value().map(whole),
        ScopeKind::Keys => map.next_value().map(|Keys(scopes)| scopes),
        ScopeKind::Directories => map.next_value().map(|Directories(scopes)| scopes),
        ScopeKind::Topics => read_list(map, Scope::Pattern),
        ScopeKind::Secrets => read_list(map, Scope::Secret),
        ScopeKind::Variables => read_list(map, Scope::Variable),
        ScopeKind::Hosts => read_list(map, Scope::Host),
        ScopeKind::CommandVariables => read_list(map, Scope::CommandVariables),
        ScopeKind::Resources => read_list(map, Scope::Resources),
        ScopeKind::Features => read_list(map, Scope::Feature),
    }
}

fn read_list<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    map: &mut A,
    scope: fn(T) -> Scope,
) -> Result<Vec<Scope>, A::Error> {
    Ok(map.next_value::<Vec<T>>()?.into_iter().map(scope).collect())
}

fn whole(is_granted: bool) -> Vec<Scope> {
    if is_granted { vec![Scope::Whole] } else { Vec::new() }
}

/// How much of `[config]` an extension sees: `true`, `false` or `{ keys = ["greeting.*"] }`.
struct Keys(Vec<Scope>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeysVisitor)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`true`, `false` or `{ keys = [\"greeting.*\"] }`")
    }

    fn visit_bool<E: de::Error>(self, is_granted: bool) -> Result<Keys, E> {
        Ok(Keys(whole(is_granted)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
        let mut keys: Option<Vec<Pattern>> = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                KEYS => keys = Some(map.next_value()?),
                _ => drop(map.next_value::<de::IgnoredAny>()?),
            }
        }
        let keys = keys.ok_or_else(|| de::Error::missing_field(KEYS))?;
        Ok(Keys(keys.into_iter().map(Scope::Pattern).collect()))
    }
}

/// Directories by kind of access, no two of which have one path for the guest.
#[derive(serde::Deserialize)]
#[serde(try_from = "DirectoryLists")]
struct Directories(Vec<Scope>);

/// The directories as they stand in a file.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct DirectoryLists {
    read: Vec<GrantedPath>,
    write: Vec<GrantedPath>,
}

impl TryFrom<DirectoryLists> for Directories {
    type Error = SameGuestPath;

    fn try_from(DirectoryLists { read, write }: DirectoryLists) -> Result<Self, SameGuestPath> {
        // Where `~` is depends on whose file it is, and is looked at again when it is known.
        check_guest_paths(read.iter().chain(&write), Path::new("~"))?;
        let read = read.into_iter().map(Scope::Read);
        Ok(Self(read.chain(write.into_iter().map(Scope::Write)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every form in which a capability can stand in a manifest.
    const EVERYTHING: &str = r#"
config-read = { keys = ["greeting.*", "a"] }
secret-read = ["b", "a", "a"]
secret-write = ["a"]
notification = true
clipboard-write = true
ipc-publish = ["a.*"]
env = ["LANG"]
network = ["a.example", { host = "http://nas.local", allow_private = true }]
filesystem = { read = ["~/a", { path = "~/b", guest = "/b" }], write = ["/c"] }
exec-env = ["APP_*"]
resources = ["v1/secrets:get"]
experimental = ["wasi-0.3"]
"#;

    fn read(text: &str) -> Capabilities {
        crate::parse_toml(text).unwrap_or_else(|error| panic!("{text}: {error}")).value
    }

    /// What is written keeps the order of the documentation, and of each list.
    #[test]
    fn written_form_stays_the_same() {
        insta::assert_snapshot!(toml::to_string(&read(EVERYTHING)).expect("text"), @r#"
        secret-read = ["b", "a", "a"]
        secret-write = ["a"]
        notification = true
        clipboard-write = true
        ipc-publish = ["a.*"]
        env = ["LANG"]
        network = ["a.example", "http://nas.local+private"]
        exec-env = ["APP_*"]
        resources = ["v1/secrets:get"]
        experimental = ["wasi-0.3"]

        [config-read]
        keys = ["greeting.*", "a"]

        [filesystem]
        read = ["~/a", "~/b::/b"]
        write = ["/c"]
        "#);
    }

    /// The order of the keys does not matter; denied and empty capabilities are not granted.
    #[test]
    fn order_of_keys_does_not_matter() {
        let lines: String = EVERYTHING.lines().rev().map(|line| format!("{line}\n")).collect();
        assert_eq!(read(&lines), read(EVERYTHING));
        let denied = "config-read = false\nnotification = false\nenv = []\nfilesystem = {}";
        assert_eq!(read(denied), Capabilities::default());
        assert_eq!(read("config-read = { keys = [] }").granted(), []);
    }

    #[test]
    fn written_text_reads_back_the_same() {
        let everything = read(EVERYTHING);
        assert_eq!(everything.granted(), Capability::ALL);
        assert_eq!(read(&toml::to_string(&everything).expect("text")), everything);
    }
}
