//! `sesame extension activity` and `why`

use core_types::{ExtensionName, Verdict};
use extension_depot::ActivityEntry;
use jiff::Timestamp;

use crate::arguments::{ActivityArguments, ActivityCommand};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Outcome, RefusedThing};

/// How many refusals are shown.
const MOST_REFUSALS: usize = 20;

/// Shows what extensions touched, or whether the log was changed.
pub fn run(context: &Context, arguments: ActivityArguments) -> Result<Outcome, Failure> {
    let log = context.depot()?.activity();
    let ActivityArguments { names, since, command } = arguments;
    if let Some(ActivityCommand::Verify) = command {
        return Ok(Outcome::ActivityVerified { lines: log.entries().len(), findings: log.verify()? });
    }
    let from = since.and_then(|since| Timestamp::now().checked_sub(since.duration()).ok());
    let is_wanted = |entry: &ActivityEntry| {
        from.is_none_or(|from| entry.at >= from)
            && (names.is_empty() || names.iter().any(|name| name.as_str() == entry.call.extension))
    };
    Ok(Outcome::Activity(log.entries().into_iter().filter(is_wanted).collect()))
}

/// Shows what an extension was refused lately, each thing once, the latest first.
pub fn why(context: &Context, name: &ExtensionName) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let installed = depot.installed(name).map_err(|error| Failure::of_extension(name, &error))?;
    let permissions = depot.permissions(&installed, context.config()?)?;
    let granted = permissions.authority.in_force(extension_host::boot_time());
    let mut refused: Vec<RefusedThing> = Vec::new();
    for entry in depot.activity().entries().into_iter().rev().filter(|entry| entry.call.extension == name.as_str()) {
        for touch in entry.call.activity.touches.into_iter().filter(|touch| touch.verdict != Verdict::Allow) {
            if refused.len() < MOST_REFUSALS && refused.iter().all(|known| known.what != touch.what) {
                let grant = touch.grant.as_deref().and_then(|grant| grant.parse().ok());
                refused.push(RefusedThing {
                    is_granted_now: grant.is_some_and(|grant| granted.covers(&grant)),
                    at: entry.at,
                    what: touch.what,
                    rule: touch.rule.unwrap_or_default(),
                    grant: touch.grant,
                });
            }
        }
    }
    Ok(Outcome::Why { name: name.clone(), refused })
}
