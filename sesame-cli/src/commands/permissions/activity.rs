//! `sesame extension activity` and `why`

use core_types::{
    Authority, ExtensionName, TouchRecord, Verdict, denied_by_policy, grant_denied_by_policy,
};
use extension_depot::{ActivityEntry, Depot};
use jiff::Timestamp;

use crate::arguments::{ActivityArguments, ActivityCommand};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Outcome, Refusal};

/// The number of refusals to show: more would not fit a screen.
const MAX_REFUSALS: usize = 20;

/// Shows the activity log, or checks it for changes.
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
            && (names.is_empty()
                || names.iter().any(|name| name.as_str() == entry.event.extension()))
    };
    Ok(Outcome::Activity(log.entries().into_iter().filter(is_wanted).collect()))
}

/// Shows the recent refusals of an extension, each once, the latest first, with the present
/// decision on each.
pub fn why(context: &Context, name: &ExtensionName) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let installed = depot.installed(name)?;
    let authority = depot.permissions(&installed, context.config()?)?.authority;
    let mut refused: Vec<Refusal> = Vec::new();
    for (at, touch) in refusals(depot, name) {
        if refused.len() < MAX_REFUSALS && refused.iter().all(|known| known.what != touch.what) {
            refused.push(decided_now(at, touch, &authority));
        }
    }
    Ok(Outcome::Why { name: name.clone(), refused })
}

/// Returns everything that an extension was refused, the latest first.
fn refusals(depot: &Depot, name: &ExtensionName) -> impl Iterator<Item = (Timestamp, TouchRecord)> {
    let calls = depot.activity().entries().into_iter().rev();
    let calls = calls.filter_map(|entry| Some((entry.at, entry.event.into_call()?)));
    let its = calls.filter(|(_, call)| call.extension == name.as_str());
    its.flat_map(|(at, call)| call.activity.touches.into_iter().map(move |touch| (at, touch)))
        .filter(|(_, touch)| touch.verdict != Verdict::Allow)
}

/// Decides a past refusal anew: a policy may have come or gone since.
fn decided_now(at: Timestamp, touch: TouchRecord, authority: &Authority) -> Refusal {
    let (capability, least) = (touch.capability(), touch.least_grant());
    let TouchRecord { what, rule, grant, .. } = touch;
    let rule = rule.unwrap_or_default();
    let by_grant = || {
        let grant = least.as_deref()?.parse().ok()?;
        grant_denied_by_policy(&grant, &authority.policies)
    };
    let by_capability = capability.and_then(|it| denied_by_policy(it, &authority.policies));
    if let Some(denied) = by_capability.or_else(by_grant) {
        return Refusal { at, what, rule: denied.to_string(), grant: None, is_granted_now: false };
    }
    // A refusal by policy is logged without a grant. Policy does not deny it any more.
    let (rule, grant) = match grant {
        Some(grant) => (rule, Some(grant)),
        None => ("policy denied it then, and does not any more".to_owned(), least),
    };
    let granted = authority.in_force(extension_host::boot_time());
    let is_granted_now =
        grant.as_deref().and_then(|grant| grant.parse().ok()).is_some_and(|it| granted.covers(&it));
    Refusal { at, what, rule, grant, is_granted_now }
}
