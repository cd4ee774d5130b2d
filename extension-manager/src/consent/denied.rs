//! Requests that were not granted.

use core_types::{Capability, Decision, Grant, RequestedGrant};
use serde::Serialize;

use super::proposal::{Ask, Asked, Wide};

/// Something that an extension asks for and does not have.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Denied {
    /// The capability.
    pub capability: Capability,
    /// What to grant.
    pub grant: String,
    /// Whether how far it reaches there is an example, since the extension does not say.
    #[serde(skip)]
    pub is_example: bool,
    /// Whether the extension works without it, as its author says.
    #[serde(rename = "optional")]
    pub is_optional: bool,
    /// The author's reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The reason why it is unusually wide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wide: Option<Wide>,
    /// The policy's decision, if that is the reason: a grant does not help then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

impl Denied {
    /// Makes it for a permission that can be granted as it is.
    pub fn of(grant: &Grant) -> Self {
        Self {
            capability: grant.capability(),
            grant: grant.to_string(),
            is_example: false,
            is_optional: false,
            reason: None,
            wide: Wide::of(grant),
            policy: None,
        }
    }

    /// Makes it for a capability without a scope in the request.
    pub fn without_scope(capability: Capability) -> Self {
        Self {
            capability,
            grant: Grant::example(capability).to_owned(),
            is_example: true,
            is_optional: false,
            reason: None,
            wide: None,
            policy: None,
        }
    }

    /// Adds the policy's decision.
    pub fn by_policy(self, decision: &Decision<'_>) -> Self {
        Self { policy: Some(decision.to_string()), ..self }
    }

    /// The same for a request of an author, who says whether it is needed and why.
    pub(super) fn requested(request: &RequestedGrant) -> Self {
        Self::asked(&Ask::of(request))
    }

    /// The same for a request that was put to somebody.
    pub(super) fn asked(ask: &Ask) -> Self {
        let denied = match &ask.request {
            Asked::Grant(grant) => Self::of(grant),
            Asked::WithoutScope(capability) => Self::without_scope(*capability),
        };
        let (is_optional, reason, wide) = (ask.is_optional, ask.reason.clone(), ask.wide);
        Self { is_optional, reason, wide, ..denied }
    }

    /// Returns the request of the extension.
    pub fn request(&self) -> &str {
        if self.is_example { self.capability.name() } else { &self.grant }
    }
}
