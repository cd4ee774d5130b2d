//! Compiling several binaries at once, in bounded child processes, while they still arrive.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};

use core_types::Digest;

use super::compiler::{CompilerCommand, CompilerJob};
use crate::cache::{CacheError, CodeCache, CodeKey, IntoCacheError};

/// The maximum of binaries in one child: more would share one child's bounds on time and memory.
const MAX_BATCH: usize = 8;

/// A binary that has to be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// The number by which its feeder knows it.
    pub place: usize,
    /// The file.
    pub path: PathBuf,
    /// The digest of the file.
    pub digest: Digest,
}

/// Compiles the binaries that `feed` sends into the cache, unless they are there, with as many
/// children at a time as there are processors. A child compiles all that waits for one; where that
/// fails, each is compiled in a child of its own. Returns the result of `feed` and the failures by
/// their number, when all binaries are done.
///
/// `expected` is how many will be sent, as far as that is known: few binaries are compiled with
/// several threads each.
pub fn compile_many<T>(
    cache: &CodeCache,
    compiler: &CompilerCommand,
    expected: usize,
    feed: impl FnOnce(&Sender<Binary>) -> T,
) -> (T, Vec<(usize, IntoCacheError)>) {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let workers = processors.min(expected).max(1);
    let compiler = CompilerCommand { threads: (processors / workers).max(1), ..compiler.clone() };
    let (sender, receiver) = mpsc::channel();
    let (waiting, failed) = (Mutex::new(receiver), Mutex::new(Vec::new()));
    let work = || {
        while let Some(batch) = next_batch(&waiting) {
            let errors = compile_batch(cache, &batch, &compiler);
            failed.lock().unwrap_or_else(PoisonError::into_inner).extend(errors);
        }
    };
    let fed = std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
        let fed = feed(&sender);
        drop(sender);
        fed
    });
    (fed, failed.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Waits for a binary, and takes the others that wait already. Returns `None` when no more will
/// come.
fn next_batch(waiting: &Mutex<Receiver<Binary>>) -> Option<Vec<Binary>> {
    let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let mut batch = vec![waiting.recv().ok()?];
    batch.extend(waiting.try_iter().take(MAX_BATCH - 1));
    Some(batch)
}

/// Compiles some binaries in one child or, when that fails, each in its own.
fn compile_batch(
    cache: &CodeCache,
    batch: &[Binary],
    compiler: &CompilerCommand,
) -> Vec<(usize, IntoCacheError)> {
    let is_missing = |binary: &&Binary| cache.open(&CodeKey::new(&binary.digest)).is_err();
    let missing: Vec<_> = batch.iter().filter(is_missing).collect();
    if missing.len() > 1 && compile_together(cache, &missing, compiler).is_ok() {
        return Vec::new();
    }
    let alone = |binary: &Binary| {
        compiler
            .compile_into(cache, &CodeKey::new(&binary.digest), &binary.path)
            .err()
            .map(|error| (binary.place, error))
    };
    missing.into_iter().filter_map(alone).collect()
}

fn compile_together(
    cache: &CodeCache,
    batch: &[&Binary],
    compiler: &CompilerCommand,
) -> Result<(), IntoCacheError> {
    let directory = cache.scratch()?;
    let job = |binary: &&Binary| {
        let Binary { path, digest, .. } = binary;
        CompilerJob { from: path.clone(), to: directory.path().join(digest.hex()), digest: *digest }
    };
    let jobs: Vec<_> = batch.iter().map(job).collect();
    compiler.compile_each(&jobs).map_err(IntoCacheError::Compile)?;
    for CompilerJob { to, digest, .. } in &jobs {
        cache.store(&CodeKey::new(digest), |path| {
            fs::rename(to, path).map_err(|source| CacheError::Io { path: to.clone(), source })
        })?;
    }
    Ok(())
}
