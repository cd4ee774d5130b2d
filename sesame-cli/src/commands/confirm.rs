//! Confirms the origin of an extension from a bundle: the first step of `update`

use core_types::{Capabilities, Capability, OciReference, version_of_tag};
use extension_depot::registry::{Registry, RegistryError};
use extension_depot::{Basis, Depot, Installed};

use super::trust;
use crate::arguments::UpdateArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::progress::waiting;

/// Checks whether the claimed registry has the bytes of an extension from a bundle. If so, the
/// extension gets the identity of that repository, with its secrets, trust and updates. Every other
/// extension is returned as it is.
pub fn origin(
    context: &Context,
    depot: &Depot,
    installed: Installed,
    arguments: &UpdateArguments,
) -> Result<Installed, Failure> {
    let name = &installed.name;
    let of_extension = |error| Failure::of_extension(name, &error);
    let stays = arguments.dry_run
        || installed.loaded.manifest.extension.pinned
        || !installed.reference.is_bundled();
    if stays {
        return Ok(installed);
    }
    let record = depot
        .record(name, &installed.artifact.digest)
        .map_err(|error| of_extension(error.into()))?;
    let Some(claimed) =
        record.and_then(|record| record.claimed).filter(|claimed| !claimed.is_local())
    else {
        return Ok(installed);
    };
    let basis = depot.basis(name, &claimed).map_err(of_extension)?;
    context.check_source(&claimed)?;
    trust::check_transport(context, depot, name, &claimed, arguments.allow_plain_http)?;
    let looking =
        waiting(context, format!("resolving {claimed}…"), has_bytes(context.registry()?, &claimed));
    if !context.wait_for(looking)?? {
        context.warn(&format!(
            "`{name}` stays what its bytes are: `{}` does not have them",
            claimed.unpinned()
        ));
        return Ok(installed);
    }
    let evidence = trust::look(context, depot, name, (&claimed, basis.first_use()), None)?;
    check_secrets(context, &basis, &claimed, arguments.accept_new_capabilities)?;
    depot.confirm_origin(&basis, &claimed, &evidence).map_err(of_extension)?;
    context.say(&format!(
        "`{name}` came from {}: it has that identity now, with its secrets",
        claimed.identity()
    ));
    depot.installed(name).map_err(of_extension)
}

/// Returns whether a registry has the bytes of a pinned reference: under its tag if that is a
/// version, since versions direct updates, and otherwise anywhere in the repository.
async fn has_bytes(registry: &Registry, claimed: &OciReference) -> Result<bool, RegistryError> {
    let is_version = version_of_tag(claimed.revision()).is_some();
    let asked = if is_version { claimed.unpinned() } else { claimed.clone() };
    match registry.resolve(&asked).await {
        Ok(resolved) => Ok(resolved.reference.provenance() == claimed.provenance()),
        Err(RegistryError::NotFound { .. } | RegistryError::MissingTag { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Asks before an extension with grants for secrets gets the secrets of its origin: so far it had
/// those of its own bytes, and the others may belong to another installed extension.
fn check_secrets(
    context: &Context,
    basis: &Basis,
    origin: &OciReference,
    accept: bool,
) -> Result<(), Failure> {
    if accept || !basis.capabilities().is_some_and(uses_secrets) {
        return Ok(());
    }
    let (name, identity) = (basis.name(), origin.identity());
    let question = format!(
        "`{name}` may use secrets, which would be those of `{identity}` from now on. Go on?"
    );
    if context.can_ask() && context.terminal.confirm(&question)? {
        return Ok(());
    }
    Err(Failure::secrets_of_origin(name, origin))
}

fn uses_secrets(granted: &Capabilities) -> bool {
    granted.grants(Capability::SecretRead) || granted.grants(Capability::SecretWrite)
}
