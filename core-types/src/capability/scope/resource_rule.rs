//! Which resources of a workload's surroundings an extension may use, and how.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::serde_as_text;

/// A kind of resource and what may be done with it: `networking.k8s.io/v1/ingresses:get,create`, or
/// `v1/secrets:get` for one of the core group.
///
/// ```
/// use core_types::{ResourceMethod, ResourceRule};
///
/// let rule: ResourceRule = "v1/secrets:get".parse()?;
/// assert!(rule.allows(&rule.kind, ResourceMethod::Get));
/// assert!(!rule.allows(&rule.kind, ResourceMethod::Delete));
/// # Ok::<(), core_types::ResourceRuleError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceRule {
    /// The kind.
    pub kind: ResourceKind,
    /// The allowed uses; at least one.
    pub methods: BTreeSet<ResourceMethod>,
}

/// A kind of resource, as Kubernetes names it: group, version and the plural of its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKind {
    /// The group, such as `networking.k8s.io`; empty for the core group.
    pub group: String,
    /// The version, such as `v1`.
    pub version: String,
    /// The plural, such as `ingresses`.
    pub resource: String,
}

/// A use of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceMethod {
    /// Read it.
    Get,
    /// Make it.
    Create,
    /// Replace it.
    Update,
    /// Remove it.
    Delete,
}

/// Why a text is not a rule for resources.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not a rule for resources: write `GROUP/VERSION/RESOURCES:METHOD,...`, such as \
     `networking.k8s.io/v1/ingresses:get,create`; the methods are get, create, update and delete",
    text.escape_debug()
)]
pub struct ResourceRuleError {
    /// The text as given.
    pub text: String,
}

impl ResourceMethod {
    const ALL: [Self; 4] = [Self::Get, Self::Create, Self::Update, Self::Delete];

    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == text)
    }
}

impl ResourceKind {
    /// Parses `group/version/resources` or `version/resources`; nothing for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<_> = text.split('/').collect();
        let (group, version, resource) = match parts.as_slice() {
            [group, version, resource] => (*group, *version, *resource),
            [version, resource] => ("", *version, *resource),
            _ => return None,
        };
        let kind = Self {
            group: group.to_owned(),
            version: version.to_owned(),
            resource: resource.to_owned(),
        };
        kind.is_valid().then_some(kind)
    }

    /// Tells whether each part has the form that Kubernetes gives it.
    pub fn is_valid(&self) -> bool {
        (self.group.is_empty() || self.group.split('.').all(is_label))
            && is_label(&self.version)
            && is_label(&self.resource)
    }
}

/// Tells whether a text is of lower-case letters, digits and `-`, which is neither first nor last.
fn is_label(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(fits)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl ResourceRule {
    /// Tells whether this may be done.
    pub fn allows(&self, kind: &ResourceKind, method: ResourceMethod) -> bool {
        self.kind == *kind && self.methods.contains(&method)
    }

    /// Tells whether everything that the other allows is allowed by this.
    pub fn covers(&self, other: &Self) -> bool {
        self.kind == other.kind && self.methods.is_superset(&other.methods)
    }
}

impl FromStr for ResourceRule {
    type Err = ResourceRuleError;

    fn from_str(text: &str) -> Result<Self, ResourceRuleError> {
        let parsed = text.split_once(':').and_then(|(kind, methods)| {
            let methods: Option<BTreeSet<_>> =
                methods.split(',').map(ResourceMethod::parse).collect();
            Some(Self { kind: ResourceKind::parse(kind)?, methods: methods? })
        });
        parsed.ok_or_else(|| ResourceRuleError { text: text.to_owned() })
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.group.is_empty() {
            write!(f, "{}/", self.group)?;
        }
        write!(f, "{}/{}", self.version, self.resource)
    }
}

impl fmt::Display for ResourceRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<_> = self.methods.iter().map(|method| method.name()).collect();
        write!(f, "{}:{}", self.kind, methods.join(","))
    }
}

serde_as_text!(ResourceRule);

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> ResourceRule {
        text.parse().expect(text)
    }

    /// A rule prints what it was parsed from and allows just that.
    #[test]
    fn resource_rule_allows_just_itself() {
        let ingresses = rule("networking.k8s.io/v1/ingresses:get,create");
        assert_eq!(ingresses.to_string(), "networking.k8s.io/v1/ingresses:get,create");
        assert_eq!(rule("v1/secrets:get").to_string(), "v1/secrets:get");
        assert!(ingresses.allows(&ingresses.kind, ResourceMethod::Get));
        assert!(!ingresses.allows(&ingresses.kind, ResourceMethod::Delete));
        assert!(!ingresses.allows(&rule("v1/secrets:get").kind, ResourceMethod::Get));
        assert!(ingresses.covers(&rule("networking.k8s.io/v1/ingresses:get")));
        assert!(!rule("networking.k8s.io/v1/ingresses:get").covers(&ingresses));
    }

    /// What could be another kind or a path is refused.
    #[test]
    fn ambiguous_resource_is_refused() {
        for bad in [
            "",
            "v1/x",
            "v1/x:",
            "x:get",
            "a/b/c/d:get",
            "v1/x:get,all",
            "V1/x:get",
            "../v1/x:get",
            "v1/..:get",
        ] {
            assert!(bad.parse::<ResourceRule>().is_err(), "{bad:?}");
        }
    }
}
