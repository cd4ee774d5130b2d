//! `sesame extension gc`

use core_types::ErrorKind;
use extension_host::CodeKey;

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Collection, Outcome};

/// Removes old generations, their unreferenced blobs, and compiled code of removed versions.
pub fn run(context: &Context, keep: usize, dry_run: bool) -> Result<Outcome, Failure> {
    let collected = context
        .depot()?
        .lock()?
        .collect(keep, !dry_run)
        .map_err(|error| Failure::new(ErrorKind::Local, error))?;
    let cache = context.code_cache()?;
    let keys: Vec<_> = collected.binaries.iter().map(CodeKey::new).collect();
    let code =
        cache.unreferenced_files(&keys).map_err(|error| Failure::new(ErrorKind::Local, error))?;
    if !dry_run {
        cache.remove_files(&code).map_err(|error| Failure::new(ErrorKind::Local, error))?;
    }
    Ok(Outcome::Collected(Collection {
        bytes: collected.bytes() + code.iter().map(|(_, size)| size).sum::<u64>(),
        generations: collected.generations,
        blobs: collected.blobs.into_iter().map(|(digest, _)| digest).collect(),
        compiled: code.into_iter().map(|(path, _)| path).collect(),
        is_dry_run: dry_run,
    }))
}
