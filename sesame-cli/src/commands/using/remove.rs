//! `sesame extension remove`

use core_types::ExtensionName;
use extension_depot::RemoveError;

use crate::context::Context;
use crate::failure::Failure;
use crate::installed::secrets;
use crate::outcome::{Outcome, Removal};

/// Removes extensions, each independently of the others.
pub fn run(context: &Context, names: &[ExtensionName], purge: bool) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let remove = |name: &ExtensionName| {
        let secrets = if purge { secrets::forget_all(context, name) } else { Vec::new() };
        let removal = |kept_manifest, freed_bytes, already| Removal {
            name: name.clone(),
            kept_manifest,
            freed_bytes,
            secrets,
            already,
        };
        let removed = depot.lock()?.remove(name, purge);
        match removed {
            Ok(removed) => Ok(removal(removed.kept_manifest, removed.freed, false)),
            // A removed manifest tells an earlier removal from an unknown name.
            Err(RemoveError::NotFound(_)) if depot.places().removed_manifest(name).exists() => {
                Ok(removal(Some(depot.places().removed_manifest(name)), 0, true))
            }
            Err(error) => Err(error.into()),
        }
    };
    Outcome::of_each(names, remove, Outcome::Removed)
}
