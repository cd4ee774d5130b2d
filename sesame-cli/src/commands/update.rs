//! `sesame extension update`

use core_types::{ExtensionName, Grant};
use extension_depot::{Basis, Depot, DepotError, InstallOrder, Installed, Reason, Staged};

use super::change::grant_for_a_while;
use super::confirm;
use super::install::{MAX_DECISIONS, examine, fetch, look_at};
use super::outdated::{self, Found, Look};
use super::trust;
use crate::arguments::UpdateArguments;
use crate::consent::{Decision, Requests, Standing, ask_person, decide_alone};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Age, Outcome, Update};
use crate::progress::waiting;

/// Installs newer versions, each by itself. The old one stays until the new one is verified,
/// compiled, linked and allowed.
pub fn run(context: &Context, arguments: &UpdateArguments) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    // Looking changes nothing, so nobody has to be asked before it.
    let names = match arguments.names.as_slice() {
        [] if arguments.all || arguments.dry_run => outdated::installed(&depot)?,
        [] => choose(context, &depot, arguments)?,
        names => names.to_vec(),
    };
    Outcome::of_each(&names, |name| update(context, &depot, name, arguments), Outcome::Updated)
}

/// Everything that has a newer version, if a person who sees it agrees. Where nobody can be asked,
/// it has to be said.
fn choose(
    context: &Context,
    depot: &Depot,
    arguments: &UpdateArguments,
) -> Result<Vec<ExtensionName>, Failure> {
    if !context.can_ask() {
        return Err(Failure::nothing_to_update());
    }
    let mut newer = Vec::new();
    for name in outdated::installed(depot)? {
        match newer_line(context, depot, &name, arguments) {
            Ok(Some(line)) => {
                context.terminal.note(&line);
                newer.push(name);
            }
            Ok(None) => {}
            Err(failure) => {
                context.warn(&format!("`{name}` is left out: {}", failure.in_one_line()))
            }
        }
    }
    let question = match newer.len() {
        0 => {
            context.say("nothing is newer than what is installed");
            return Ok(newer);
        }
        1 => "update it?".to_owned(),
        count => format!("update these {count} extensions?"),
    };
    if context.terminal.confirm(&question)? { Ok(newer) } else { Err(Failure::not_updated()) }
}

/// What would be updated to what, in a line; nothing where nothing is newer.
fn newer_line(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    arguments: &UpdateArguments,
) -> Result<Option<String>, Failure> {
    let installed = depot.installed(name).map_err(|error| Failure::of_extension(name, &error))?;
    let target = find(context, depot, &installed, arguments)?.target;
    let from = installed.reference.revision().to_owned();
    Ok(target.map(|target| format!("{name}: {from} -> {}", target.revision())))
}

/// Updates one extension. Where another process changes it in the meantime, what is there then is
/// looked at.
fn update(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    arguments: &UpdateArguments,
) -> Result<Update, Failure> {
    let of_extension = |error| Failure::of_extension(name, &error);
    let mut looks = 0;
    let update = loop {
        looks += 1;
        let installed = depot.installed(name).map_err(of_extension)?;
        let installed = confirm::origin(context, depot, installed, arguments)?;
        let basis = depot.basis_of(&installed).map_err(of_extension)?;
        match update_on(context, depot, (&installed, &basis), arguments) {
            Err(_)
                if looks < MAX_DECISIONS && !basis.still_holds(depot).map_err(of_extension)? => {}
            result => break result?,
        }
    };
    if let Some(to) = update.to.as_ref().filter(|_| !update.for_session.is_empty()) {
        grant_for_a_while(context, name, Some(to), &update.for_session, None)?;
    }
    Ok(update)
}

/// Updates what was found installed, as long as it is that.
fn update_on(
    context: &Context,
    depot: &Depot,
    (installed, basis): (&Installed, &Basis),
    arguments: &UpdateArguments,
) -> Result<Update, Failure> {
    let found = find(context, depot, installed, arguments)?;
    let mut update = Update {
        name: installed.name.clone(),
        from: installed.reference.clone(),
        to: None,
        age: found.age,
        asks_for: Vec::new(),
        granted: Vec::new(),
        for_session: Vec::new(),
        moved: Vec::new(),
        applied: false,
    };
    let Some(target) = found.target else { return Ok(update) };
    if found.age == Age::Moved && arguments.locked {
        return Err(Failure::moved_while_locked(&installed.name, &installed.reference));
    }
    let staged = fetch(context, depot, &target)?;
    update.to = Some(staged.reference.clone());
    if arguments.dry_run {
        let requests = new_requests(context, installed, &staged)?;
        let base = installed.loaded.manifest.granted();
        let decision =
            decide_alone(Standing::Updating(&base), &requests, &context.config()?.policies);
        return Ok(Update { asks_for: decision.denied, moved: decision.moved, ..update });
    }
    let accept = arguments.accept_new_capabilities;
    let decision = replace(context, depot, (installed, basis), &staged, &[], accept)?;
    let Decision { granted, for_session, moved, denied, .. } = decision;
    Ok(Update { applied: true, asks_for: denied, granted, for_session, moved, ..update })
}

/// What is newer. An extension that its user pinned is not looked for.
fn find(
    context: &Context,
    depot: &Depot,
    installed: &Installed,
    arguments: &UpdateArguments,
) -> Result<Found, Failure> {
    if installed.loaded.manifest.extension.pinned {
        return Ok(Found { newest: None, age: Age::Pinned, target: None });
    }
    context.check_source(&installed.reference)?;
    trust::check_transport(
        context,
        depot,
        &installed.name,
        &installed.reference,
        arguments.allow_plain_http,
    )?;
    let min_age = if arguments.now { None } else { context.config()?.min_release_age() };
    let look = Look { registry: context.registry()?, depot, min_age };
    let resolving = format!("resolving {}…", installed.reference.repository_query());
    context.wait_for(waiting(context, resolving, look.for_update(&installed.reference)))?
}

/// What the new version asks for and the old one did not.
fn new_requests(context: &Context, old: &Installed, new: &Staged) -> Result<Requests, Failure> {
    let name = &old.name;
    let before = look_at(context, &old.binary, name)?;
    Ok(examine(context, &new.binary, name)?.requests.beyond(&before.requests))
}

/// Puts another version in the place of the installed one, if all that it asks for beyond that is
/// allowed: because it is among `grant`, accepted, or said yes to. What is allowed for this session
/// is granted by the caller.
pub fn replace(
    context: &Context,
    depot: &Depot,
    (old, seen): (&Installed, &Basis),
    new: &Staged,
    grant: &[Grant],
    accept: bool,
) -> Result<Decision, Failure> {
    let (name, source) = (&old.name, new.reference.unpinned().to_string());
    let evidence = trust::look(context, depot, name, (&new.reference, seen.first_use()), None)?;
    let requests =
        new_requests(context, old, new).map_err(|failure| changed_or(depot, seen, failure))?;
    let base = old.loaded.manifest.granted();
    let policies = &context.config()?.policies;
    let decision = ask_person(
        context,
        policies,
        &seen.owner(),
        Standing::Updating(&base),
        &requests,
        grant,
        accept,
    );
    // What policy denies keeps nobody from a version that they accepted with all that it asks for.
    let is_missing =
        if accept { decision.ungranted().next().is_some() } else { !decision.denied.is_empty() };
    if is_missing {
        return Err(Failure::asks_for_more(name, new.reference.revision(), &decision.denied));
    }
    let order = InstallOrder {
        basis: seen,
        source: &source,
        capabilities: decision.capabilities.as_ref(),
        reason: Reason::Updated,
        evidence: Some(&evidence),
        seed: None,
        claimed: None,
    };
    depot.lock()?.install(new, &order).map_err(|error| Failure::of_extension(name, &error))?;
    Ok(decision)
}

/// The failure, or that the extension was changed in the meantime: what is installed no longer may
/// be gone, and that it is missing says nothing.
fn changed_or(depot: &Depot, seen: &Basis, failure: Failure) -> Failure {
    match seen.still_holds(depot) {
        Ok(false) => {
            Failure::of_extension(seen.name(), &DepotError::Changed { name: seen.name().clone() })
        }
        _ => failure,
    }
}
