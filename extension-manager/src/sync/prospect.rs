//! What a list asks for on behalf of its extensions, before anything is done.

use core_types::{Grant, RequestedGrant, Verdict};

use super::drift::approved;
use super::list::List;
use super::options::SyncOptions;
use super::step::{Planned, StepState};
use crate::consent::{Ask, Requests};
use crate::installer::Installer;

/// A request of a list on behalf of an extension, with the decision that is to be expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prospect {
    /// The request.
    pub ask: Ask,
    /// Whether it would be granted, refused, or asked for.
    pub verdict: Verdict,
    /// The rule, in words.
    pub rule: String,
}

impl Installer<'_> {
    /// Returns what would be decided about the requests of a list for an extension that is to be
    /// installed or updated. Its own requests are known when its bytes are there.
    pub(super) fn prospects(
        &self,
        planned: &Planned,
        list: Option<&List>,
        options: &SyncOptions,
    ) -> Vec<Prospect> {
        let Planned { step, entry, .. } = planned;
        let is_new = matches!(step.state, StepState::ToInstall | StepState::ToUpdate);
        let Some(entry) = entry.as_ref().filter(|_| is_new) else { return Vec::new() };
        let manifest = self.depot().manifest(&step.name).ok().flatten();
        let events = manifest.as_ref().map_or(&entry.events, |loaded| &loaded.manifest.events);
        let requests = Requests::default().under(events);
        let decided = manifest.as_ref().and_then(|loaded| loaded.manifest.capabilities.clone());
        let has = decided.clone().unwrap_or_default();
        let given = approved(self.config, list.and_then(|list| list.published.as_ref()), entry);
        let is_decided = decided.is_some() && step.state == StepState::ToInstall;
        let prospect = |grant: Grant| {
            let (verdict, rule) = match self.config.denial_of(&grant) {
                Some(denial) => (Verdict::Deny, denial.to_string()),
                None if given.contains(&grant) => {
                    (Verdict::Allow, "a policy approves it for this list".to_owned())
                }
                None if is_decided => (Verdict::Deny, "the manifest leaves it out".to_owned()),
                None if options.grant_requested => {
                    (Verdict::Allow, "all requests are to be granted".to_owned())
                }
                None => (Verdict::Ask, "not decided yet".to_owned()),
            };
            Prospect { ask: requests.ask(&RequestedGrant::required(grant)), verdict, rule }
        };
        let wanted = entry.capabilities.iter().filter(|grant| !has.covers(grant));
        wanted.cloned().map(prospect).collect()
    }
}
