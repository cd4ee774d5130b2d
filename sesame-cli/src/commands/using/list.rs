//! `sesame extension list`

use core_types::{Capabilities, Capability};
use extension_depot::{Depot, Listed};
use extension_manager::PolicyCheck;

use crate::context::Context;
use crate::failure::Failure;
use crate::installed::Stop;
use crate::outcome::{Outcome, Row, State};

/// Lists all manifests; a broken one is a row with the reason.
pub fn run(context: &Context) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let listed = depot.list()?;
    for loaded in listed.iter().filter_map(|listed| listed.manifest.as_ref().ok()) {
        context.warn_unknown_keys(loaded);
    }
    let policies = PolicyCheck::new(depot);
    Ok(Outcome::Listed(listed.into_iter().map(|listed| row(depot, &policies, listed)).collect()))
}

fn row(depot: &Depot, policies: &PolicyCheck<'_>, listed: Listed) -> Row {
    match listed.manifest {
        Ok(ref loaded) => {
            let is_denied = |capability: &Capability| {
                policies.config().is_some_and(|config| config.denial(*capability).is_some())
            };
            let granted = loaded
                .manifest
                .capabilities
                .as_ref()
                .map(Capabilities::granted)
                .unwrap_or_default();
            let (denied_by_policy, capabilities): (Vec<_>, Vec<_>) =
                granted.into_iter().partition(is_denied);
            let (state, problem) =
                state(depot, policies, &listed, loaded.manifest.extension.enabled);
            let by_policy = || Some(format!("policy denies {}", names(&denied_by_policy)));
            let problem = problem.or_else(|| by_policy().filter(|_| !denied_by_policy.is_empty()));
            Row {
                name: listed.name.clone(),
                version: loaded.manifest.extension.version.clone(),
                reference: loaded.manifest.extension.oci.clone(),
                capabilities,
                denied_by_policy,
                limits: loaded.manifest.limits.clone(),
                state,
                problem,
            }
        }
        Err(error) => Row {
            name: listed.name,
            version: None,
            reference: None,
            capabilities: Vec::new(),
            denied_by_policy: Vec::new(),
            limits: Default::default(),
            state: State::Broken,
            problem: Some(crate::terminal::first_line(&error.to_string())),
        },
    }
}

/// Returns whether it can be called, and otherwise the reason: a policy or a quarantine.
fn state(
    depot: &Depot,
    policies: &PolicyCheck<'_>,
    listed: &Listed,
    is_enabled: bool,
) -> (State, Option<String>) {
    if !listed.is_installed {
        return (State::NotInstalled, None);
    }
    // Without a policy, the documents of a thousand extensions are not read for it.
    let installed = policies.can_stop().then(|| depot.installed(&listed.name).ok()).flatten();
    let stop = installed.and_then(|installed| Some(Stop::new(&policies.stop(&installed)?)));
    match (stop, &listed.quarantine) {
        (Some(stop), _) => (State::StoppedByPolicy, Some(stop.reason)),
        (None, _) if !is_enabled => (State::Disabled, None),
        (None, Some(quarantine)) => (State::Quarantined, Some(quarantine.to_string())),
        (None, None) => (State::Enabled, None),
    }
}

fn names(capabilities: &[Capability]) -> String {
    capabilities.iter().map(|capability| capability.name()).collect::<Vec<_>>().join(", ")
}
