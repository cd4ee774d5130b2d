//! `sesame extension enable`, `disable`, `grant` and `revoke`

use std::time::Duration;

use core_types::{Capabilities, ExtensionName, Grant, Owner, Period, TimedGrant, TimedGrants};
use extension_depot::{EffectiveConfig, Reason};
use extension_host::boot_time;

use crate::arguments::{GrantArguments, Revocation};
use crate::consent::RequestText;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Change, Outcome};
use crate::terminal::moment::remaining;

/// Enables or disables extensions.
pub fn enable(
    context: &Context,
    names: &[ExtensionName],
    enabled: bool,
) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let set = |name: &ExtensionName| {
        let changed = depot.lock()?.set_enabled(name, enabled)?;
        let changed = enabled && depot.forget_failures(name)? || changed;
        let now = format!("`{name}` is {}", if enabled { "enabled" } else { "disabled" });
        Ok(Change::new(now, changed))
    };
    Outcome::of_each(names, set, Outcome::Changed)
}

/// Pins extensions to their versions, or unpins them.
pub fn pin(context: &Context, names: &[ExtensionName], pinned: bool) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let set = |name: &ExtensionName| {
        let changed = depot.lock()?.set_pinned(name, pinned)?;
        let state = if pinned { "stays at its version" } else { "can be updated" };
        Ok(Change::new(format!("`{name}` {state}"), changed))
    };
    Outcome::of_each(names, set, Outcome::Changed)
}

/// Grants permissions, permanently or for a time.
pub fn grant(context: &Context, arguments: &GrantArguments) -> Result<Outcome, Failure> {
    let GrantArguments { name, grants, period, until } = arguments;
    let loaded = context.depot()?.manifest(name)?;
    let checked = context.manager()?.check_directories(name, loaded.as_ref(), grants);
    checked.map_err(|error| Failure::of_directory_grant(name, error))?;
    let mut changes = match (period, until) {
        (None, None) => grant_for_good(context, name, grants, context.config()?)?,
        (period, _) => grant_for_a_while(context, name, grants, period.map(Period::duration))?,
    };
    explain(context, name, grants, &mut changes)?;
    warn_of_policy(context, name, grants)?;
    warn_of_private_events(context, grants);
    Ok(Outcome::Changed(changes))
}

/// Adds to each change what the granted permission means, in the words of a question about it.
fn explain(
    context: &Context,
    name: &ExtensionName,
    grants: &[Grant],
    changes: &mut [Change],
) -> Result<(), Failure> {
    let installed = context.depot()?.installed_with_binary(name);
    for (change, grant) in changes.iter_mut().zip(grants) {
        let request = match &installed {
            Some(installed) => RequestText::of_installed(grant, installed),
            None => RequestText::of_grant(grant, &Owner::embedded(name.clone())),
        };
        if context.config()?.denial_of(grant).is_none() {
            change.now = format!("{}: {}", change.now, request.explanation());
        }
        change.request = Some(request);
    }
    Ok(())
}

fn grant_for_good(
    context: &Context,
    name: &ExtensionName,
    grants: &[Grant],
    config: &EffectiveConfig,
) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    change(context, name, Reason::Granted, |capabilities| {
        for grant in grants {
            let changed = capabilities.add(grant);
            let now = match config.denial_of(grant) {
                None => format!("`{name}` may use {grant}"),
                Some(_) => format!("policy denies `{name}` {grant}, which its manifest has"),
            };
            changes.push(Change::new(now, changed));
        }
        changes.iter().any(|change| change.changed)
    })?;
    Ok(changes)
}

/// Grants until the session ends, or for a time within it.
fn grant_for_a_while(
    context: &Context,
    name: &ExtensionName,
    grants: &[Grant],
    period: Option<Duration>,
) -> Result<Vec<Change>, Failure> {
    let now = boot_time();
    let until = period.map(|period| now.after(period));
    let add = |timed: &mut TimedGrants| {
        grants.iter().for_each(|grant| timed.add(TimedGrant { grant: grant.clone(), until }, now));
        true
    };
    let granted = context.depot()?.lock()?.change_timed_grants(name, None, add);
    granted?;
    let ends = remaining(until, now);
    let config = context.config()?;
    let now = |grant: &Grant| match config.denial_of(grant) {
        None => format!("`{name}` may use {grant} {ends}"),
        Some(_) => format!("policy denies `{name}` {grant}, which it would have {ends}"),
    };
    Ok(grants.iter().map(|grant| Change::new(now(grant), true)).collect())
}

/// Warns of a pattern that looks as if it covered private events.
fn warn_of_private_events(context: &Context, grants: &[Grant]) {
    for grant in grants {
        for private in grant.uncovered_events() {
            let scope = grant.scope();
            context.warn(&format!("`{scope}` does not cover `{private}`, which is private"));
        }
    }
}

/// Warns of a grant that a policy denies, since it does nothing.
fn warn_of_policy(
    context: &Context,
    name: &ExtensionName,
    grants: &[Grant],
) -> Result<(), Failure> {
    let config = context.config()?;
    for grant in grants {
        if let Some(place) = config.denial_of(grant).and_then(|decision| decision.place()) {
            let (path, capability) = (place.path.display(), grant.capability());
            context.warn(&format!(
                "`{name}` does not get {capability} while policy in `{path}` denies it"
            ));
        }
    }
    Ok(())
}

/// Revokes a permission, permanent or timed.
pub fn revoke(
    context: &Context,
    name: &ExtensionName,
    revocations: &[Revocation],
) -> Result<Outcome, Failure> {
    let was_timed = revoke_timed(context, name, revocations)?;
    if !was_timed {
        check_parts(context, name, revocations)?;
    }
    let mut changes = Vec::new();
    change(context, name, Reason::Revoked, |capabilities| {
        changes.extend(revocations.iter().map(|revocation| take(capabilities, name, revocation)));
        changes.iter().any(|change| change.changed)
    })?;
    changes.iter_mut().for_each(|change| change.changed |= was_timed);
    Ok(Outcome::Changed(changes))
}

fn revoke_timed(
    context: &Context,
    name: &ExtensionName,
    revocations: &[Revocation],
) -> Result<bool, Failure> {
    let is_meant = |timed: &TimedGrant| {
        revocations.iter().any(|revocation| match revocation {
            Revocation::Whole(capability) => timed.grant.capability() == *capability,
            Revocation::Part(grant) => grant.selects(&timed.grant),
        })
    };
    let depot = context.depot()?;
    // An extension that is not installed does not have timed grants, but can have a manifest.
    if depot.manifest(name)?.is_some_and(|loaded| loaded.manifest.extension.oci.is_none()) {
        return Ok(false);
    }
    let changed = depot
        .lock()?
        .change_timed_grants(name, None, |timed| timed.retain(|timed| !is_meant(timed)));
    changed.map_err(Failure::from)
}

/// Checks that each part is granted, or that nothing of it is. A wider grant may cover it (all of
/// `config-read`, `*.example.org`), or a narrower one be part of it, and silence would leave a
/// permission in force that its owner believes revoked.
fn check_parts(
    context: &Context,
    name: &ExtensionName,
    revocations: &[Revocation],
) -> Result<(), Failure> {
    let Some(loaded) = context.depot()?.manifest(name)? else { return Ok(()) };
    let mut capabilities = loaded.manifest.granted();
    for revocation in revocations {
        let change = take(&mut capabilities, name, revocation);
        if let Revocation::Part(grant) = revocation
            && !change.changed
            && overlaps(&capabilities, grant)
        {
            return Err(Failure::no_such_part(name, grant, &capabilities));
        }
    }
    Ok(())
}

/// Returns whether another grant still covers a part of this permission.
fn overlaps(capabilities: &Capabilities, grant: &Grant) -> bool {
    capabilities.covers(grant) || capabilities.iter().any(|left| grant.covers(left))
}

fn take(capabilities: &mut Capabilities, name: &ExtensionName, revocation: &Revocation) -> Change {
    match revocation {
        Revocation::Whole(capability) => {
            let changed = capabilities.grants(*capability);
            capabilities.deny(*capability);
            Change::new(format!("`{name}` may not use {capability}"), changed)
        }
        Revocation::Part(grant) => {
            let changed = capabilities.take(grant);
            Change::new(format!("`{name}` may not use {grant}"), changed)
        }
    }
}

fn change(
    context: &Context,
    name: &ExtensionName,
    reason: Reason,
    change: impl FnOnce(&mut Capabilities) -> bool,
) -> Result<bool, Failure> {
    context.depot()?.lock()?.change_capabilities(name, reason, change).map_err(Failure::from)
}
