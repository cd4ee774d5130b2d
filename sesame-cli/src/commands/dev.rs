//! `sesame extension dev`

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use clap::Parser;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::build::{build, project};
use crate::arguments::{Arguments, DevArguments};
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::project::Project;
use crate::render;

/// Directories in which tools leave what they make; what changes there changes nothing.
const MADE: [&str; 8] = ["dist", "target", "build", "node_modules", "gen", "wit_world", "__pycache__", ".git"];
/// How long it has to be quiet before something is built: editors write a file several times.
const QUIET: Duration = Duration::from_millis(200);

/// Builds, installs and calls an extension, again on every change. A build that fails leaves what was installed.
pub fn run(context: &Context, arguments: &DevArguments) -> Result<Outcome, Failure> {
    loop {
        let (changes, watcher) = watch(Path::new("."))?;
        let code = round(context, arguments);
        if arguments.once {
            return Ok(Outcome::Shown(code));
        }
        context.say("waiting for a change; end with Ctrl-C");
        wait_for_change(&changes)?;
        drop(watcher);
    }
}

fn round(context: &Context, arguments: &DevArguments) -> ExitCode {
    let built = project().and_then(|project| Ok((build(context, &project)?, project)));
    match built {
        Ok((path, project)) => try_it(context, &project, &path, arguments),
        Err(failure) => {
            render::failure(context, &failure);
            context.say("what was installed before stays");
            failure.code
        }
    }
}

/// Installs what was built, with all that its author asks for, and calls it or runs its tests.
fn try_it(context: &Context, project: &Project, built: &Path, arguments: &DevArguments) -> ExitCode {
    let name = project.name().as_str();
    let file = format!("./{}", built.strip_prefix(".").unwrap_or(built).display());
    let mut install = ["install", &file, "--replace", name, "--grant-requested"].map(OsString::from).to_vec();
    // What was added to the file since the first time is not asked for any more, so it is said.
    for grant in project.capabilities().grants_in_full() {
        install.push(format!("--grant={grant}").into());
    }
    let installed = sesame(context, install);
    if installed != ExitCode::Done {
        return installed;
    }
    match &arguments.function {
        Some(function) => {
            let call = ["call", name, function].map(OsString::from);
            sesame(context, call.into_iter().chain(arguments.arguments.iter().cloned()).collect())
        }
        None => sesame(context, vec!["test".into(), file.into()]),
    }
}

/// Does what a person would type.
fn sesame(context: &Context, words: Vec<OsString>) -> ExitCode {
    let line = ["sesame", "extension"].into_iter().map(OsString::from).chain(words);
    match Arguments::try_parse_from(line) {
        Ok(arguments) => crate::run(context, arguments.command),
        Err(error) => {
            let _ = context.terminal.talk(&error.render().to_string());
            ExitCode::Usage
        }
    }
}

/// Watches every directory of a project in which something is written by hand.
fn watch(root: &Path) -> Result<(Receiver<()>, RecommendedWatcher), Failure> {
    let failed = |error: notify::Error| {
        Failure::message(ExitCode::Local, "cannot watch this directory for changes").caused_by(&error)
    };
    let root = &fs::canonicalize(root)?;
    let (sender, changes) = mpsc::channel();
    let below = root.clone();
    let is_by_hand = move |path: &std::path::PathBuf| !is_made(path.strip_prefix(&below).unwrap_or(path));
    let told = move |event: notify::Result<notify::Event>| {
        let is_change = event.is_ok_and(|event| !event.kind.is_access() && event.paths.iter().any(&is_by_hand));
        if is_change {
            let _ = sender.send(());
        }
    };
    let mut watcher = notify::recommended_watcher(told).map_err(failed)?;
    watcher.watch(root, RecursiveMode::NonRecursive).map_err(failed)?;
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if !is_made(Path::new(&entry.file_name())) && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            watcher.watch(&entry.path(), RecursiveMode::Recursive).map_err(failed)?;
        }
    }
    Ok((changes, watcher))
}

/// Whether tools make this and people do not.
fn is_made(path: &Path) -> bool {
    let is_lock = path.file_name().is_some_and(|name| name == "Cargo.lock" || name == "package-lock.json");
    is_lock || path.components().any(|part| MADE.iter().any(|made| part.as_os_str() == *made))
}

fn wait_for_change(changes: &Receiver<()>) -> Result<(), Failure> {
    let gone = |_| Failure::message(ExitCode::Local, "nobody watches this directory any more");
    changes.recv().map_err(gone)?;
    while changes.recv_timeout(QUIET).is_ok() {}
    Ok(())
}
