//! The proposal that a person sees before an extension gets permissions.

use core_types::{Capability, Grant, OciReference, Owner, RequestedGrant, Scope};
use extension_depot::{PinnedSigner, SignatureState};
use jiff::Timestamp;
use serde::Serialize;

use super::denied::Denied;
use crate::rules::Replaced;

/// Answers what only a person or a program in its place can answer. Together with
/// [`Events`](crate::Events) it is the only way out of a manager.
///
/// ```
/// use extension_manager::{Answer, Asked, Consent, Proposal, Question, Verdict};
///
/// /// Grants notifications until the session ends, and nothing else.
/// struct OnlyNotifications;
///
/// impl Consent for OnlyNotifications {
///     fn answer(&self, proposal: &Proposal<'_>) -> Verdict {
///         let answer = |asked: &Asked| match asked.capability().name() {
///             "notification" => Answer::Session,
///             _ => Answer::No,
///         };
///         Verdict::Answered(proposal.asks.iter().map(|ask| answer(&ask.request)).collect())
///     }
///
///     fn confirm(&self, _: &Question<'_>) -> bool {
///         false
///     }
/// }
/// ```
pub trait Consent {
    /// Answers the requests of a proposal.
    fn answer(&self, proposal: &Proposal<'_>) -> Verdict;

    /// Returns whether a step is meant that is not about a grant.
    fn confirm(&self, question: &Question<'_>) -> bool;
}

/// Grants nothing and confirms nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Consent for Nobody {
    fn answer(&self, _: &Proposal<'_>) -> Verdict {
        Verdict::Unattended
    }

    fn confirm(&self, _: &Question<'_>) -> bool {
        false
    }
}

/// What becomes of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A person cannot be asked. Nothing is granted, and it can be granted later.
    Unattended,
    /// An answer for each of [`Proposal::asks`], in their order. A missing answer is a no, and a
    /// required permission without a grant ends the operation: nothing is installed that could not
    /// work.
    Answered(Vec<Answer>),
    /// The whole of it is not wanted.
    Declined,
}

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is granted for good.
    Always,
    /// It is granted until the login session ends.
    Session,
    /// It is not granted.
    No,
    /// This is granted for good, for a request that names no scope.
    AlwaysAs(Grant),
    /// This is granted until the login session ends, for a request that names no scope.
    SessionAs(Grant),
}

/// Everything that matters for the decision about an extension.
#[derive(Debug)]
pub struct Proposal<'a> {
    /// The extension: its name here, and the identity that secrets and trust belong to.
    pub owner: &'a Owner,
    /// The bytes.
    pub artifact: &'a ProposedArtifact<'a>,
    /// The proposed change.
    pub change: &'a ProposedChange,
    /// Undecided requests.
    pub asks: Vec<Ask>,
    /// Grants without a question: existing ones, and those that the user or a list asked for.
    pub given: Vec<Grant>,
    /// Requests that are denied here.
    pub denied: Vec<Denied>,
}

/// The artifact of a proposal.
#[derive(Debug)]
pub struct ProposedArtifact<'a> {
    /// Its version.
    pub version: String,
    /// Its reference, pinned to the digest.
    pub reference: &'a OciReference,
    /// The source in the words of whoever asked for it.
    pub source: &'a str,
    /// The size of its binary in bytes.
    pub size: u64,
    /// The line in which its publisher describes it.
    pub description: Option<&'a str>,
    /// The state of its signature, if that was verified.
    pub signature: Option<&'a SignatureState>,
    /// The first signer of its repository, where something came from there before.
    pub first_use: Option<&'a PinnedSigner>,
    /// When it was made, as its publisher says.
    pub created: Option<Timestamp>,
}

/// A proposed change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposedChange {
    /// It is installed for the first time.
    New,
    /// It is installed over an earlier one of this name.
    Over(Replaced),
    /// It is updated.
    Update(Replaced),
    /// An earlier generation comes back.
    RollBack {
        /// The number of that generation.
        generation: u32,
    },
}

/// One request of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The request.
    pub request: Asked,
    /// Whether the extension works without it, as its author says.
    pub is_optional: bool,
    /// The author's reason.
    pub reason: Option<String>,
    /// The reason why it is unusually wide.
    pub wide: Option<Wide>,
    /// The settings of an event, in words: how often it comes, or for what.
    pub settings: Option<String>,
}

/// The request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A permission with its scope.
    Grant(Grant),
    /// A capability that needs a scope, which the extension does not name.
    WithoutScope(Capability),
}

/// The reason why a request is unusually wide.
///
/// ```
/// use extension_manager::Wide;
///
/// assert_eq!(Wide::of(&"network=*.example.org".parse()?), Some(Wide::ManyHosts));
/// assert_eq!(Wide::of(&"network=api.example.org".parse()?), None);
/// # Ok::<(), core_types::GrantError>(())
/// ```
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wide {
    /// A directory that is or contains the home directory.
    WholeHome,
    /// Every host below a domain.
    ManyHosts,
    /// Machines of the local network.
    LocalNetwork,
    /// Every topic, variable or setting.
    Everything,
    /// It has this already, and it would mean more than in the installed version: an event that
    /// comes more often, or for more.
    MoreThanBefore,
}

impl Wide {
    /// Returns the reason why a grant is unusually wide, if it is.
    pub fn of(grant: &Grant) -> Option<Self> {
        match grant.scope() {
            Scope::Read(path) | Scope::Write(path) => {
                let host = path.host();
                matches!(host.trim_end_matches('/'), "~" | "" | "/home").then_some(Self::WholeHome)
            }
            Scope::Host(rule) if rule.allows_private() => Some(Self::LocalNetwork),
            Scope::Host(rule) if rule.covers_subdomains() => Some(Self::ManyHosts),
            Scope::Pattern(pattern) if pattern.is_everything() => {
                // All of its own settings are nothing special.
                (grant.capability() != Capability::ConfigRead).then_some(Self::Everything)
            }
            _ => None,
        }
    }
}

impl Ask {
    /// Makes a request with its scope, from the author or the code.
    pub fn of(request: &RequestedGrant) -> Self {
        let RequestedGrant { grant, is_optional, reason } = request.clone();
        let wide = Wide::of(&grant);
        Self { request: Asked::Grant(grant), is_optional, reason, wide, settings: None }
    }

    /// Returns the same, as a request that means more than in the installed version.
    pub fn as_more_than_before(self) -> Self {
        Self { wide: Some(Wide::MoreThanBefore), ..self }
    }

    /// Makes a request for an imported capability.
    pub fn without_scope(capability: Capability) -> Self {
        let request = Asked::WithoutScope(capability);
        Self { request, is_optional: false, reason: None, wide: None, settings: None }
    }
}

impl Asked {
    /// Returns the capability.
    pub fn capability(&self) -> Capability {
        match self {
            Self::Grant(grant) => grant.capability(),
            Self::WithoutScope(capability) => *capability,
        }
    }
}

/// A question that is not about a grant.
#[derive(Debug)]
pub enum Question<'a> {
    /// Other bytes take the name, grants, settings and secrets of an installed extension.
    Replace {
        /// The extension.
        owner: &'a Owner,
        /// The installed artifact.
        old: &'a OciReference,
        /// Its replacement.
        new: &'a OciReference,
        /// The grants that it keeps.
        granted: Vec<Grant>,
    },
    /// An extension that may use secrets gets those of the place that it came from.
    SecretsOfOrigin {
        /// The extension with that place.
        owner: &'a Owner,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_grants_are_marked() {
        let wide = |text: &str| Wide::of(&text.parse().expect(text));
        for (text, expected) in [
            ("filesystem=read:~", Some(Wide::WholeHome)),
            ("filesystem=write:/home", Some(Wide::WholeHome)),
            ("filesystem=read:~/notes", None),
            ("network=*.example.org", Some(Wide::ManyHosts)),
            ("network=nas.example.org+private", Some(Wide::LocalNetwork)),
            ("network=api.example.org", None),
            ("ipc-publish=*", Some(Wide::Everything)),
            ("ipc-publish=greeting.*", None),
            ("notification", None),
        ] {
            assert_eq!(wide(text), expected, "{text}");
        }
    }

    #[test]
    fn nobody_agrees_to_nothing() {
        let owner = Owner::embedded("x".parse().expect("a name"));
        let question = Question::SecretsOfOrigin { owner: &owner };
        assert!(!Nobody.confirm(&question));
    }
}
