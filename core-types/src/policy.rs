//! What the administrator or the user holds extensions down to.

use crate::capability::{Capabilities, Capability};
use crate::limits::Limits;
use crate::query::OciPrefix;
use crate::reference::OciReference;

/// A policy: the top level of `/etc/pds/policy.toml`, and `[extensions.policy]` of the user's configuration.
///
/// It is a ceiling. Where both files say something, the stricter holds; neither can give anything that a manifest
/// does not ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct Policy {
    /// `deny`: capabilities that no extension has, whatever its manifest says. Default: none.
    pub deny: Vec<Capability>,
    /// `registries`: the only places from which extensions can be installed, as `registry[/principal[/scope]]`.
    /// Default: all places.
    pub registries: Option<Vec<OciPrefix>>,
    /// `limits`: the highest values that manifests can have. Default: none.
    pub limits: Limits,
}

impl Policy {
    /// What remains of the capabilities.
    pub fn within(&self, mut capabilities: Capabilities) -> Capabilities {
        self.deny.iter().for_each(|capability| capabilities.deny(*capability));
        capabilities
    }

    /// Whether an extension can come from there.
    pub fn allows_source(&self, reference: &OciReference) -> bool {
        let covers = |prefix: &OciPrefix| prefix.covers(reference.registry(), &reference.repository());
        self.registries.as_ref().is_none_or(|prefixes| prefixes.iter().any(covers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_takes_away_and_never_gives() {
        let policy: Policy =
            crate::parse_toml("deny = [\"notification\"]\nregistries = [\"ghcr.io/my-org\"]").expect("valid").value;
        let asked = Capabilities { notification: true, clipboard_write: true, ..Default::default() };
        assert_eq!(policy.within(asked).granted(), [Capability::ClipboardWrite]);
        let allows = |text: &str| policy.allows_source(&text.parse().expect(text));
        assert!(allows("ghcr.io/my-org/x:1"));
        assert!(!allows("ghcr.io/my-org-evil/x:1") && !allows("evil.io/my-org/x:1"));
        assert!(Policy::default().allows_source(&"evil.io/a/b:1".parse().expect("valid")));
    }
}
