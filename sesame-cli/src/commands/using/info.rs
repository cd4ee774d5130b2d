//! `sesame extension info`

use core_types::{
    Authority, BootTime, ExtensionName, Grant, Owner, TimedGrants, decide, grant_denied_by_policy,
};
use extension_depot::{Depot, Installed};
use extension_host::{Host, Import, boot_time};
use extension_manager::{PolicyCheck, requests_of, split_denied};

use crate::context::Context;
use crate::failure::Failure;
use crate::installed::Stop;
use crate::outcome::{Asked, DecidedImport, Denied, Info, Outcome, State};
use crate::terminal::moment::remaining;

/// Shows all facts about an extension, with its imports and exports. None of its code runs.
pub fn run(context: &Context, name: &ExtensionName) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let installed = depot.installed(name)?;
    context.warn_unknown_keys(&installed.loaded);
    let host = Host::new().map_err(|error| Failure::of_host(name, error))?;
    let code = context.manager()?.code(&host, installed.binary())?;
    let config = context.config()?;
    let permissions = depot.permissions(&installed, config)?;
    let policies = PolicyCheck::with(depot, config, &host);
    let (state, problem) = state(&policies, depot, &installed);
    let now = boot_time();
    let imports = host
        .imports(&code)
        .into_iter()
        .map(|import| decided(import, &permissions.authority))
        .collect();
    let owner = Owner { name: name.clone(), identity: installed.reference.identity() };
    let requests = requests_of(&installed, &host, &code);
    let asks_for = Asked::all(&requests, &owner, &permissions.authority);
    let denied = denied(&permissions.authority, now);
    let is_denied = |grant: &Grant| grant_denied_by_policy(grant, &config.policies).is_some();
    let timed = permissions
        .authority
        .timed
        .iter()
        .filter(|timed| timed.holds_at(now) && !is_denied(&timed.grant));
    let timed = timed.map(|timed| (timed.grant.clone(), remaining(timed.until, now))).collect();
    let capabilities = Authority { timed: TimedGrants::default(), ..permissions.authority }
        .in_force(now)
        .into_owned();
    let granted = capabilities.iter().flat_map(Grant::uncovered_events);
    let uncovered = granted.filter(|event| !capabilities.covers(&Grant::of_event(event.clone())));
    let uncovered_events = uncovered.collect();
    let record = depot.record(name, &installed.artifact.digest)?;
    let binary = installed.binary().clone();
    let manifest = installed.loaded.manifest;
    Ok(Outcome::Info(Box::new(Info {
        name: name.clone(),
        version: manifest.extension.version,
        description: manifest.extension.description,
        reference: installed.reference,
        binary: binary.digest,
        binary_size: binary.size,
        installed_at: record.as_ref().map(|record| record.installed_at.to_string()),
        source: record.as_ref().map(|record| record.source.clone()),
        signature: record.and_then(|record| record.signature),
        manifest: installed.loaded.path,
        state,
        pinned: manifest.extension.pinned,
        problem,
        capabilities,
        uncovered_events,
        asks_for,
        timed,
        denied,
        limits: permissions.limits,
        config: permissions.config,
        imports,
        exports: host.exports(&code),
    })))
}

/// Returns whether it can be called, and otherwise the reason. Policy comes first, since nothing
/// else helps against it.
fn state(
    policies: &PolicyCheck<'_>,
    depot: &Depot,
    installed: &Installed,
) -> (State, Option<String>) {
    if let Some(stop) = policies.stop(installed) {
        let Stop { reason, .. } = Stop::new(&stop);
        return (State::StoppedByPolicy, Some(reason));
    }
    match depot.quarantine(&installed.name, &installed.artifact.digest) {
        _ if !installed.loaded.manifest.extension.enabled => (State::Disabled, None),
        Some(quarantine) => (State::Quarantined, Some(quarantine.to_string())),
        None => (State::Enabled, None),
    }
}

/// Adds the present decision to an import.
fn decided(import: Import, authority: &Authority) -> DecidedImport {
    let decided = import.request().map(|request| {
        let decision = decide(&request, authority, boot_time());
        match decision.allows() {
            true => "granted",
            false if decision.is_by_policy() => "denied by policy",
            false => "not granted",
        }
    });
    DecidedImport { import, decided }
}

/// Returns the grants of the manifest or of this session that a policy denies.
fn denied(authority: &Authority, now: BootTime) -> Vec<Denied> {
    let by_manifest = authority.capabilities.iter().flatten().cloned();
    let by_session =
        authority.timed.iter().filter(|timed| timed.holds_at(now)).map(|timed| timed.grant.clone());
    split_denied(by_manifest.chain(by_session).collect(), &authority.policies).1
}
