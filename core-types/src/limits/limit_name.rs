//! How much an extension may use.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};

/// A limit on one call. All limits hold together, on every call, from instantiation on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitName {
    /// `max_memory_mib`: all linear memories together, in MiB. Default 64. A Rust component starts
    /// with 1.1, a Python one with 12.3.
    Memory,
    /// `max_fuel`: computing steps, about one for each WebAssembly instruction and one for each
    /// byte of a bulk operation. Default 1,000,000,000, which is seconds of computing.
    /// Deterministic.
    Fuel,
    /// `timeout_ms`: wall-clock time in milliseconds, waiting included. Default 5,000.
    Timeout,
    /// `max_table_elements`: elements of all tables together. Default 20,000. A JavaScript
    /// component needs 7,700.
    TableElements,
    /// `max_instances`: core instances. Default 64. A Rust component has 3, a Python one 38.
    Instances,
    /// `max_output_kib`: what the guest prints and logs in one call, in KiB. Default 1,024.
    Output,
    /// `max_transfer_mib`: what one host call or one result can make the host hold, in MiB. Default
    /// 16. A list element costs 40 bytes of it, a string its length, and so does a `list<u8>` that
    /// is a result.
    Transfer,
    /// `max_written_mib`: what the guest writes into files in one call, in MiB. Default 1,024. What
    /// a file grows by without being written, as with `set-size`, counts as written.
    Written,
    /// The call stack, in KiB. Fixed at 512.
    Stack,
    /// Resource handles, such as open streams. Fixed at 1,000.
    Handles,
}

/// The `[limits]` of a manifest, or the ceilings of a policy: what is written there and nothing
/// else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits(BTreeMap<LimitName, u64>);

/// The ceilings of one policy and the file that they stand in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ceilings {
    /// The highest value of each limit.
    pub limits: Limits,
    /// Where the policy was read.
    pub source: PathBuf,
}

/// A limit that is in force, and why it has its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Which one.
    pub name: LimitName,
    /// Its value in the unit of its key.
    pub value: u64,
    /// Where the value was set.
    pub origin: LimitOrigin,
}

/// Where a limit was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimitOrigin {
    /// Nowhere: it is the default.
    Default,
    /// In the manifest of the extension.
    Manifest,
    /// In this policy file, below what the manifest or the default says.
    Policy(PathBuf),
    /// In sesame itself.
    Fixed,
}

/// Every limit of a call with its value in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveLimits(BTreeMap<LimitName, Limit>);

impl LimitName {
    /// Every limit, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Memory,
        Self::Fuel,
        Self::Timeout,
        Self::TableElements,
        Self::Instances,
        Self::Output,
        Self::Transfer,
        Self::Written,
        Self::Stack,
        Self::Handles,
    ];

    /// The key in `[limits]`, or nothing for a fixed limit.
    pub fn key(self) -> Option<&'static str> {
        match self {
            Self::Memory => Some("max_memory_mib"),
            Self::Fuel => Some("max_fuel"),
            Self::Timeout => Some("timeout_ms"),
            Self::TableElements => Some("max_table_elements"),
            Self::Instances => Some("max_instances"),
            Self::Output => Some("max_output_kib"),
            Self::Transfer => Some("max_transfer_mib"),
            Self::Written => Some("max_written_mib"),
            Self::Stack | Self::Handles => None,
        }
    }

    /// The value where nothing is written.
    pub fn default_value(self) -> u64 {
        match self {
            Self::Memory => 64,
            Self::Fuel => 1_000_000_000,
            Self::Timeout => 5_000,
            Self::TableElements => 20_000,
            Self::Instances => 64,
            Self::Output => 1_024,
            Self::Transfer => 16,
            Self::Written => 1_024,
            Self::Stack => 512,
            Self::Handles => 1_000,
        }
    }

    /// The values that can be written.
    fn range(self) -> RangeInclusive<u64> {
        match self {
            Self::Memory => 1..=65_536,
            Self::Fuel => 1..=i64::MAX as u64,
            Self::Timeout => 1..=86_400_000,
            Self::TableElements => 1..=10_000_000,
            Self::Instances => 1..=10_000,
            Self::Output => 1..=1_048_576,
            Self::Transfer => 1..=4_096,
            Self::Written => 1..=16_777_216,
            Self::Stack => 512..=512,
            Self::Handles => 1_000..=1_000,
        }
    }

    /// The limit of this key, or nothing when there is none.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.key() == Some(key))
    }

    /// Reads a value as people type it: digits, perhaps with `_` or `,` between them.
    ///
    /// # Errors
    /// When it is not a whole number in the limit's range.
    pub fn parse_value(self, text: &str) -> Result<u64, LimitValueError> {
        let digits = text.replace(['_', ','], "");
        let value = digits.parse().ok().filter(|value| self.range().contains(value));
        value.ok_or_else(|| LimitValueError { name: self, value: text.to_owned() })
    }
}

/// A text that is not a value of a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`limits.{}` is {}, and `{}` is not",
    name.key().unwrap_or_default(),
    RangeOf(*name),
    value.escape_debug()
)]
pub struct LimitValueError {
    /// The limit.
    pub name: LimitName,
    /// The text.
    pub value: String,
}

/// Which values a limit can have, in words.
struct RangeOf(LimitName);

impl fmt::Display for RangeOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = self.0.range();
        write!(f, "a whole number from {} to {}", grouped(*range.start()), grouped(*range.end()))
    }
}

/// What is limited, in words.
impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Memory => "memory",
            Self::Fuel => "fuel",
            Self::Timeout => "time",
            Self::TableElements => "table elements",
            Self::Instances => "instances",
            Self::Output => "output",
            Self::Transfer => "data passed to the host",
            Self::Written => "data written to files",
            Self::Stack => "call stack",
            Self::Handles => "resource handles",
        })
    }
}

impl Limits {
    /// The written value, if there is one.
    pub fn get(&self, name: LimitName) -> Option<u64> {
        self.0.get(&name).copied()
    }

    /// The same with the longest time that can be written, a day: for programs that a person waits
    /// for.
    pub fn with_longest_time(&self) -> Self {
        let mut limits = self.clone();
        limits.0.insert(LimitName::Timeout, *LimitName::Timeout.range().end());
        limits
    }

    /// What is written, in the order of the documentation.
    pub fn iter(&self) -> impl Iterator<Item = (LimitName, u64)> {
        self.0.iter().map(|(name, value)| (*name, *value))
    }
}

impl EffectiveLimits {
    /// The limits of a manifest, or the defaults, each held down by the lowest ceiling.
    pub fn new(manifest: &Limits, ceilings: &[Ceilings]) -> Self {
        let in_force = |name| (name, Limit::in_force(name, manifest, ceilings));
        Self(LimitName::ALL.into_iter().map(in_force).collect())
    }

    /// The limit of this name.
    pub fn get(&self, name: LimitName) -> &Limit {
        &self.0[&name]
    }

    /// How long a call may take, waiting included.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.get(LimitName::Timeout).value)
    }

    /// Every limit, in the order of the documentation.
    pub fn iter(&self) -> impl Iterator<Item = &Limit> {
        self.0.values()
    }
}

/// The defaults.
impl Default for EffectiveLimits {
    fn default() -> Self {
        Self::new(&Limits::default(), &[])
    }
}

impl Limit {
    fn in_force(name: LimitName, manifest: &Limits, ceilings: &[Ceilings]) -> Self {
        let (value, origin) = match (name.key(), manifest.get(name)) {
            (None, _) => (name.default_value(), LimitOrigin::Fixed),
            (_, Some(value)) => (value, LimitOrigin::Manifest),
            (_, None) => (name.default_value(), LimitOrigin::Default),
        };
        ceilings.iter().fold(Self { name, value, origin }, |limit, ceiling| {
            match ceiling.limits.get(name) {
                Some(highest) if highest < limit.value => Self {
                    name,
                    value: highest,
                    origin: LimitOrigin::Policy(ceiling.source.clone()),
                },
                _ => limit,
            }
        })
    }

    /// The value with its unit, such as `16 MiB`.
    pub fn value_with_unit(&self) -> String {
        let value = grouped(self.value);
        match self.name {
            LimitName::Memory | LimitName::Transfer | LimitName::Written => format!("{value} MiB"),
            LimitName::Output | LimitName::Stack => format!("{value} KiB"),
            LimitName::Timeout => format!("{value} ms"),
            LimitName::Fuel
            | LimitName::TableElements
            | LimitName::Instances
            | LimitName::Handles => value,
        }
    }
}

/// Digits in groups of three.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

impl fmt::Display for LimitOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::Manifest => f.write_str("set in the manifest"),
            Self::Policy(source) => write!(f, "set by policy in `{}`", source.display()),
            Self::Fixed => f.write_str("fixed by sesame"),
        }
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

    fn limits(text: &str) -> Limits {
        crate::parse_toml(text).expect(text).value
    }

    #[test]
    fn the_manifest_wins_over_the_default_and_the_lowest_ceiling_over_both() {
        let ceilings =
            |text, source: &str| Ceilings { limits: limits(text), source: source.into() };
        let effective = EffectiveLimits::new(
            &limits("max_memory_mib = 128\nmax_fuel = 1_000"),
            &[
                ceilings("max_memory_mib = 96\ntimeout_ms = 10_000", "a"),
                ceilings("max_memory_mib = 32", "b"),
            ],
        );
        let get = |name| (effective.get(name).value, effective.get(name).origin.clone());
        assert_eq!(get(LimitName::Memory), (32, LimitOrigin::Policy("b".into())));
        assert_eq!(get(LimitName::Fuel), (1_000, LimitOrigin::Manifest));
        assert_eq!(get(LimitName::Timeout), (5_000, LimitOrigin::Default));
        assert_eq!(get(LimitName::Stack), (512, LimitOrigin::Fixed));
    }

    /// A program at a terminal has a day, within the ceilings of policies.
    #[test]
    fn longest_time_stays_below_ceilings() {
        let written = limits("max_fuel = 7").with_longest_time();
        let in_force = |ceilings: &[Ceilings]| {
            EffectiveLimits::new(&written, ceilings).get(LimitName::Timeout).value
        };
        assert_eq!((in_force(&[]), written.get(LimitName::Fuel)), (86_400_000, Some(7)));
        let ceilings = Ceilings { limits: limits("timeout_ms = 2_000"), source: "policy".into() };
        assert_eq!(in_force(&[ceilings]), 2_000);
    }

    #[test]
    fn a_limit_of_nothing_or_of_everything_is_refused() {
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

    #[test]
    fn values_are_shown_with_units() {
        let effective = EffectiveLimits::default();
        let shown: Vec<_> = effective.iter().map(Limit::value_with_unit).collect();
        assert_eq!(
            shown,
            [
                "64 MiB",
                "1,000,000,000",
                "5,000 ms",
                "20,000",
                "64",
                "1,024 KiB",
                "16 MiB",
                "1,024 MiB",
                "512 KiB",
                "1,000"
            ]
        );
    }
}
