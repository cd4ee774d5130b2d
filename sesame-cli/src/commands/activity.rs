//! `sesame extension activity` and `why`

use core_types::{Authority, Capability, ExtensionName, Grant, Touch, Verdict, denied_by_policy};
use extension_depot::{ActivityEntry, Depot};
use jiff::Timestamp;

use crate::arguments::{ActivityArguments, ActivityCommand};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Outcome, RefusedThing};

/// How many refusals are shown.
const MAX_REFUSALS: usize = 20;

/// Shows what extensions touched, or whether the log was changed.
pub fn run(context: &Context, arguments: ActivityArguments) -> Result<Outcome, Failure> {
    let log = context.depot()?.activity();
    let ActivityArguments { names, since, command, .. } = arguments;
    if let Some(ActivityCommand::Verify) = command {
        return Ok(Outcome::ActivityVerified {
            lines: log.entries().len(),
            findings: log.verify()?,
        });
    }
    let from = since.and_then(|since| Timestamp::now().checked_sub(since.duration()).ok());
    let is_wanted = |entry: &ActivityEntry| {
        from.is_none_or(|from| entry.at >= from)
            && (names.is_empty() || names.iter().any(|name| name.as_str() == entry.event.extension()))
    };
    Ok(Outcome::Activity(log.entries().into_iter().filter(is_wanted).collect()))
}

/// Shows what an extension was refused lately, each thing once, the latest first, with what is
/// decided about it now.
pub fn why(context: &Context, name: &ExtensionName) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let installed = depot.installed(name).map_err(|error| Failure::of_extension(name, &error))?;
    let authority = depot.permissions(&installed, context.config()?)?.authority;
    let mut refused: Vec<RefusedThing> = Vec::new();
    for (at, touch) in refusals(&depot, name) {
        if refused.len() < MAX_REFUSALS && refused.iter().all(|known| known.what != touch.what) {
            refused.push(decided_now(at, touch, &authority));
        }
    }
    Ok(Outcome::Why { name: name.clone(), refused })
}

/// Everything that an extension was refused, the latest first.
fn refusals(depot: &Depot, name: &ExtensionName) -> impl Iterator<Item = (Timestamp, Touch)> {
    let calls = depot.activity().entries().into_iter().rev();
    let calls = calls.filter_map(|entry| Some((entry.at, entry.event.into_call()?)));
    let its = calls.filter(|(_, call)| call.extension == name.as_str());
    its.flat_map(|(at, call)| call.activity.touches.into_iter().map(move |touch| (at, touch)))
        .filter(|(_, touch)| touch.verdict != Verdict::Allow)
}

/// What was refused then, by what decides now: a policy may have come or gone since.
fn decided_now(at: Timestamp, touch: Touch, authority: &Authority) -> RefusedThing {
    let Touch { what, rule, grant, .. } = touch;
    let capability = what.split('=').next().and_then(|name| name.parse::<Capability>().ok());
    let rule = rule.unwrap_or_default();
    if let Some(denied) =
        capability.and_then(|capability| denied_by_policy(capability, &authority.policies))
    {
        return RefusedThing {
            at,
            what,
            rule: denied.to_string(),
            grant: None,
            is_granted_now: false,
        };
    }
    // What a policy refused was noted without a grant that helps. It is denied no more.
    let (rule, grant) = match grant {
        Some(grant) => (rule, Some(grant)),
        None => {
            ("policy denied it then, and does no longer".to_owned(), grant_of(&what, capability))
        }
    };
    let granted = authority.in_force(extension_host::boot_time());
    let is_granted_now =
        grant.as_deref().and_then(|grant| grant.parse().ok()).is_some_and(|it| granted.covers(&it));
    RefusedThing { at, what, rule, grant, is_granted_now }
}

/// What to grant for a thing that is noted without it: the thing itself, or an example where an
/// import says nothing of how far.
fn grant_of(what: &str, capability: Option<Capability>) -> Option<String> {
    // Long names are kept by their beginning, which is another name.
    let grant = what.parse::<Grant>().ok().filter(|_| !what.ends_with('…'));
    let example = capability.filter(|capability| what == capability.name()).map(Grant::example);
    grant.map(|grant| grant.to_string()).or_else(|| example.map(str::to_owned))
}
