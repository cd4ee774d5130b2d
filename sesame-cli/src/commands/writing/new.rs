//! `sesame extension new`

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use core_types::ErrorKind;
use core_types::event::EventName;
use extension_depot::OutputDirectory;

use crate::arguments::NewArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::project::{self, BuildError, NewProject, ProjectKind};

/// The mode of a project's files, before the user's mask.
const FILE_MODE: u32 = 0o666;

/// Creates a directory with a project that builds, with a test and a page of documentation, and a
/// repository of its own where there is none around it.
pub fn run(context: &Context, arguments: &NewArguments) -> Result<Outcome, Failure> {
    let NewArguments { name, language, kind, events, sdk, directory } = arguments;
    let events = checked_events(events, *kind)?;
    let directory = directory.clone().unwrap_or_else(|| name.as_str().into());
    let sdk =
        sdk.as_deref().map(|sdk| fs::canonicalize(sdk).map_err(|error| cannot_make(sdk, error)));
    let sdk = sdk.transpose()?;
    let (language, kind, sdk) = (*language, *kind, sdk.as_deref());
    let project = NewProject { name, language, kind, sdk, events: &events };
    let files = project::files(&project).ok_or(BuildError::NoKind(language))?;
    let made = begin(&directory).map_err(|error| cannot_make(&directory, error))?;
    let mut written = Vec::new();
    for (path, text) in files {
        write(&made, &path, &text).map_err(|error| cannot_make(&directory.join(&path), error))?;
        written.push(directory.join(path));
    }
    begin_repository(context, &directory);
    Ok(Outcome::Created { directory, written })
}

/// Returns the events, each once. Modules do not have any.
fn checked_events(events: &[EventName], kind: ProjectKind) -> Result<Vec<EventName>, Failure> {
    if kind == ProjectKind::Workload && !events.is_empty() {
        return Err(Failure::message(ErrorKind::Usage, "events do not wake modules of Suffiks")
            .with_hint("make an extension for people: leave out `--kind workload`"));
    }
    let mut once: Vec<EventName> = Vec::new();
    for event in events {
        if !once.contains(event) {
            once.push(event.clone());
        }
    }
    Ok(once)
}

fn cannot_make(path: &Path, error: io::Error) -> Failure {
    let is_there = error.kind() == io::ErrorKind::AlreadyExists;
    let failure = Failure::message(ErrorKind::Local, format!("cannot make `{}`", path.display()))
        .caused_by(error);
    if is_there {
        failure.with_hint("name another directory with `--directory`; nothing was changed")
    } else {
        failure
    }
}

/// Makes a repository of git, unless one is around the directory or git is missing. A project
/// without one is as good, so a failure is only worth a note.
fn begin_repository(context: &Context, directory: &Path) {
    let Some(git) = context.program("git") else { return };
    let around = fs::canonicalize(directory).unwrap_or_default();
    if around.ancestors().any(|directory| directory.join(".git").exists()) {
        return;
    }
    let mut init = Command::new(git);
    init.args(["init", "--quiet"]).current_dir(directory).stdin(Stdio::null());
    let output = init.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !output.is_ok_and(|status| status.success()) {
        context.warn(&format!("cannot run `git init` in `{}`", directory.display()));
    }
}

/// Creates the directory, and its parents where they are missing.
fn begin(directory: &Path) -> io::Result<OutputDirectory> {
    let name = directory.file_name().unwrap_or(OsStr::new("."));
    let parent = directory
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    OutputDirectory::create(parent)?.make_new(name)
}

fn write(project: &OutputDirectory, path: &Path, text: &str) -> io::Result<PathBuf> {
    let (parent, name) =
        (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default());
    project.below(parent)?.write_new(name, FILE_MODE, text.as_bytes())
}
