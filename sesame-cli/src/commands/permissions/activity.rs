//! `sesame extension activity` and `why`

use core_types::{
    Authority, CallOutcome, CallRecord, Cause, ExtensionName, TouchRecord, Verdict,
    denied_by_policy, grant_denied_by_policy,
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
    for (at, call) in calls(depot, name) {
        let held_back = held_back(at, &call);
        let touches = call.activity.touches.into_iter();
        let touches = touches.filter(|touch| touch.verdict != Verdict::Allow);
        let decided = touches.map(|touch| decided_now(at, touch, &authority));
        for refusal in held_back.into_iter().chain(decided) {
            if refused.len() < MAX_REFUSALS && refused.iter().all(|it| it.what != refusal.what) {
                refused.push(refusal);
            }
        }
    }
    Ok(Outcome::Why { name: name.clone(), refused })
}

/// Returns the calls of an extension, the latest first.
fn calls(depot: &Depot, name: &ExtensionName) -> impl Iterator<Item = (Timestamp, CallRecord)> {
    let calls = depot.activity().entries().into_iter().rev();
    let calls = calls.filter_map(|entry| Some((entry.at, entry.event.into_call()?)));
    calls.filter(|(_, call)| call.extension == name.as_str())
}

/// Returns an event that did not reach an extension, or later, although it is granted.
fn held_back(at: Timestamp, call: &CallRecord) -> Option<Refusal> {
    let event = call.cause.as_ref().and_then(Cause::event_name)?;
    let is_held_back = call.outcome == CallOutcome::Refused && call.activity.touches.is_empty();
    let rule = call.reason.clone().filter(|_| is_held_back)?;
    let what = format!("event {event}");
    Some(Refusal { at, what, rule, grant: None, is_granted_now: false })
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
