//! `sesame extension update`

use core_types::{Capabilities, ExtensionName, Grant, OciReference};
use extension_depot::{CapabilityChange, Depot, Installed, Staged};

use super::change::grant_for_a_while;
use super::install::{asked, asked_for_scope, examine, fetch};
use super::outdated;
use crate::arguments::UpdateArguments;
use crate::consent::{Answer, Requests};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Age, Outcome, Update};

/// Installs newer versions, each by itself. The old one stays until the new one is verified, compiled, linked and allowed.
pub fn run(context: &Context, arguments: &UpdateArguments) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let names = if arguments.all { outdated::installed(&depot)? } else { arguments.names.clone() };
    Outcome::of_each(&names, |name| update(context, &depot, name, arguments), Outcome::Updated)
}

fn update(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    arguments: &UpdateArguments,
) -> Result<Update, Failure> {
    let installed = depot.installed(name).map_err(|error| Failure::of_extension(name, &error))?;
    let registry = context.registry()?;
    let (newest, age) = context.wait_for(outdated::freshness(&registry, &installed.reference))??;
    let mut update = Update {
        name: name.clone(),
        from: installed.reference.clone(),
        to: None,
        age,
        asks_for: Vec::new(),
        granted: Vec::new(),
        for_session: Vec::new(),
        applied: false,
    };
    let Some(target) = target(&installed.reference, newest.as_deref(), age) else { return Ok(update) };
    let staged = fetch(context, depot, &target)?;
    update.to = Some(staged.reference.clone());
    let new = new_requests(context, depot, &installed, &staged)?;
    update.asks_for = new.missing_from(&installed.loaded.manifest.granted());
    if !arguments.dry_run {
        apply(context, depot, &installed, &staged, &new, arguments, &mut update)?;
    }
    Ok(update)
}

/// What to install: the newest version, or what the tag leads to by now.
fn target(installed: &OciReference, newest: Option<&str>, age: Age) -> Option<OciReference> {
    match age {
        Age::Outdated => installed.with_revision(newest?).ok(),
        Age::Moved => Some(installed.unpinned()),
        Age::Newest | Age::Withdrawn | Age::NoVersion | Age::Local => None,
    }
}

/// What the new version asks for and the old one did not.
fn new_requests(context: &Context, depot: &Depot, old: &Installed, new: &Staged) -> Result<Requests, Failure> {
    let name = &old.name;
    let old_wasm = &old.artifact.wasm.digest;
    let before = examine(context, &depot.places().blob(old_wasm), old_wasm, name)?;
    Ok(examine(context, &new.binary(), &new.artifact.wasm.digest, name)?.beyond(&before))
}

fn apply(
    context: &Context,
    depot: &Depot,
    old: &Installed,
    new: &Staged,
    requests: &Requests,
    arguments: &UpdateArguments,
    update: &mut Update,
) -> Result<(), Failure> {
    let name = &old.name;
    let before = old.loaded.manifest.capabilities.as_ref();
    let mut after = old.loaded.manifest.granted();
    let accept = arguments.accept_new_capabilities;
    (update.granted, update.for_session) = widen(context, name, &mut after, requests, accept);
    let mut given = after.clone();
    for grant in &update.for_session {
        given.add(grant);
    }
    let missing = requests.missing_from(&given);
    if !missing.is_empty() {
        return Err(Failure::asks_for_more(name, new.reference.revision(), &missing));
    }
    let change = (!update.granted.is_empty()).then_some(CapabilityChange { before, after: &after });
    let source = new.reference.unpinned().to_string();
    depot.install(new, name, &source, change).map_err(|error| Failure::of_extension(name, &error))?;
    if !update.for_session.is_empty() {
        grant_for_a_while(context, name, &update.for_session, None)?;
    }
    update.applied = true;
    Ok(())
}

/// Adds what is new and allowed: all of it where that was accepted, and otherwise what a person says yes to.
fn widen(
    context: &Context,
    name: &ExtensionName,
    capabilities: &mut Capabilities,
    requests: &Requests,
    accept: bool,
) -> (Vec<Grant>, Vec<Grant>) {
    let (mut granted, mut for_session) = (Vec::new(), Vec::new());
    for grant in &requests.grants {
        let answer = match (capabilities.covers(grant), accept, context.can_ask()) {
            (true, ..) | (_, false, false) => Answer::No,
            (_, true, _) => Answer::Always,
            (_, _, true) => asked(context, name, grant),
        };
        match answer {
            Answer::Always if capabilities.add(grant) => granted.push(grant.clone()),
            Answer::Session => for_session.push(grant.clone()),
            Answer::Always | Answer::No => {}
        }
    }
    for capability in requests.without_scope.iter().filter(|_| context.can_ask()) {
        let is_given = capabilities.grants(*capability);
        if let Some(grant) = (!is_given).then(|| asked_for_scope(context, name, *capability)).flatten()
            && capabilities.add(&grant)
        {
            granted.push(grant);
        }
    }
    (granted, for_session)
}
