//! Compiling several binaries at once, each in a bounded child process of its own.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use core_types::Digest;

use crate::cache::{CodeCache, CodeKey};
use crate::compiler::CompilerCommand;
use crate::extension::IntoCacheError;

/// Compiles into the cache what is not there yet, as many at a time as there are processors. `done` is called for each
/// binary, in the order in which they are finished. Gives back what failed, by its place in `binaries`.
pub fn compile_many(
    cache: &CodeCache,
    binaries: &[(PathBuf, Digest)],
    compiler: &CompilerCommand,
    done: &(dyn Fn() + Sync),
) -> Vec<(usize, IntoCacheError)> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let workers = processors.min(binaries.len()).max(1);
    let compiler = CompilerCommand { threads: (processors / workers).max(1), ..compiler.clone() };
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some((at, (binary, digest))) = take(binaries, &next) {
            let key = CodeKey::new(digest);
            if cache.open(&key).is_err()
                && let Err(error) = compiler.compile_into(cache, &key, binary)
            {
                failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((at, error));
            }
            done();
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    let mut failed = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failed.sort_by_key(|(at, _)| *at);
    failed
}

fn take<'a, T>(all: &'a [T], next: &AtomicUsize) -> Option<(usize, &'a T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    Some((at, all.get(at)?))
}
