//! What tells this machine from one that a list has just been applied to: permissions, and
//! extensions that are left over.

use core_types::{Capabilities, Capability, ExtensionEntry, ExtensionName, Grant, OciReference};
use extension_depot::{
    EffectiveConfig, FollowedList, FromList, GivenByList, LoadedManifest, Pruned, Reason,
};

use super::error::{StepProblem, SyncError};
use super::list::List;
use super::options::SyncOptions;
use super::step::{Planned, Step, StepState};
use crate::events::Warning;
use crate::installer::Installer;

/// Returns the list's grants for an extension that policy approves, without those that policy
/// denies.
pub(super) fn approved(
    config: &EffectiveConfig,
    list: Option<&OciReference>,
    entry: &ExtensionEntry,
) -> Vec<Grant> {
    let Some(list) = list else { return Vec::new() };
    let mut approved: Vec<_> = entry.capabilities.iter().cloned().collect();
    approved.retain(|grant| config.preapproves(list, grant) && config.denial_of(grant).is_none());
    approved
}

impl List {
    /// Finds the grants to add to and to withdraw from an extension of the list. A revocation of
    /// its user stays, and so does a grant.
    pub(super) fn find_changes(
        &self,
        config: &EffectiveConfig,
        entry: &ExtensionEntry,
        known: &FromList,
        loaded: &LoadedManifest,
        step: &mut Step,
    ) {
        let has = loaded.manifest.granted();
        let published = self.published.as_ref();
        let is_approved =
            |grant: &Grant| published.is_some_and(|list| config.preapproves(list, grant));
        let is_kept = |given: &GivenByList| {
            entry.capabilities.covers(&given.grant)
                && (!given.preapproved || is_approved(&given.grant))
        };
        step.withdraw = self.withdrawable(&step.name, known, &has, is_kept);
        step.grant = approved(config, published, entry);
        step.grant.retain(|grant| !has.covers(grant) && !known.was_given(grant));
        let has_changes = !(step.grant.is_empty() && step.withdraw.is_empty());
        if step.state == StepState::Done && has_changes {
            step.state = StepState::ToAdjust;
        }
    }

    /// Returns the grants of this list alone that remain and are not wanted any more. Each install
    /// grants an extension its own configuration, so that stays.
    fn withdrawable(
        &self,
        name: &ExtensionName,
        known: &FromList,
        has: &Capabilities,
        is_kept: impl Fn(&GivenByList) -> bool,
    ) -> Vec<Grant> {
        let goes = |given: &&GivenByList| {
            given.grant.capability() != Capability::ConfigRead
                && !is_kept(given)
                && !self.is_given_by_another(name, &given.grant)
                && has.clone().take(&given.grant)
        };
        known.given.iter().filter(goes).map(|given| given.grant.clone()).collect()
    }
}

impl Installer<'_> {
    /// Withdraws first, so that no later failure prevents it, and then adds the grants that do not
    /// need a new version.
    pub(super) fn adjust(&self, step: &mut Step) {
        if step.grant.is_empty() && step.withdraw.is_empty() {
            return;
        }
        match self.change_grants(step) {
            Ok(()) => {
                step.is_withdrawn = true;
                if step.state == StepState::ToAdjust {
                    step.state = StepState::Adjusted;
                }
            }
            Err(problem) => step.end(Err(problem)),
        }
    }

    fn change_grants(&self, step: &Step) -> Result<(), StepProblem> {
        let Step { name, state, grant, withdraw, .. } = step;
        let give: &[Grant] = if *state == StepState::ToUpdate { &[] } else { grant };
        let changed = |reason, give: &[Grant], take: &[Grant]| {
            let change = |capabilities: &mut Capabilities| {
                let taken = take.iter().filter(|grant| capabilities.take(grant)).count();
                taken + give.iter().filter(|grant| capabilities.add(grant)).count() > 0
            };
            self.depot().lock()?.change_capabilities(name, reason, change)?;
            Ok::<_, StepProblem>(())
        };
        changed(Reason::Revoked, &[], withdraw)?;
        let loaded = self.depot().manifest(name)?;
        self.check_directories(name, loaded.as_ref(), give)?;
        changed(Reason::Granted, give, &[])
    }

    /// Returns the extensions that came from the list, are installed from there still, and that
    /// neither it nor another list has.
    pub(super) fn leftovers(&self, list: &List, options: &SyncOptions) -> Vec<Planned> {
        let prunes = list.prunes(self.config, options);
        let gone = list.known.extensions.iter().filter(|(name, from)| list.has_dropped(name, from));
        let steps: Vec<_> =
            gone.filter_map(|(name, from)| self.leftover(list, name, from)).collect();
        if !prunes && !steps.is_empty() && list.extensions.defaults().prune {
            self.warn(&Warning::ListCannotPrune);
        }
        let planned = |mut step: Step| {
            if step.state == StepState::LeftOver && prunes {
                step.state = StepState::ToRemove;
            } else if step.state == StepState::LeftOver {
                step.problem = Some(StepProblem::LeftOver);
            }
            Planned::unlisted(step)
        };
        steps.into_iter().map(planned).collect()
    }

    fn leftover(&self, list: &List, name: &ExtensionName, from: &FromList) -> Option<Step> {
        match self.depot().manifest(name) {
            Ok(loaded) => {
                let manifest = loaded?.manifest;
                let reference =
                    manifest.extension.oci.clone().filter(|reference| from.is(reference))?;
                if !list.is_on_another(name, &reference.identity()) {
                    return Some(Step::new(name, Some(reference), StepState::LeftOver));
                }
                // Another list has it, so only the grants of this one are withdrawn.
                let withdraw = list.withdrawable(name, from, &manifest.granted(), |_| false);
                let step =
                    Step { withdraw, ..Step::new(name, Some(reference), StepState::ToAdjust) };
                (!step.withdraw.is_empty()).then_some(step)
            }
            // Whose it is by now is not known.
            Err(error) => Some(Step::failed(name, error.into())),
        }
    }

    /// Removes the extension, if it is still left over.
    pub(super) fn prune(&self, list: &List, step: &mut Step) {
        if step.state == StepState::ToRemove {
            step.end(self.prune_one(list, &step.name));
        }
    }

    fn prune_one(&self, list: &List, name: &ExtensionName) -> Result<StepState, StepProblem> {
        Ok(match self.depot().lock()?.prune(&list.id, name)? {
            Pruned::Removed(_) => StepState::Removed,
            Pruned::Kept => StepState::Done,
        })
    }

    /// Records the digest of the list, and its extensions.
    pub(super) fn note_list(&self, list: &List, plan: &[Planned]) -> Result<(), SyncError> {
        let signed = list.published.as_ref().zip(list.evidence.as_ref());
        let note = |followed: &mut FollowedList| {
            if let Some(pinned) = &list.published {
                followed.pins.insert(pinned.revision().to_owned(), pinned.clone());
            }
            // An extension that is neither on the list nor left over is another one by now, or on
            // another list.
            followed
                .extensions
                .retain(|name, _| plan.iter().any(|planned| planned.is_from_list(name)));
            plan.iter().for_each(|planned| self.note_one(list, planned, followed));
        };
        Ok(self.depot().lock()?.note_followed_list(&list.id, signed, note)?)
    }

    fn note_one(&self, list: &List, planned: &Planned, followed: &mut FollowedList) {
        let Planned { step, entry, .. } = planned;
        // A failed step keeps its earlier record.
        let Some(entry) = entry.as_ref().filter(|_| step.state != StepState::Failed) else {
            return;
        };
        let Some(mut from) = self.origin_of(list, planned, entry) else { return };
        from.given.retain(|given| {
            entry.capabilities.covers(&given.grant) && !step.has_withdrawn(&given.grant)
        });
        let published = list.published.as_ref();
        let is_given = |grant: &&Grant| step.state.is_over() && step.grant.contains(grant);
        // What two lists ask for is given by the first, and stays until neither does.
        let approved = approved(self.config, published, entry);
        let is_shared = |grant: &&Grant| list.is_given_by_another(&step.name, grant);
        let shared = approved.iter().filter(is_shared);
        for grant in step.grant.iter().filter(is_given).chain(shared) {
            if !from.was_given(grant) {
                let preapproved =
                    published.is_some_and(|list| self.config.preapproves(list, grant));
                from.given.push(GivenByList { grant: grant.clone(), preapproved });
            }
        }
        followed.extensions.insert(step.name.clone(), from);
    }

    /// Returns the record of an extension of this list, if it is one by now.
    fn origin_of(
        &self,
        list: &List,
        planned: &Planned,
        entry: &ExtensionEntry,
    ) -> Option<FromList> {
        let Planned { step, is_new, .. } = planned;
        let loaded = self.depot().manifest(&step.name).ok().flatten()?;
        let is_installed_now = *is_new && step.state == StepState::Installed;
        let identity = entry.oci.identity();
        let known =
            list.provenance(self.depot(), &step.name, &loaded).filter(|_| !is_installed_now);
        let is_from_list = is_installed_now || list.is_on_another(&step.name, &identity);
        known.or_else(|| is_from_list.then(|| FromList::of(&identity)))
    }
}
