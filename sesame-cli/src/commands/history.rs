//! `sesame extension history` and `rollback`

use core_types::{Capabilities, ErrorKind, ExtensionName, Grant};
use extension_depot::{Basis, Depot, DepotError, Generation, History};

use super::install::{MAX_DECISIONS, examine};
use crate::arguments::RollbackArguments;
use crate::consent::{Requests, Standing, ask_person};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Denied, Outcome, PastGeneration, Rollback};

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

/// Goes back to a generation: the one that is named, or the newest with other bytes. Nothing is
/// fetched. What it could do then it can do now as far as that is granted still; the rest is asked
/// for.
pub fn roll_back(context: &Context, arguments: &RollbackArguments) -> Result<Outcome, Failure> {
    let (depot, name) = (context.depot()?, &arguments.name);
    let of_extension = |error| Failure::of_extension(name, &error);
    let history = history(&depot, name)?;
    let generation = choose(&depot, name, &history, arguments.generation)?;
    let (reference, artifact, binary) =
        depot.artifact_of_generation(name, generation).map_err(of_extension)?;
    context.check_source(&reference)?;
    // A broken manifest is what one goes back from.
    let basis = || {
        let basis = depot.basis_of_broken(name, &reference).map_err(of_extension)?;
        basis.check_name(&reference).map_err(of_extension).map(|()| basis)
    };
    let mut seen = basis()?;
    examine(context, &binary, name)?;
    for _ in 0..MAX_DECISIONS {
        let decision = decide_rollback(
            context,
            &seen,
            &history,
            generation,
            arguments.accept_new_capabilities,
        )?;
        match depot.roll_back(&seen, generation, &decision.capabilities) {
            // Another process changed something while we compiled or asked: decide again on what is
            // there now.
            Err(DepotError::Changed { .. }) => seen = basis()?,
            Err(error) => return Err(of_extension(error)),
            Ok(()) => {
                let RollbackDecision { granted, denied, .. } = decision;
                let (to, version) = (generation.number, artifact.version(&reference));
                let name = name.clone();
                return Ok(Outcome::RolledBack(Rollback {
                    name,
                    to,
                    version,
                    reference,
                    granted,
                    denied,
                }));
            }
        }
    }
    Err(of_extension(DepotError::Changed { name: name.clone() }))
}

/// What an extension that goes back is given.
struct RollbackDecision {
    capabilities: Capabilities,
    granted: Vec<Grant>,
    denied: Vec<Denied>,
}

fn decide_rollback(
    context: &Context,
    basis: &Basis,
    history: &History,
    generation: &Generation,
    accept: bool,
) -> Result<RollbackDecision, Failure> {
    let then =
        generation.parsed(basis.name()).map(|manifest| manifest.granted()).unwrap_or_default();
    let (kept, requests) = within(&then, &granted_now(basis, history));
    let policies = &context.config()?.policies;
    let decision = ask_person(
        context,
        policies,
        &basis.owner(),
        Standing::Updating(&kept),
        &requests,
        &[],
        accept,
    );
    Ok(RollbackDecision {
        capabilities: decision.capabilities.unwrap_or(kept),
        granted: decision.granted,
        denied: decision.denied,
    })
}

fn history(depot: &Depot, name: &ExtensionName) -> Result<History, Failure> {
    depot.history(name).map_err(|error| Failure::of_extension(name, &error))
}

/// What the manifest grants, or, while that is broken, what it granted last.
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

fn choose<'a>(
    depot: &Depot,
    name: &ExtensionName,
    history: &'a History,
    wanted: Option<u32>,
) -> Result<&'a Generation, Failure> {
    let none = |what: String| {
        Failure::message(ErrorKind::NotFound, what)
            .with_hint(format!("sesame extension history {name}"))
    };
    match wanted {
        Some(number) => history
            .generation(number)
            .ok_or_else(|| none(format!("`{name}` has no generation {number}"))),
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
    let (kept, gone): (Vec<_>, Vec<_>) = then.iter().cloned().partition(|grant| now.reaches(grant));
    (kept.into_iter().collect(), Requests { grants: gone, without_scope: Vec::new() })
}
