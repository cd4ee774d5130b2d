//! `sesame extension history` and `rollback`

use core_types::{Capabilities, ExtensionName};
use extension_depot::{Depot, DepotError, Generation, History};

use super::install::examine;
use crate::arguments::RollbackArguments;
use crate::consent::{Requests, Standing, ask_person};
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::{Outcome, PastGeneration, Rollback};

/// Shows every generation, from the newest on.
pub fn run(context: &Context, name: &ExtensionName) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let History { generations, current } = history(&depot, name)?;
    let row = |generation: Generation| PastGeneration {
        is_current: current == Some(generation.number),
        version: generation.parsed(name).ok().and_then(|manifest| manifest.extension.version),
        number: generation.number,
        at: generation.at,
        reason: generation.reason.to_string(),
        reference: generation.reference,
        signer: generation.signer,
    };
    Ok(Outcome::History(generations.into_iter().rev().map(row).collect()))
}

/// Goes back to a generation: the one that is named, or the newest with other bytes. Nothing is fetched. What it could do
/// then it can do now as far as that is granted still; the rest is asked for.
pub fn roll_back(context: &Context, arguments: &RollbackArguments) -> Result<Outcome, Failure> {
    let (depot, name) = (context.depot()?, &arguments.name);
    let of_extension = |error| Failure::of_extension(name, &error);
    let history = history(&depot, name)?;
    let generation = choose(&depot, name, &history, arguments.generation)?;
    let (reference, artifact, binary) = depot.artifact_of_generation(name, generation).map_err(of_extension)?;
    context.check_source(&reference)?;
    match depot.check_name(name, &reference) {
        // A broken manifest is what one goes back from.
        Err(DepotError::Manifest(_)) => {}
        other => other.map_err(of_extension)?,
    }
    examine(context, &binary, name)?;
    let now = granted_now(&depot, name, &history);
    let then = generation.parsed(name).map(|manifest| manifest.granted()).unwrap_or_default();
    let (kept, requests) = within(&then, &now);
    let accept = arguments.accept_new_capabilities;
    let policies = &context.config()?.policies;
    let decision = ask_person(context, policies, name, Standing::Updating(&kept), &requests, &[], accept);
    let capabilities = decision.capabilities.as_ref().unwrap_or(&kept);
    depot.roll_back(name, generation, capabilities).map_err(of_extension)?;
    Ok(Outcome::RolledBack(Rollback {
        name: name.clone(),
        to: generation.number,
        version: artifact.version(&reference),
        reference,
        granted: decision.granted,
        denied: decision.denied,
    }))
}

fn history(depot: &Depot, name: &ExtensionName) -> Result<History, Failure> {
    depot.history(name).map_err(|error| Failure::of_extension(name, &error))
}

/// What the manifest grants, or, while that is broken, what it granted last.
fn granted_now(depot: &Depot, name: &ExtensionName, history: &History) -> Capabilities {
    match depot.manifest(name) {
        Ok(loaded) => loaded.map(|loaded| loaded.manifest.granted()).unwrap_or_default(),
        Err(_) => {
            let last = history.generations.iter().rev().find_map(|generation| generation.parsed(name).ok());
            last.map(|manifest| manifest.granted()).unwrap_or_default()
        }
    }
}

fn choose<'a>(
    depot: &Depot,
    name: &ExtensionName,
    history: &'a History,
    wanted: Option<u32>,
) -> Result<&'a Generation, Failure> {
    let none =
        |what: String| Failure::message(ExitCode::NotFound, what).with_hint(format!("sesame extension history {name}"));
    match wanted {
        Some(number) => history.generation(number).ok_or_else(|| none(format!("`{name}` has no generation {number}"))),
        None => {
            let pinned = depot.manifest(name).ok().flatten().and_then(|loaded| loaded.pinned());
            let before = match pinned {
                Some((_, digest)) => history.before(&digest),
                None => history.generations.last(),
            };
            before.ok_or_else(|| none(format!("`{name}` has never been another version here")))
        }
    }
}

/// What of the capabilities of then is within reach now as well, and the rest.
fn within(then: &Capabilities, now: &Capabilities) -> (Capabilities, Requests) {
    let (kept, gone): (Vec<_>, Vec<_>) = then.grants_in_full().into_iter().partition(|grant| now.reaches(grant));
    let mut capabilities = Capabilities::default();
    for grant in &kept {
        capabilities.add(grant);
    }
    (capabilities, Requests { grants: gone, without_scope: Vec::new() })
}
