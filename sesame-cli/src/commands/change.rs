//! `sesame extension enable`, `disable`, `grant` and `revoke`

use core_types::{Capabilities, ExtensionName, Grant};

use crate::arguments::Revocation;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Change, Outcome};

/// Lets extensions be called or not.
pub fn enable(context: &Context, names: &[ExtensionName], enabled: bool) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let set = |name: &ExtensionName| {
        let changed = depot.set_enabled(name, enabled).map_err(|error| Failure::of_extension(name, &error))?;
        let now = format!("`{name}` is {}", if enabled { "enabled" } else { "disabled" });
        Ok(Change { now, changed })
    };
    names.iter().map(set).collect::<Result<_, _>>().map(Outcome::Changed)
}

/// Allows something.
pub fn grant(context: &Context, name: &ExtensionName, grants: &[Grant]) -> Result<Outcome, Failure> {
    let mut changes = Vec::new();
    change(context, name, |capabilities| {
        for grant in grants {
            let changed = capabilities.add(grant);
            changes.push(Change { now: format!("`{name}` may use {grant}"), changed });
        }
        changes.iter().any(|change| change.changed)
    })?;
    warn_of_policy(context, name, grants)?;
    Ok(Outcome::Changed(changes))
}

/// A grant that a policy takes away again does nothing, which its giver should know.
fn warn_of_policy(context: &Context, name: &ExtensionName, grants: &[Grant]) -> Result<(), Failure> {
    for (policy, path) in &context.config()?.policies {
        for grant in grants.iter().filter(|grant| policy.deny.contains(&grant.capability())) {
            let (capability, path) = (grant.capability(), path.display());
            context.warn(&format!("`{name}` does not get {capability} while policy in `{path}` denies it"));
        }
    }
    Ok(())
}

/// Takes something away.
pub fn revoke(context: &Context, name: &ExtensionName, revocations: &[Revocation]) -> Result<Outcome, Failure> {
    check_parts(context, name, revocations)?;
    let mut changes = Vec::new();
    change(context, name, |capabilities| {
        changes.extend(revocations.iter().map(|revocation| take(capabilities, name, revocation)));
        changes.iter().any(|change| change.changed)
    })?;
    Ok(Outcome::Changed(changes))
}

/// Makes sure that each part is there to be taken away. Another one may cover it (all of `config-read`, `*.example.org`),
/// and saying nothing would leave a permission in force that its owner believes to be gone.
fn check_parts(context: &Context, name: &ExtensionName, revocations: &[Revocation]) -> Result<(), Failure> {
    let Some(loaded) = context.depot()?.manifest(name)? else { return Ok(()) };
    let mut capabilities = loaded.manifest.granted();
    for revocation in revocations {
        let change = take(&mut capabilities, name, revocation);
        if let Revocation::Part(grant) = revocation
            && !change.changed
            && capabilities.grants(grant.capability())
        {
            return Err(Failure::no_such_part(name, grant, &capabilities));
        }
    }
    Ok(())
}

fn take(capabilities: &mut Capabilities, name: &ExtensionName, revocation: &Revocation) -> Change {
    match revocation {
        Revocation::Whole(capability) => {
            let changed = capabilities.grants(*capability);
            capabilities.deny(*capability);
            Change { now: format!("`{name}` may not use {capability}"), changed }
        }
        Revocation::Part(grant) => {
            let changed = capabilities.take(grant);
            Change { now: format!("`{name}` may not use {grant}"), changed }
        }
    }
}

fn change(
    context: &Context,
    name: &ExtensionName,
    change: impl FnOnce(&mut Capabilities) -> bool,
) -> Result<bool, Failure> {
    context.depot()?.change_capabilities(name, change).map_err(|error| Failure::of_extension(name, &error))
}
