//! `sesame extension new`

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use core_types::ErrorKind;
use extension_depot::OutputDirectory;

use crate::arguments::NewArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::project::{self, BuildError, NewProject};

/// The mode of a project's files, before the user's mask.
const FILE_MODE: u32 = 0o666;

/// Creates a directory with a project that builds, with a test and a page of documentation, and a
/// repository of its own where there is none around it.
pub fn run(context: &Context, arguments: &NewArguments) -> Result<Outcome, Failure> {
    let NewArguments { name, language, kind, sdk, directory } = arguments;
    let directory = directory.clone().unwrap_or_else(|| name.as_str().into());
    let sdk =
        sdk.as_deref().map(|sdk| fs::canonicalize(sdk).map_err(|error| cannot_make(sdk, error)));
    let sdk = sdk.transpose()?;
    let project = NewProject { name, language: *language, kind: *kind, sdk: sdk.as_deref() };
    let files = project::files(&project).ok_or(BuildError::NoKind(*language))?;
    let made = begin(&directory).map_err(|error| cannot_make(&directory, error))?;
    let mut written = Vec::new();
    for (path, text) in files {
        write(&made, &path, &text).map_err(|error| cannot_make(&directory.join(&path), error))?;
        written.push(directory.join(path));
    }
    begin_repository(context, &directory);
    Ok(Outcome::Created { directory, written })
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
