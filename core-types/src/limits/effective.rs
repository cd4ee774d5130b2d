//! The limits that are in force for one extension.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::limits::spec::LimitName;
use crate::limits::written::Limits;

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
    /// In this policy file, below the manifest or the default.
    Policy(PathBuf),
    /// By the caller, who waits no longer.
    Caller,
    /// In sesame itself.
    Fixed,
}

/// Every limit of a call with its value in force.
///
/// ```
/// use core_types::{Ceilings, EffectiveLimits, LimitName, Limits, parse_toml};
///
/// let ceilings = Ceilings {
///     limits: parse_toml("max_memory_mib = 32")?.value,
///     source: "/etc/pds/policy.toml".into(),
/// };
/// let limits = EffectiveLimits::new(&Limits::default(), &[ceilings]);
/// assert_eq!(limits.get(LimitName::Memory).value_with_unit(), "32 MiB");
/// # Ok::<(), core_types::TomlProblem>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveLimits(Vec<Limit>);

impl EffectiveLimits {
    /// Returns the limits of a manifest, or the defaults, each held down by the lowest ceiling.
    pub fn new(manifest: &Limits, ceilings: &[Ceilings]) -> Self {
        let in_force = |name| Limit::in_force(name, manifest, ceilings);
        Self(LimitName::ALL.into_iter().map(in_force).collect())
    }

    /// Returns the limit of this name.
    pub fn get(&self, name: LimitName) -> &Limit {
        &self.0[name as usize]
    }

    /// Lowers the time of a call to the wait of its caller. A longer one changes nothing.
    #[must_use]
    pub fn waited_for(mut self, wait: Duration) -> Self {
        let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let timeout = &mut self.0[LimitName::Timeout as usize];
        if milliseconds < timeout.value {
            (timeout.value, timeout.origin) = (milliseconds, LimitOrigin::Caller);
        }
        self
    }

    /// Returns how long a call may take, waiting included.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.get(LimitName::Timeout).value)
    }

    /// Iterates over every limit, in the order of the documentation.
    pub fn iter(&self) -> impl Iterator<Item = &Limit> {
        self.0.iter()
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
            (None, _) => (name.spec().default, LimitOrigin::Fixed),
            (_, Some(value)) => (value, LimitOrigin::Manifest),
            (_, None) => (name.spec().default, LimitOrigin::Default),
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

    /// Returns the value with its unit, such as `16 MiB`.
    pub fn value_with_unit(&self) -> String {
        self.name.spec().unit.of(self.value)
    }
}

impl fmt::Display for LimitOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::Manifest => f.write_str("set in the manifest"),
            Self::Policy(source) => write!(f, "set by policy in `{}`", source.display()),
            Self::Caller => f.write_str("set by the caller"),
            Self::Fixed => f.write_str("fixed by sesame"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(text: &str) -> Limits {
        crate::parse_toml(text).expect(text).value
    }

    #[test]
    fn lowest_ceiling_wins_over_manifest() {
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
}
