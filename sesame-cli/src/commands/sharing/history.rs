//! `sesame extension history` and `rollback`

use core_types::ExtensionName;
use extension_depot::{Generation, History};
use extension_manager::{Committed, Decision, RolledBack};

use crate::arguments::RollbackArguments;
use crate::consent::TerminalConsent;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Outcome, PastGeneration, Rollback};

/// Shows every generation, from the newest on.
pub fn run(context: &Context, name: &ExtensionName) -> Result<Outcome, Failure> {
    let history = context.depot()?.history(name);
    let History { generations, current } = history?;
    let row = |generation: Generation| PastGeneration {
        is_current: current == Some(generation.number),
        version: generation.parsed(name).ok().and_then(|manifest| manifest.extension.version),
        number: generation.number,
        at: generation.at.to_string(),
        reason: generation.reason.to_string(),
        reference: generation.reference,
        signer: generation.signer,
    };
    Ok(Outcome::History(generations.into_iter().rev().map(row).collect()))
}

/// Goes back to a generation.
pub fn roll_back(context: &Context, arguments: &RollbackArguments) -> Result<Outcome, Failure> {
    let RollbackArguments { name, generation, accept_new_capabilities } = arguments;
    let consent = TerminalConsent::new(context);
    let rolled_back =
        context.installer(&consent)?.roll_back(name, *generation, *accept_new_capabilities)?;
    let RolledBack { to, committed } = rolled_back;
    let Committed { name, version, reference, decision, .. } = committed;
    let Decision { granted, for_session, denied, .. } = decision;
    Ok(Outcome::RolledBack(Rollback { name, to, version, reference, granted, for_session, denied }))
}
