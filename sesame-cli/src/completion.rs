//! What a shell offers when its user presses the key for it: commands, options, installed names, their functions.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;

use clap::CommandFactory;
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, CompletionCandidate, Shell};
use core_types::ExtensionName;
use extension_host::{CodeKey, ExportedFunction, Host};

use crate::arguments::{Arguments, GlobalArguments};
use crate::context::Context;

/// The variable by which the shell's script asks.
const VARIABLE: &str = "SESAME_COMPLETE";

/// Answers the shell, if it is the shell that asks. Gives back whether it was.
pub fn answer() -> bool {
    if !Context::is_asked_to_complete(VARIABLE) {
        return false;
    }
    let directory = std::env::current_dir().ok();
    let complete = CompleteEnv::with_factory(Arguments::command).var(VARIABLE).bin("sesame");
    let _ = complete.try_complete(std::env::args_os(), directory.as_deref());
    true
}

/// The script that a shell sources.
pub fn script(shell: Shell) -> io::Result<Vec<u8>> {
    let mut script = Vec::new();
    if let Some(completer) = Shells::builtins().completer(&shell.to_string()) {
        completer.write_registration(VARIABLE, "sesame", "sesame", "sesame", &mut script)?;
    }
    Ok(script)
}

/// The names of extensions that begin like this.
pub fn names(current: &OsStr) -> Vec<CompletionCandidate> {
    let context = Context::new(GlobalArguments::default());
    let listed = context.depot().ok().and_then(|depot| depot.list().ok()).unwrap_or_default();
    candidates(current, listed.into_iter().map(|listed| listed.name.to_string()))
}

/// The functions, beginning like this, of the extension that was named before. Nothing is compiled for it.
pub fn functions(current: &OsStr) -> Vec<CompletionCandidate> {
    candidates(current, exported().unwrap_or_default().into_iter())
}

fn exported() -> Option<Vec<String>> {
    let context = Context::new(GlobalArguments::default());
    let name = called_name(std::env::args_os())?;
    let installed = context.depot().ok()?.installed(&name).ok()?;
    let host = Host::new().ok()?;
    let code = host.load(&context.code_cache().ok()?, &CodeKey::new(&installed.binary.digest)).ok()?;
    let mut all = host.exports(&code);
    all.retain(ExportedFunction::is_callable);
    Some(shortest(&all))
}

/// The names by which functions can be called: with the interface where several have one name. They are counted first, since a
/// guest can export a hundred thousand.
fn shortest(all: &[ExportedFunction]) -> Vec<String> {
    let mut count = HashMap::new();
    for function in all {
        *count.entry(function.name.as_str()).or_insert(0_usize) += 1;
    }
    let name = |function: &ExportedFunction| match count.get(function.name.as_str()) {
        Some(1) => function.name.clone(),
        _ => function.qualified_name(),
    };
    all.iter().map(name).collect()
}

/// The extension on a command line that calls one.
fn called_name(words: impl Iterator<Item = OsString>) -> Option<ExtensionName> {
    let behind = words.skip_while(|word| word != "call" && word != "run").skip(1);
    behind.filter_map(|word| word.into_string().ok()).find(|word| !word.starts_with('-'))?.parse().ok()
}

fn candidates(current: &OsStr, all: impl Iterator<Item = String>) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    all.filter(|candidate| candidate.starts_with(&*current)).map(CompletionCandidate::new).collect()
}
