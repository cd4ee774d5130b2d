//! `sesame extension info`

use core_types::{Authority, ExtensionName, TimedGrants};
use extension_depot::{Depot, Installed};
use extension_host::{Host, boot_time};

use super::change::remaining;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Info, Outcome, State};

/// Shows all that is known of an extension, what it imports and exports included. None of its code runs.
pub fn run(context: &Context, name: &ExtensionName) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let installed = depot.installed(name).map_err(|error| Failure::of_extension(name, &error))?;
    context.warn_unknown_keys(&installed.loaded);
    let host = Host::new().map_err(|error| Failure::of_host(name, &error))?;
    let code = context.manager()?.code(&host, &installed.binary)?;
    let permissions = depot.permissions(&installed, context.config()?)?;
    let (state, problem) = state(&depot, &installed);
    let now = boot_time();
    let timed = permissions.authority.timed.iter().filter(|timed| timed.holds_at(now));
    let timed = timed.map(|timed| (timed.grant.clone(), remaining(timed.until, now))).collect();
    let capabilities = Authority { timed: TimedGrants::default(), ..permissions.authority }.in_force(now);
    let record =
        depot.record(name, &installed.artifact.digest).map_err(|error| Failure::of_extension(name, &error.into()))?;
    let manifest = installed.loaded.manifest;
    Ok(Outcome::Info(Box::new(Info {
        name: name.clone(),
        version: manifest.extension.version,
        description: manifest.extension.description,
        reference: installed.reference,
        binary: installed.binary.digest,
        binary_size: installed.binary.size,
        installed_at: record.as_ref().map(|record| record.installed_at.clone()),
        source: record.as_ref().map(|record| record.source.clone()),
        signature: record.and_then(|record| record.signature),
        manifest: installed.loaded.path,
        state,
        pinned: manifest.extension.pinned,
        problem,
        capabilities,
        timed,
        limits: permissions.limits,
        config: permissions.config,
        imports: host.imports(&code),
        exports: host.exports(&code),
    })))
}

/// Whether it can be called, and why it was put aside if it was.
fn state(depot: &Depot, installed: &Installed) -> (State, Option<String>) {
    match depot.quarantine(&installed.name, &installed.artifact.digest) {
        _ if !installed.loaded.manifest.extension.enabled => (State::Disabled, None),
        Some(quarantine) => (State::Quarantined, Some(quarantine.to_string())),
        None => (State::Enabled, None),
    }
}
