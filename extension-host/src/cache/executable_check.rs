//! A check that the system lets this process run code from the cache.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::code_cache::CodeCache;
use super::error::{CacheError, IntoCacheError};
use crate::code::{Code, compile, compiling_engine, runtime_engine};

/// A module with one function that does nothing: the smallest one with machine code.
const PROBE: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b";

/// Compiles a little code and maps it from a nameless file in the directory of the cache, as a call
/// does, or in the nearest existing directory above. Nothing stays.
///
/// # Errors
/// When the file cannot be written or the system does not let this process run the code.
pub fn check_executable(cache: &CodeCache) -> Result<(), IntoCacheError> {
    let directory = cache
        .directory()
        .ancestors()
        .find(|directory| directory.is_dir())
        .unwrap_or(Path::new("/"));
    let (_, compiled) = compile(&compiling_engine()?, PROBE)?;
    let file = nameless_file(directory, &compiled)
        .map_err(|source| CacheError::Io { path: directory.to_owned(), source })?;
    Code::from_checked_file(&runtime_engine()?, &file)?;
    Ok(())
}

fn nameless_file(directory: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut file = tempfile::tempfile_in(directory)?;
    file.write_all(bytes)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check leaves nothing behind, and needs no directory of its own.
    #[test]
    fn probe_runs_and_leaves_nothing() {
        let home = tempfile::tempdir().expect("a directory");
        check_executable(&CodeCache::new(home.path().join("not/there"))).expect("executable");
        assert_eq!(std::fs::read_dir(home.path()).expect("readable").count(), 0);
    }
}
