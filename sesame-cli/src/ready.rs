//! From files on disk to code that can run: out of the cache, or compiled.

use std::path::Path;

use core_types::Digest;
use extension_host::{CacheError, Code, CodeCache, CodeKey, Host, IntoCacheError};

use crate::context::Context;
use crate::failure::Failure;
use crate::progress::working;

/// The code of a binary. The cache is asked first; what it does not have or cannot be trusted with is compiled again.
pub fn code(context: &Context, host: &Host, binary: &Path, digest: &Digest) -> Result<Code, Failure> {
    let (cache, key) = (context.code_cache()?, CodeKey::new(digest));
    match host.load(&cache, &key) {
        Ok(code) => Ok(code),
        Err(why) => {
            context.explain(&format!("compiling: {}", describe(&why)));
            compile(context, host, &cache, &key, binary)
        }
    }
}

/// Compiles into the cache, or, where the cache cannot be used, for this process alone.
fn compile(context: &Context, host: &Host, cache: &CodeCache, key: &CodeKey, binary: &Path) -> Result<Code, Failure> {
    let compiler = context.compiler();
    let compile_into = |cache: &CodeCache| host.compile_into(cache, key, binary, &compiler);
    let compiled = working(context, "compiling", || compile_into(cache));
    match compiled {
        Err(IntoCacheError::Cache(error @ (CacheError::NotOurs { .. } | CacheError::Io { .. }))) => {
            context.warn(&format!("compiled code is not kept: {error}"));
            let directory = tempfile::tempdir()?;
            let private = CodeCache::new(directory.path().join("code"));
            Ok(working(context, "compiling", || compile_into(&private))?)
        }
        other => Ok(other?),
    }
}

fn describe(error: &IntoCacheError) -> String {
    match error {
        IntoCacheError::Cache(CacheError::Missing { .. }) => "there is no compiled code yet".to_owned(),
        other => other.to_string(),
    }
}
