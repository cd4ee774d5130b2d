//! `sesame extension remove`

use core_types::ExtensionName;

use super::secret;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Outcome, Removal};

/// Removes extensions, each by itself.
pub fn run(context: &Context, names: &[ExtensionName], purge: bool) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let remove = |name: &ExtensionName| {
        let secrets = if purge { secret::forget_all(context, name) } else { Vec::new() };
        let removed = depot.remove(name, purge).map_err(|error| Failure::of_extension(name, &error))?;
        Ok(Removal { name: name.clone(), kept_manifest: removed.kept_manifest, freed_bytes: removed.freed, secrets })
    };
    Outcome::of_each(names, remove, Outcome::Removed)
}
