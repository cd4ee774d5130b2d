//! How capabilities are read: the one reader, for manifests and for what authors ask for.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer};
use serde::de::{MapAccess, Unexpected, Visitor};

use crate::capability::grant::Grant;
use crate::capability::scope::{
    EnvName, ExecEnv, Feature, GrantedPath, NetworkRule, Pattern, ResourceRule, SameGuestPath,
    Scope, ScopeKind, SecretName, StorageSize, check_guest_paths,
};
use crate::capability::set::Capabilities;
use crate::capability::spec::Capability;
use crate::event::{EventPattern, EventPatternError};

/// The key of the list that parts of `config-read` stand in.
pub(super) const KEYS: &str = "keys";

/// The key of the size of `storage`.
pub(super) const MAX_KIB: &str = "max_kib";

/// The remarks of an author on a request. A manifest has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) is_optional: bool,
    pub(super) reason: Option<String>,
    /// Whether the entry has a form that only authors use.
    is_there: bool,
}

impl Remark {
    /// Adds what another remark says beyond this one.
    fn or(self, other: &Self) -> Self {
        Self {
            is_optional: self.is_optional || other.is_optional,
            reason: self.reason.or_else(|| other.reason.clone()),
            is_there: self.is_there || other.is_there,
        }
    }
}

/// Scopes, each with the remark on it.
type Scopes = Vec<(Scope, Remark)>;

impl<'de> Deserialize<'de> for Capabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut capabilities = Self::default();
        let mut is_asked = false;
        deserializer.deserialize_map(TableVisitor(|grant, remark: Remark| {
            is_asked |= remark.is_there;
            capabilities.push(grant);
        }))?;
        if is_asked {
            return Err(de::Error::custom(
                "`optional`, `reason` and `name` belong to the `extension.toml` of an author; \
                 a manifest grants what stands in it",
            ));
        }
        Ok(capabilities)
    }
}

/// Reads a table of capabilities, and gives each grant away as it is read.
pub(super) struct TableVisitor<F>(pub(super) F);

impl<'de, F: FnMut(Grant, Remark)> Visitor<'de> for TableVisitor<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of capabilities")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(known)) = map.next_key()? {
            let Some(capability) = known else {
                map.next_value::<de::IgnoredAny>()?;
                continue;
            };
            for (scope, remark) in read_scopes(capability.spec().scope, &mut map)? {
                (self.0)(Grant::new(capability, scope), remark);
            }
        }
        Ok(())
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

/// Reads the value of a key. The readers of lists stay functions of their own, so that a call has in
/// memory only those that its manifest needs.
fn read_scopes<'de, A: MapAccess<'de>>(kind: ScopeKind, map: &mut A) -> Result<Scopes, A::Error> {
    match kind {
        ScopeKind::Whole => map.next_value().map(|entry: Entry<Flag>| entry.scopes(|flag| flag.0)),
        ScopeKind::Keys => map.next_value().map(|entry: Entry<Keys>| entry.scopes(|keys| keys.0)),
        ScopeKind::Size => map.next_value().map(|entry: Entry<Size>| entry.scopes(|size| size.0)),
        ScopeKind::Directories => map.next_value().map(Entry::<Directories>::directories),
        ScopeKind::Topics => read_list(map, Scope::Pattern),
        ScopeKind::Secrets => read_list(map, Scope::Secret),
        ScopeKind::Variables => read_list(map, Scope::Variable),
        ScopeKind::Hosts => read_list(map, Scope::Host),
        ScopeKind::CommandVariables => read_list(map, Scope::CommandVariables),
        ScopeKind::Resources => read_list(map, Scope::Resources),
        ScopeKind::Events => read_events(map),
        ScopeKind::Features => read_list(map, Scope::Feature),
    }
}

/// Reads a list of events. Those that this version does not know are left out, so that the rest of
/// the document holds; its reader reports them.
#[inline(never)]
fn read_events<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Scopes, A::Error> {
    let entries = map.next_value::<Vec<Entry<KnownEvents>>>()?;
    let known = entries.into_iter().filter_map(|Entry { value: KnownEvents(events), remark }| {
        events.map(|events| (Scope::Events(events), remark))
    });
    Ok(known.collect())
}

#[inline(never)]
fn read_list<'de, T: EntryForm, A: MapAccess<'de>>(
    map: &mut A,
    scope: fn(T) -> Scope,
) -> Result<Scopes, A::Error> {
    let entries = map.next_value::<Vec<Entry<T>>>()?;
    Ok(entries.into_iter().map(|entry| (scope(entry.value), entry.remark)).collect())
}

/// An entry of a document, with the remark on it.
struct Entry<T> {
    value: T,
    remark: Remark,
}

/// The forms that an entry can have.
trait EntryForm: Sized {
    /// The forms, for errors.
    const EXPECTED: &'static str;

    fn of_bool<E: de::Error>(value: bool) -> Result<Self, E> {
        Err(E::invalid_type(Unexpected::Bool(value), &Self::EXPECTED))
    }

    fn of_text<E: de::Error>(text: &str) -> Result<Self, E> {
        Err(E::invalid_type(Unexpected::Str(text), &Self::EXPECTED))
    }

    fn of_table<'de, A: MapAccess<'de>>(map: Remarked<'_, A>) -> Result<Self, A::Error>;
}

impl<T> Entry<T> {
    fn scopes(self, scopes: impl FnOnce(T) -> Vec<Scope>) -> Scopes {
        let Self { value, remark } = self;
        scopes(value).into_iter().map(|scope| (scope, remark.clone())).collect()
    }
}

impl Entry<Directories> {
    /// Returns the directories. A remark on the table is one on each.
    fn directories(self) -> Scopes {
        let Self { value: Directories(scopes), remark } = self;
        scopes.into_iter().map(|(scope, own)| (scope, own.or(&remark))).collect()
    }
}

impl<'de, T: EntryForm> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor(PhantomData))
    }
}

struct EntryVisitor<T>(PhantomData<T>);

impl<'de, T: EntryForm> Visitor<'de> for EntryVisitor<T> {
    type Value = Entry<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Entry<T>, E> {
        Ok(Entry { value: T::of_bool(value)?, remark: Remark::default() })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Entry<T>, E> {
        Ok(Entry { value: T::of_text(text)?, remark: Remark::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry<T>, A::Error> {
        let mut remark = Remark::default();
        let value = T::of_table(Remarked { map, remark: &mut remark })?;
        Ok(Entry { value, remark })
    }
}

/// A table without the remarks of an author, which are put aside.
struct Remarked<'a, A> {
    map: A,
    remark: &'a mut Remark,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Remarked<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.map.next_key::<String>()? {
            match key.as_str() {
                "optional" => self.remark.is_optional = self.map.next_value()?,
                "reason" => self.remark.reason = Some(self.map.next_value()?),
                _ => return seed.deserialize(key.into_deserializer()).map(Some),
            }
            self.remark.is_there = true;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

fn parsed<T: FromStr<Err: fmt::Display>, E: de::Error>(text: &str) -> Result<T, E> {
    text.parse().map_err(E::custom)
}

/// Entries that are texts in a manifest. An author writes `{ name = "token", reason = "..." }` to
/// say more of one.
macro_rules! text_entries {
    ($($type:ty)*) => {$(
        impl EntryForm for $type {
            const EXPECTED: &'static str = "a string";

            fn of_text<E: de::Error>(text: &str) -> Result<Self, E> {
                parsed(text)
            }

            fn of_table<'de, A: MapAccess<'de>>(map: Remarked<'_, A>) -> Result<Self, A::Error> {
                parsed(&name_in(map)?)
            }
        }
    )*};
}

text_entries!(Pattern SecretName EnvName ExecEnv ResourceRule KnownEvents Feature);

/// Reads the `name` of a table.
fn name_in<'de, A: MapAccess<'de>>(mut map: Remarked<'_, A>) -> Result<String, A::Error> {
    let mut name = None;
    while let Some(key) = map.next_key::<String>()? {
        match key.as_str() {
            "name" => name = Some(map.next_value()?),
            _ => drop(map.next_value::<de::IgnoredAny>()?),
        }
    }
    map.remark.is_there = true;
    name.ok_or_else(|| de::Error::missing_field("name"))
}

/// Events, if this version knows them.
struct KnownEvents(Option<EventPattern>);

impl FromStr for KnownEvents {
    type Err = EventPatternError;

    fn from_str(text: &str) -> Result<Self, EventPatternError> {
        match text.parse() {
            Err(EventPatternError::Unknown { .. }) => Ok(Self(None)),
            other => other.map(|events| Self(Some(events))),
        }
    }
}

/// Entries that can be tables in a manifest as well.
macro_rules! table_entries {
    ($($type:ty, $expected:literal;)*) => {$(
        impl EntryForm for $type {
            const EXPECTED: &'static str = $expected;

            fn of_text<E: de::Error>(text: &str) -> Result<Self, E> {
                parsed(text)
            }

            fn of_table<'de, A: MapAccess<'de>>(map: Remarked<'_, A>) -> Result<Self, A::Error> {
                Self::deserialize(MapAccessDeserializer::new(map))
            }
        }
    )*};
}

table_entries! {
    NetworkRule, "a host such as `api.example.com`, or `{ host = \"...\", allow_private = true }`";
    GrantedPath, "a directory such as `~/Documents`, or `{ path = \"~/notes\", guest = \"/notes\" }`";
}

/// A capability that is granted as a whole: `true` or `false`.
struct Flag(Vec<Scope>);

fn whole(is_granted: bool) -> Vec<Scope> {
    if is_granted { vec![Scope::Whole] } else { Vec::new() }
}

impl EntryForm for Flag {
    const EXPECTED: &'static str = "a boolean";

    fn of_bool<E>(is_granted: bool) -> Result<Self, E> {
        Ok(Self(whole(is_granted)))
    }

    fn of_table<'de, A: MapAccess<'de>>(mut map: Remarked<'_, A>) -> Result<Self, A::Error> {
        while map.next_key::<String>()?.is_some() {
            map.next_value::<de::IgnoredAny>()?;
        }
        if !map.remark.is_there {
            return Err(de::Error::invalid_type(Unexpected::Map, &Self::EXPECTED));
        }
        Ok(Self(whole(true)))
    }
}

/// How much of `[config]` an extension sees.
struct Keys(Vec<Scope>);

impl EntryForm for Keys {
    const EXPECTED: &'static str = "`true`, `false` or `{ keys = [\"greeting.*\"] }`";

    fn of_bool<E>(is_granted: bool) -> Result<Self, E> {
        Ok(Self(whole(is_granted)))
    }

    fn of_table<'de, A: MapAccess<'de>>(mut map: Remarked<'_, A>) -> Result<Self, A::Error> {
        let mut keys: Option<Vec<Pattern>> = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                KEYS => keys = Some(map.next_value()?),
                _ => drop(map.next_value::<de::IgnoredAny>()?),
            }
        }
        let keys = keys.ok_or_else(|| de::Error::missing_field(KEYS))?;
        Ok(Self(keys.into_iter().map(Scope::Pattern).collect()))
    }
}

/// How much data an extension may keep.
struct Size(Vec<Scope>);

impl EntryForm for Size {
    const EXPECTED: &'static str = "`true`, `false` or `{ max_kib = 1024 }`";

    fn of_bool<E>(is_granted: bool) -> Result<Self, E> {
        let size = is_granted.then(|| Scope::Size(StorageSize::default()));
        Ok(Self(size.into_iter().collect()))
    }

    fn of_table<'de, A: MapAccess<'de>>(mut map: Remarked<'_, A>) -> Result<Self, A::Error> {
        let mut size: Option<StorageSize> = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                MAX_KIB => size = Some(map.next_value()?),
                _ => drop(map.next_value::<de::IgnoredAny>()?),
            }
        }
        // An author can say why it asks without a number.
        let default = || map.remark.is_there.then(StorageSize::default);
        let size = size.or_else(default).ok_or_else(|| de::Error::missing_field(MAX_KIB))?;
        Ok(Self(vec![Scope::Size(size)]))
    }
}

/// Directories by kind of access, no two of which have one path for the guest.
struct Directories(Scopes);

/// The directories as they stand in a file.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct DirectoryLists {
    read: Vec<Entry<GrantedPath>>,
    write: Vec<Entry<GrantedPath>>,
}

impl EntryForm for Directories {
    const EXPECTED: &'static str = "`{ read = [\"~/a\"], write = [\"~/b\"] }`";

    fn of_table<'de, A: MapAccess<'de>>(map: Remarked<'_, A>) -> Result<Self, A::Error> {
        let lists = DirectoryLists::deserialize(MapAccessDeserializer::new(map))?;
        lists.try_into().map_err(de::Error::custom)
    }
}

impl TryFrom<DirectoryLists> for Directories {
    type Error = SameGuestPath;

    fn try_from(DirectoryLists { read, write }: DirectoryLists) -> Result<Self, SameGuestPath> {
        // Where `~` is depends on whose file it is, and is looked at again when it is known.
        check_guest_paths(read.iter().chain(&write).map(|entry| &entry.value), Path::new("~"))?;
        let read = read.into_iter().map(|entry| (Scope::Read(entry.value), entry.remark));
        let write = write.into_iter().map(|entry| (Scope::Write(entry.value), entry.remark));
        Ok(Self(read.chain(write).collect()))
    }
}
