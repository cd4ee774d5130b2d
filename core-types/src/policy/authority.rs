//! Everything that decides about one extension.

use std::borrow::Cow;

use crate::capability::{Capabilities, Capability};
use crate::policy::document::Document;
use crate::policy::rules::Policy;
use crate::policy::timed::{BootTime, TimedGrants};

/// Everything that decides what one extension may do: its manifest, the grants of this login
/// session, and every policy.
///
/// The default denies everything.
///
/// ```
/// use core_types::{Authority, BootTime, Capabilities, Capability};
///
/// let granted = Capabilities::from_iter(["notification".parse()?]);
/// let authority = Authority::of(granted.clone());
/// assert!(authority.grants_now_or_later(Capability::Notification));
/// assert_eq!(*authority.in_force(BootTime::default()), granted);
/// # Ok::<(), core_types::GrantError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authority {
    /// The `[capabilities]` of the manifest; nothing when there are none.
    pub capabilities: Option<Capabilities>,
    /// The manifest.
    pub manifest: Document,
    /// The grants that end.
    pub timed: TimedGrants,
    /// The policies that hold, with the files that they stand in.
    pub policies: Vec<(Policy, Document)>,
}

impl Authority {
    /// Makes one of nothing but these capabilities, decided by a program instead of a file.
    pub fn of(capabilities: Capabilities) -> Self {
        Self { capabilities: Some(capabilities), ..Self::default() }
    }

    /// Tells whether a capability is granted at least in part, by a grant that may have ended or a
    /// manifest that a policy overrules: for preparations before a decision.
    pub fn grants_now_or_later(&self, capability: Capability) -> bool {
        self.capabilities.as_ref().is_some_and(|granted| granted.grants(capability))
            || self.timed.iter().any(|timed| timed.grant.capability() == capability)
    }

    /// Returns how many bytes of its own the extension may keep at this moment, within every policy.
    pub fn storage_bytes(&self, now: BootTime) -> u64 {
        let Some(granted) = self.in_force(now).storage() else { return 0 };
        let ceilings = self.policies.iter().filter_map(|(policy, _)| policy.max_storage_kib);
        ceilings.chain([granted]).min().unwrap_or(granted).bytes()
    }

    /// Returns everything that is granted at this moment, within every policy. The grants of the
    /// manifest are cloned only where a timed grant or a policy changes them.
    pub fn in_force(&self, now: BootTime) -> Cow<'_, Capabilities> {
        let mut capabilities = match &self.capabilities {
            Some(granted) => Cow::Borrowed(granted),
            None => Cow::Owned(Capabilities::default()),
        };
        for timed in self.timed.iter().filter(|timed| timed.holds_at(now)) {
            capabilities.to_mut().add(&timed.grant);
        }
        for (policy, _) in &self.policies {
            for denied in &policy.deny {
                if capabilities.grants(*denied) {
                    capabilities.to_mut().deny(*denied);
                }
            }
            let denied =
                capabilities.iter().filter(|grant| policy.denial_of_grant(grant).is_some());
            for grant in denied.cloned().collect::<Vec<_>>() {
                capabilities.to_mut().take(&grant);
            }
        }
        capabilities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The strictest policy is a ceiling, and none gives anything.
    #[test]
    fn storage_ends_at_strictest_policy() {
        let policy = |text: &str| (crate::parse_toml(text).expect(text).value, Document::default());
        let of = |grant: Option<&str>, policies: &[&str]| {
            let granted = grant.map(|grant| grant.parse().expect(grant)).into_iter().collect();
            let policies = policies.iter().map(|text| policy(text)).collect();
            Authority { policies, ..Authority::of(granted) }.storage_bytes(BootTime::default())
        };
        let large = Some("storage=1MiB");
        assert_eq!(of(None, &["max_storage_kib = 512"]), 0);
        assert_eq!(of(large, &[]), 1024 * 1024);
        assert_eq!(of(large, &["max_storage_kib = 512", "max_storage_kib = 600"]), 512 * 1024);
        assert_eq!(of(Some("storage"), &["max_storage_kib = 512"]), 256 * 1024);
        assert_eq!(of(large, &["deny = [\"storage\"]"]), 0);
        assert!(crate::parse_toml::<Policy>("max_storage_kib = 0").is_err());
    }
}
