//! What tells this machine from one that a list has just been applied to: permissions, and
//! extensions that are left over.

use core_types::{Capabilities, Capability, ExtensionEntry, ExtensionName, Grant, OciReference};
use extension_depot::{
    Depot, FollowedList, FromList, GivenByList, LoadedManifest, Pruned, Reason, UserConfig,
};

use super::Planned;
use super::list::List;
use crate::arguments::SyncArguments;
use crate::commands::change::check_directories;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Step, StepState};

/// What this list asks for on behalf of an extension and policy approves. What policy denies is not
/// among it.
pub fn approved(
    config: &UserConfig,
    list: Option<&OciReference>,
    entry: &ExtensionEntry,
) -> Vec<Grant> {
    let Some(list) = list else { return Vec::new() };
    let mut approved: Vec<_> = entry.capabilities.iter().cloned().collect();
    approved.retain(|grant| {
        config.preapproves(list, grant) && config.denial(grant.capability()).is_none()
    });
    approved
}

/// Finds out what an extension that came from the list has to be given and what has to be
/// withdrawn. What its user took away stays away, and what its user gave stays.
pub fn find_changes(
    config: &UserConfig,
    list: &List,
    entry: &ExtensionEntry,
    known: &FromList,
    loaded: &LoadedManifest,
    step: &mut Step,
) {
    let has = loaded.manifest.granted();
    let published = list.published.as_ref();
    let is_approved = |grant: &Grant| published.is_some_and(|list| config.preapproves(list, grant));
    let is_kept = |given: &GivenByList| {
        entry.capabilities.covers(&given.grant) && (!given.preapproved || is_approved(&given.grant))
    };
    step.withdraw = withdrawable(list, &step.name, known, &has, is_kept);
    step.grant = approved(config, published, entry);
    step.grant.retain(|grant| !has.covers(grant) && !known.was_given(grant));
    let has_changes = !(step.grant.is_empty() && step.withdraw.is_empty());
    if step.state == StepState::Done && has_changes {
        step.state = StepState::ToAdjust;
    }
}

/// What was given by this list alone, is there still and not to be kept. Every installation gives
/// an extension its own configuration, so that stays.
fn withdrawable(
    list: &List,
    name: &ExtensionName,
    known: &FromList,
    has: &Capabilities,
    is_kept: impl Fn(&GivenByList) -> bool,
) -> Vec<Grant> {
    let goes = |given: &&GivenByList| {
        given.grant.capability() != Capability::ConfigRead
            && !is_kept(given)
            && !list.is_given_by_another(name, &given.grant)
            && has.clone().take(&given.grant)
    };
    known.given.iter().filter(goes).map(|given| given.grant.clone()).collect()
}

/// Withdraws first, which nothing that fails later keeps from being done, and then gives what no
/// new version has to be there for.
pub fn adjust(context: &Context, depot: &Depot, step: &mut Step) {
    if step.grant.is_empty() && step.withdraw.is_empty() {
        return;
    }
    match change(context, depot, step) {
        Ok(()) => {
            step.is_withdrawn = true;
            if step.state == StepState::ToAdjust {
                step.state = StepState::Adjusted;
            }
        }
        Err(failure) => step.end(Err(failure.in_one_line())),
    }
}

fn change(context: &Context, depot: &Depot, step: &Step) -> Result<(), Failure> {
    let Step { name, state, grant, withdraw, .. } = step;
    let give: &[Grant] = if *state == StepState::ToUpdate { &[] } else { grant };
    let of_extension = |error| Failure::of_extension(name, &error);
    let changed = |reason, give: &[Grant], take: &[Grant]| {
        let changed = depot.change_capabilities(name, reason, |capabilities| {
            let taken = take.iter().filter(|grant| capabilities.take(grant)).count();
            taken + give.iter().filter(|grant| capabilities.add(grant)).count() > 0
        });
        changed.map(drop).map_err(of_extension)
    };
    changed(Reason::Revoked, &[], withdraw)?;
    check_directories(context, name, give)?;
    changed(Reason::Granted, give, &[])
}

/// The extensions that came from the list, are installed from there still, and that neither it nor
/// another list has.
pub fn leftovers(
    context: &Context,
    depot: &Depot,
    list: &List,
    arguments: &SyncArguments,
) -> Result<Vec<Planned>, Failure> {
    let prunes = list.prunes(context.config()?, arguments);
    let gone = list.known.extensions.iter().filter(|(name, from)| list.has_dropped(name, from));
    let steps: Vec<_> = gone.filter_map(|(name, from)| leftover(depot, list, name, from)).collect();
    if !prunes && !steps.is_empty() && list.extensions.defaults().prune {
        context
            .warn("the list asks to have removed what it no longer names, and no policy has it in `lists_that_prune`");
    }
    let planned = |mut step: Step| {
        if step.state == StepState::LeftOver && prunes {
            step.state = StepState::ToRemove;
        } else if step.state == StepState::LeftOver {
            step.problem = Some("it is not on the list any more; `--prune` removes it".to_owned());
        }
        Planned { step, entry: None, is_new: false }
    };
    Ok(steps.into_iter().map(planned).collect())
}

fn leftover(depot: &Depot, list: &List, name: &ExtensionName, from: &FromList) -> Option<Step> {
    match depot.manifest(name) {
        Ok(loaded) => {
            let manifest = loaded?.manifest;
            let reference =
                manifest.extension.oci.clone().filter(|reference| from.is(reference))?;
            if !list.is_on_another(name, &reference.identity()) {
                return Some(Step::new(name, Some(reference), StepState::LeftOver));
            }
            // Another list has it, and what this one gave goes.
            let withdraw = withdrawable(list, name, from, &manifest.granted(), |_| false);
            let step = Step { withdraw, ..Step::new(name, Some(reference), StepState::ToAdjust) };
            (!step.withdraw.is_empty()).then_some(step)
        }
        // Whose it is by now is not known.
        Err(error) => {
            let mut step = Step::new(name, None, StepState::LeftOver);
            step.end(Err(Failure::of_extension(name, &error.into()).in_one_line()));
            Some(step)
        }
    }
}

/// Removes what is to be removed, if that is still so.
pub fn prune(depot: &Depot, list: &List, step: &mut Step) {
    if step.state == StepState::ToRemove {
        let done = depot.prune(&list.id, &step.name).map(|pruned| match pruned {
            Pruned::Removed(_) => StepState::Removed,
            Pruned::Kept => StepState::Done,
        });
        step.end(done.map_err(|error| Failure::of_extension(&step.name, &error).in_one_line()));
    }
}

/// Notes where the list led, and what came of it.
pub fn note(
    context: &Context,
    depot: &Depot,
    list: &List,
    plan: &[Planned],
) -> Result<(), Failure> {
    let config = context.config()?;
    let signed = list.published.as_ref().zip(list.evidence.as_ref());
    let noted = depot.note_followed_list(&list.id, signed, |followed| {
        if let Some(pinned) = &list.published {
            followed.pins.insert(pinned.revision().to_owned(), pinned.clone());
        }
        // What is neither on the list nor left over is another extension by now, or another list
        // has it.
        followed.extensions.retain(|name, _| plan.iter().any(|planned| planned.is_from_list(name)));
        plan.iter().for_each(|planned| note_one(config, depot, list, planned, followed));
    });
    noted.map_err(|error| Failure::of_list(&error))
}

fn note_one(
    config: &UserConfig,
    depot: &Depot,
    list: &List,
    planned: &Planned,
    followed: &mut FollowedList,
) {
    let Planned { step, entry, is_new } = planned;
    // Of what failed is known what was known before.
    let Some(entry) = entry.as_ref().filter(|_| step.state != StepState::Failed) else { return };
    let Some(loaded) = depot.manifest(&step.name).ok().flatten() else { return };
    let is_installed_now = *is_new && step.state == StepState::Installed;
    let identity = entry.oci.identity();
    let known = list.provenance(depot, &step.name, &loaded).filter(|_| !is_installed_now);
    let is_from_list = is_installed_now || list.is_on_another(&step.name, &identity);
    let Some(mut from) = known.or_else(|| is_from_list.then(|| FromList::of(&identity))) else {
        return;
    };
    from.given.retain(|given| {
        entry.capabilities.covers(&given.grant) && !step.has_withdrawn(&given.grant)
    });
    let published = list.published.as_ref();
    let is_given = |grant: &&Grant| step.state.is_over() && step.grant.contains(grant);
    // What two lists ask for is given by the first, and stays until neither does.
    let approved = approved(config, published, entry);
    let is_shared = |grant: &&Grant| list.is_given_by_another(&step.name, grant);
    let shared = approved.iter().filter(is_shared);
    let new = step.grant.iter().filter(is_given).chain(shared);
    for grant in new {
        if !from.was_given(grant) {
            let preapproved = published.is_some_and(|list| config.preapproves(list, grant));
            from.given.push(GivenByList { grant: grant.clone(), preapproved });
        }
    }
    followed.extensions.insert(step.name.clone(), from);
}
