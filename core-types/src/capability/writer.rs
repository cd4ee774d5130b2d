//! How capabilities are written: the one writer.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::capability::grant::Grant;
use crate::capability::reader::{KEYS, MAX_KIB};
use crate::capability::scope::{Scope, ScopeKind, StorageSize};
use crate::capability::set::Capabilities;
use crate::capability::spec::Capability;

/// The grants of one capability as a document has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written<'a> {
    /// `true`
    Whole,
    /// `{ max_kib = 1024 }`: a size with its key.
    Size(&'static str, StorageSize),
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
            (scope, _) if scope.is_unnamed() => Written::Whole,
            (Scope::Size(size), _) => Written::Size(MAX_KIB, *size),
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

/// Denied capabilities are left out.
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
            Self::Size(key, size) => serializer.collect_map([(key, size)]),
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
storage = { max_kib = 1024 }
env = ["LANG"]
network = ["a.example", { host = "http://nas.local", allow_private = true }]
filesystem = { read = ["~/a", { path = "~/b", guest = "/b" }], write = ["/c"] }
exec-env = ["APP_*"]
resources = ["v1/secrets:get"]
events = ["power.battery", "custom.build.*"]
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
        events = ["power.battery", "custom.build.*"]
        experimental = ["wasi-0.3"]

        [config-read]
        keys = ["greeting.*", "a"]

        [storage]
        max_kib = 1024

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
        let denied =
            "config-read = false\nnotification = false\nstorage = false\nenv = []\nfilesystem = {}";
        assert_eq!(read(denied), Capabilities::default());
        assert_eq!(read("config-read = { keys = [] }").granted(), []);
    }

    /// Without a size, storage has the default; others stand in a table of their own.
    #[test]
    fn storage_is_a_flag_or_a_size() {
        let of = |text: &str| read(text).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(of("storage = true"), ["storage"]);
        assert_eq!(of("storage = { max_kib = 256 }"), ["storage"]);
        assert_eq!(of("storage = { max_kib = 16384 }"), ["storage=16384KiB"]);
        assert_eq!(
            toml::to_string(&read("storage = { max_kib = 256 }")),
            Ok("storage = true\n".to_owned())
        );
        for bad in [
            "storage = {}",
            "storage = \"256\"",
            "storage = 256",
            "storage = { max_kib = 0 }",
            "storage = { max_kib = 16385 }",
            "storage = { max_kib = -1 }",
            "storage = { max_kib = 1.5 }",
            "storage = { optional = true }",
        ] {
            assert!(crate::parse_toml::<Capabilities>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn written_text_reads_back_the_same() {
        let sample = include_str!("../../../config-examples/everything.toml");
        let name = "everything".parse().expect("a name");
        let sample = crate::Manifest::parse(sample, &name).expect("valid").value.granted();
        assert_eq!(sample.granted(), Capability::ALL);
        for everything in [sample, read(EVERYTHING)] {
            assert_eq!(read(&toml::to_string(&everything).expect("text")), everything);
        }
    }
}
