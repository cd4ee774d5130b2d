//! `sesame extension gc`

use core_types::ErrorKind;
use extension_manager::{Garbage, GarbageError};

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Collection, Outcome};

/// Removes old generations, their unreferenced blobs, and compiled code of removed versions.
pub fn run(context: &Context, keep: usize, dry_run: bool) -> Result<Outcome, Failure> {
    let garbage = context.manager()?.collect_garbage(keep, !dry_run).map_err(failure)?;
    let bytes = garbage.bytes();
    let Garbage { generations, blobs, compiled } = garbage;
    Ok(Outcome::Collected(Collection {
        bytes,
        generations,
        blobs: blobs.into_iter().map(|(digest, _)| digest).collect(),
        compiled: compiled.into_iter().map(|(path, _)| path).collect(),
        is_dry_run: dry_run,
    }))
}

fn failure(error: GarbageError) -> Failure {
    match error {
        GarbageError::Lock(error) => error.into(),
        GarbageError::Depot(_) | GarbageError::Cache(_) => Failure::new(ErrorKind::Local, error),
    }
}
