//! From files on disk to code that can run: out of the cache, or compiled.

use std::path::Path;

use extension_depot::{Binary, Depot, Installed};
use extension_host::{CacheError, Code, CodeCache, CodeKey, CompileError, Host, IntoCacheError};

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::progress::working;

/// A host for calls of an installed extension: with what this session offers, and with a note of each call.
pub fn session_host(context: &Context, installed: &Installed) -> Result<Host, Failure> {
    let host = Host::new().map_err(|error| Failure::of_host(&installed.name, &error))?;
    let (depot, terminal) = (Depot::new(context.places()?.clone()), context.terminal.clone());
    let (name, pinned, quiet) = (installed.name.clone(), installed.artifact.digest, context.global.quiet);
    let note = move |text: String| {
        if !quiet {
            terminal.note(&format!("warning: {text}"));
        }
    };
    Ok(host.with_backends(context.backends()?).observed_by(move |call| match depot.note_call(&name, &pinned, call) {
        Ok(None) => {}
        Ok(Some(quarantine)) => note(format!("`{name}` is put aside: {quarantine}")),
        // A log that cannot be written keeps nobody from calling, and somebody has to know.
        Err(error) => note(format!(
            "this call is not in the activity log: {}",
            Failure::new(ExitCode::Local, &error).in_one_line()
        )),
    }))
}

/// The code of a binary. The cache is asked first; what it does not have or cannot be trusted with is compiled again.
pub fn code(context: &Context, host: &Host, binary: &Binary) -> Result<Code, Failure> {
    let (cache, key) = (context.code_cache()?, CodeKey::new(&binary.digest));
    match host.load(&cache, &key) {
        Ok(code) => Ok(code),
        Err(why) => {
            context.explain(&format!("compiling: {}", describe(&why)));
            compile(context, host, &cache, &key, &binary.path)
        }
    }
}

/// Compiles into the cache, or, where the cache cannot be used, for this process alone.
fn compile(context: &Context, host: &Host, cache: &CodeCache, key: &CodeKey, binary: &Path) -> Result<Code, Failure> {
    let compiler = context.compiler();
    let compile_into = |cache: &CodeCache| host.compile_into(cache, key, binary, &compiler);
    let compiled = working(context, "compiling", || compile_into(cache));
    match compiled {
        Err(
            error @ (IntoCacheError::Cache(CacheError::NotOurs { .. } | CacheError::Io { .. })
            | IntoCacheError::Compile(CompileError::Output { .. })),
        ) => {
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
