//! An operation on an extension, with its terms.

use core_types::event::EventTables;
use core_types::{Capabilities, ExtensionEntry, Grant, OciReference};
use extension_depot::{Basis, Generation, History, Installed, Reason, Seed, TrustAnchor};

use crate::consent::{PriorGrants, Requests};
use crate::rules::NameUse;

/// On which terms something is installed.
#[derive(Debug, Clone, Default)]
pub struct InstallOptions<'a> {
    /// The source in the words of whoever asked for it, for the record.
    pub source: String,
    /// Grants without a question.
    pub grant: &'a [Grant],
    /// Whether it is granted all that it asks for.
    pub grant_requested: bool,
    /// The list's entry about it.
    pub entry: Option<&'a ExtensionEntry>,
    /// The schedules that a new manifest begins with, where no list has an entry.
    pub schedules: Option<&'a EventTables>,
    /// The required signer, who is trusted for its repository from then on.
    pub signer: Option<TrustAnchor>,
    /// Whether it can be older than the installed version.
    pub allow_downgrade: bool,
    /// Whether the user named the bytes by digest, so that a tag may have moved.
    pub names_bytes: bool,
    /// Whether it takes the place of another, with all that was given to that.
    pub name_use: NameUse,
    /// The reference that the manifest named when this was planned. A manifest that names another
    /// by now is left alone.
    pub planned: Option<&'a OciReference>,
}

/// The operation.
pub(crate) enum Operation<'a> {
    /// An extension is installed, under the decisions that its manifest has.
    Install(&'a InstallOptions<'a>),
    /// A newer version takes the place of the installed one, if it gets all that it asks for.
    Update(Update<'a>),
    /// An earlier generation comes back.
    RollBack(RollBack<'a>),
}

/// The terms of an update.
pub(crate) struct Update<'a> {
    /// The installed artifact.
    pub(crate) from: &'a Installed,
    /// Grants without a question.
    pub(crate) grant: &'a [Grant],
    /// Whether all further requests are granted.
    pub(crate) accept: bool,
    /// Whether it can be older than the installed version.
    pub(crate) allow_downgrade: bool,
}

/// The terms of a rollback.
pub(crate) struct RollBack<'a> {
    /// All generations.
    pub(crate) history: &'a History,
    /// The one that comes back.
    pub(crate) generation: &'a Generation,
    /// Whether it is granted all that it had then.
    pub(crate) accept: bool,
}

/// The grants and requests of an extension, for a decision.
pub(super) struct Standing {
    pub(super) prior: Prior,
    pub(super) requests: Requests,
}

/// Prior grants that are owned.
pub(super) enum Prior {
    Undecided,
    Decided(Capabilities),
    Updating(Capabilities),
}

impl Prior {
    pub(super) fn as_grants(&self) -> PriorGrants<'_> {
        match self {
            Self::Undecided => PriorGrants::Undecided,
            Self::Decided(capabilities) => PriorGrants::Decided(capabilities),
            Self::Updating(capabilities) => PriorGrants::Updating(capabilities),
        }
    }
}

impl Operation<'_> {
    /// Returns the required signer.
    pub(super) fn signer(&self) -> Option<&TrustAnchor> {
        match self {
            Self::Install(options) => options.signer.as_ref(),
            Self::Update(_) | Self::RollBack(_) => None,
        }
    }

    pub(super) fn grant(&self) -> &[Grant] {
        match self {
            Self::Install(options) => options.grant,
            Self::Update(update) => update.grant,
            Self::RollBack(_) => &[],
        }
    }

    pub(super) fn grant_requested(&self) -> bool {
        match self {
            Self::Install(options) => options.grant_requested,
            Self::Update(update) => update.accept,
            Self::RollBack(roll_back) => roll_back.accept,
        }
    }

    /// Returns the first values of a new manifest.
    pub(super) fn seed(&self) -> Option<Seed<'_>> {
        let Self::Install(options) = self else { return None };
        let of_list = options.entry.map(|entry| Seed {
            limits: Some(&entry.limits),
            config: Some(&entry.config),
            events: Some(&entry.events),
        });
        let of_bundle = || Seed { events: options.schedules, ..Seed::default() };
        Some(of_list.unwrap_or_else(of_bundle))
    }

    /// Returns the settings of events that the manifest will have: its own, or those that a new one
    /// begins with.
    pub(super) fn events(&self, basis: &Basis) -> EventTables {
        let first = || match self {
            Self::RollBack(roll_back) => roll_back.events_then(basis),
            _ => self.seed().and_then(|seed| seed.events).cloned().unwrap_or_default(),
        };
        basis.loaded().map_or_else(first, |loaded| loaded.manifest.events.clone())
    }

    pub(super) fn replaces(&self) -> bool {
        matches!(self, Self::Install(options) if options.name_use == NameUse::Replace)
    }

    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Install(_) => Reason::Installed,
            Self::Update(_) => Reason::Updated,
            Self::RollBack(roll_back) => Reason::RolledBack(roll_back.generation.number),
        }
    }

    /// Returns the grants and requests of the extension. An update requests more than its
    /// predecessor; a rollback requests the grants of that generation that were revoked since.
    pub(super) fn standing(&self, basis: &Basis, requests: &Requests) -> Standing {
        match self {
            Self::Install(_) => {
                let prior = match basis.capabilities().cloned() {
                    None => Prior::Undecided,
                    Some(before) if self.replaces() => Prior::Updating(before),
                    Some(before) => Prior::Decided(before),
                };
                Standing { prior, requests: requests.clone() }
            }
            Self::Update(update) => Standing {
                prior: Prior::Updating(update.from.loaded.manifest.granted()),
                requests: requests.clone(),
            },
            Self::RollBack(roll_back) => roll_back.standing(basis, &requests.events),
        }
    }
}

impl RollBack<'_> {
    fn events_then(&self, basis: &Basis) -> EventTables {
        self.generation.parsed(basis.name()).map(|manifest| manifest.events).unwrap_or_default()
    }

    fn standing(&self, basis: &Basis, events: &EventTables) -> Standing {
        let then = self.generation.parsed(basis.name()).map(|manifest| manifest.granted());
        let (kept, gone) = intersect(&then.unwrap_or_default(), &granted_now(basis, self.history));
        let requests = Requests::required(gone).with_events(events.clone());
        Standing { prior: Prior::Updating(kept), requests }
    }
}

/// Returns the grants of the manifest, or, while that is broken, the last known ones.
fn granted_now(basis: &Basis, history: &History) -> Capabilities {
    if !basis.is_broken() {
        return basis.capabilities().cloned().unwrap_or_default();
    }
    let last = history
        .generations
        .iter()
        .rev()
        .find_map(|generation| generation.parsed(basis.name()).ok());
    last.map(|manifest| manifest.granted()).unwrap_or_default()
}

/// Splits the capabilities of then into those that are within reach now as well, and the rest.
fn intersect(then: &Capabilities, now: &Capabilities) -> (Capabilities, Vec<Grant>) {
    let (kept, gone): (Vec<_>, Vec<_>) = then.iter().cloned().partition(|it| now.reaches(it));
    (kept.into_iter().collect(), gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capabilities(texts: &[&str]) -> Capabilities {
        let mut capabilities = Capabilities::default();
        for text in texts {
            capabilities.add(&text.parse().expect(text));
        }
        capabilities
    }

    /// A grant that was revoked since comes back only on request.
    #[test]
    fn rollback_keeps_what_both_have() {
        let then = capabilities(&["notification", "network=*.example.org", "secret-read=a"]);
        let now = capabilities(&["notification", "network=api.example.org", "secret-read=b"]);
        let (kept, gone) = intersect(&then, &now);
        assert_eq!(kept, capabilities(&["notification"]));
        let gone: Vec<_> = gone.iter().map(ToString::to_string).collect();
        assert_eq!(gone, ["secret-read=a", "network=*.example.org"]);
    }

    #[test]
    fn narrower_grant_of_then_is_kept() {
        let then = capabilities(&["network=api.example.org", "filesystem=read:~/notes/a"]);
        let now = capabilities(&["network=*.example.org", "filesystem=write:~/notes"]);
        let (kept, gone) = intersect(&then, &now);
        assert_eq!((kept, gone), (then, Vec::new()));
    }
}
