//! `sesame extension remove`

use core_types::ExtensionName;
use extension_depot::{RemoveError, Removed};

use crate::context::Context;
use crate::failure::Failure;
use crate::installed::secrets;
use crate::outcome::{Outcome, Removal};

/// Removes extensions, each independently of the others.
pub fn run(context: &Context, names: &[ExtensionName], purge: bool) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let remove = |name: &ExtensionName| {
        let secrets = if purge { secrets::forget_all(context, name) } else { Vec::new() };
        let removal = |kept_manifest, already| Removal {
            name: name.clone(),
            kept_manifest,
            freed_bytes: 0,
            secrets,
            storage: false,
            already,
        };
        let removed = depot.lock()?.remove(name, purge);
        match removed {
            Ok(Removed { kept_manifest, freed, storage }) => {
                Ok(Removal { freed_bytes: freed, storage, ..removal(kept_manifest, false) })
            }
            // A removed manifest tells an earlier removal from an unknown name.
            Err(RemoveError::NotFound(_)) if depot.places().removed_manifest(name).exists() => {
                Ok(removal(Some(depot.places().removed_manifest(name)), true))
            }
            Err(error) => Err(error.into()),
        }
    };
    Outcome::of_each(names, remove, Outcome::Removed)
}
