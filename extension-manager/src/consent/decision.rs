//! The decision about an extension's permissions, and the one before it.

use core_types::{Capabilities, Document, Grant, Policy, grant_denied_by_policy};

use super::denied::Denied;
use super::requests::Requests;

/// The earlier decision.
#[derive(Debug, Clone, Copy)]
pub enum PriorGrants<'a> {
    /// It is installed for the first time, or its manifest lacks `[capabilities]`.
    Undecided,
    /// Its owner wrote these into its manifest.
    Decided(&'a Capabilities),
    /// Its predecessor has these, and the requests are those that its predecessor did not have.
    Updating(&'a Capabilities),
}

impl<'a> PriorGrants<'a> {
    /// Returns the capabilities that were decided on, if any were.
    pub(super) fn capabilities(self) -> Option<&'a Capabilities> {
        match self {
            Self::Undecided => None,
            Self::Decided(capabilities) | Self::Updating(capabilities) => Some(capabilities),
        }
    }
}

/// Why nothing is decided.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotDecided {
    /// A person does not want it.
    Declined,
    /// A person declines a required permission.
    Missing(Vec<Denied>),
}

/// The outcome of a decision.
///
/// ```
/// let decision = extension_manager::Decision::default();
/// assert!(decision.capabilities.is_none(), "the manifest stays as it is");
/// assert!(decision.granted.is_empty() && decision.denied.is_empty(), "nothing was asked for");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// The capabilities for the manifest, or nothing when it stays as it is.
    pub capabilities: Option<Capabilities>,
    /// Permanent grants of this decision.
    pub granted: Vec<Grant>,
    /// Grants until the session ends.
    pub for_session: Vec<Grant>,
    /// Directories that an update sees under another path than its predecessor. Its reach stays the
    /// same.
    pub moved: Vec<Grant>,
    /// Requests that were not granted.
    pub denied: Vec<Denied>,
}

impl Decision {
    /// Returns the same, where nothing that a policy denies counts as given. A manifest may have
    /// it, because its owner wants it there.
    pub(super) fn within(mut self, policies: &[(Policy, Document)]) -> Self {
        for given in [&mut self.granted, &mut self.for_session] {
            let (granted, denied) = split_denied(std::mem::take(given), policies);
            *given = granted;
            self.denied.extend(denied);
        }
        self
    }

    /// Returns the ungranted requests that a grant would help.
    pub fn ungranted(&self) -> impl Iterator<Item = &Denied> {
        self.denied.iter().filter(|denied| denied.policy.is_none())
    }
}

/// Tells which of these grants have an effect, and which a policy denies.
pub fn split_denied(
    grants: Vec<Grant>,
    policies: &[(Policy, Document)],
) -> (Vec<Grant>, Vec<Denied>) {
    let (denied, granted) =
        grants.into_iter().partition(|grant| grant_denied_by_policy(grant, policies).is_some());
    let mut denied = Requests::required(denied);
    (granted, denied.take_denied(policies))
}
