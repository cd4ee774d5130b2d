//! `sesame extension remove`

use core_types::ExtensionName;

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Outcome, Removal};

/// Removes extensions, each by itself.
pub fn run(context: &Context, names: &[ExtensionName]) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let remove = |name: &ExtensionName| {
        let removed = depot.remove(name).map_err(|error| Failure::of_extension(name, &error))?;
        Ok(Removal { name: name.clone(), kept_manifest: removed.kept_manifest, freed_bytes: removed.freed })
    };
    Outcome::of_each(names, remove, Outcome::Removed)
}
