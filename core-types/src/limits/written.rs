//! The limits that a document has written down.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};

use crate::limits::spec::{LimitName, RangeOf};

/// The `[limits]` of a manifest, or the ceilings of a policy: the written values and nothing else.
///
/// ```
/// use core_types::{LimitName, Limits, parse_toml};
///
/// let limits: Limits = parse_toml("max_fuel = 1_000")?.value;
/// assert_eq!(limits.get(LimitName::Fuel), Some(1_000));
/// assert_eq!(limits.get(LimitName::Memory), None);
/// # Ok::<(), core_types::TomlProblem>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits(BTreeMap<LimitName, u64>);

impl Limits {
    /// Returns the written value, if there is one.
    pub fn get(&self, name: LimitName) -> Option<u64> {
        self.0.get(&name).copied()
    }

    /// Returns the same with the longest time that can be written, a day: for programs that a
    /// person waits for.
    pub fn with_longest_time(&self) -> Self {
        let mut limits = self.clone();
        limits.0.insert(LimitName::Timeout, *LimitName::Timeout.range().end());
        limits
    }

    /// Iterates over the written values, in the order of the documentation.
    pub fn iter(&self) -> impl Iterator<Item = (LimitName, u64)> {
        self.0.iter().map(|(name, value)| (*name, *value))
    }
}

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LimitsVisitor)
    }
}

struct LimitsVisitor;

impl<'de> Visitor<'de> for LimitsVisitor {
    type Value = Limits;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of limits")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Limits, A::Error> {
        let mut limits = Limits::default();
        while let Some(key) = map.next_key::<String>()? {
            match LimitName::of_key(&key) {
                Some(name) => drop(limits.0.insert(name, map.next_value_seed(LimitValue(name))?)),
                None => drop(map.next_value::<de::IgnoredAny>()?),
            }
        }
        Ok(limits)
    }
}

/// Reads the value of one limit, so that an error points at the value.
struct LimitValue(LimitName);

impl<'de> DeserializeSeed<'de> for LimitValue {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_i64(self)
    }
}

impl Visitor<'_> for LimitValue {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", RangeOf(self.0))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<u64, E> {
        let fits = u64::try_from(value).ok().filter(|value| self.0.range().contains(value));
        fits.ok_or_else(|| E::invalid_value(de::Unexpected::Signed(value), &self))
    }
}

impl serde::Serialize for Limits {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().filter_map(|(name, value)| Some((name.key()?, value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neither nothing nor everything is a limit, and neither is a number in another form.
    #[test]
    fn limit_out_of_range_is_refused() {
        for text in [
            "max_fuel = 0",
            "max_fuel = -1",
            "max_fuel = 18446744073709551616",
            "max_fuel = 9223372036854775808",
            "max_fuel = 0x1_0000_0000_0000_0000",
            "max_fuel = 1e9",
            "max_fuel = 1.5",
            "max_fuel = inf",
            "max_fuel = nan",
            "max_fuel = true",
            "max_fuel = []",
            "max_fuel = \"1\"",
            "timeout_ms = 1e3",
            "timeout_ms = 0",
            "timeout_ms = \"5s\"",
            "max_memory_mib = 0",
            "max_memory_mib = 65537",
            "max_memory_mib = \"64MiB\"",
            "max_memory_mib = 64MiB",
            "max_output_kib = -9223372036854775808",
            "max_written_mib = 0",
            "max_written_mib = \"1GiB\"",
        ] {
            assert!(crate::parse_toml::<Limits>(text).is_err(), "{text} must be refused");
        }
        assert!(crate::parse_toml::<Limits>("max_fuel = 9_223_372_036_854_775_807").is_ok());
    }
}
