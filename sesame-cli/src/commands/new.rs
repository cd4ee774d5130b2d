//! `sesame extension new`

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use core_types::ErrorKind;
use extension_depot::OutputDirectory;

use crate::arguments::NewArguments;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::template;

/// The mode of a project's files, before the user's mask.
const FILE_MODE: u32 = 0o666;

/// Creates a directory with a project that builds, with a test and a page of documentation.
pub fn run(arguments: &NewArguments) -> Result<Outcome, Failure> {
    let NewArguments { name, language, sdk, directory } = arguments;
    let directory = directory.clone().unwrap_or_else(|| name.as_str().into());
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| {
            let failure = Failure::message(ErrorKind::Local, format!("cannot make `{path}`"))
                .caused_by(&error);
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                return failure
                    .with_hint("name another directory with `--directory`; nothing was changed");
            }
            failure
        }
    };
    let sdk = sdk.as_deref().map(|sdk| fs::canonicalize(sdk).map_err(failed(sdk))).transpose()?;
    let project = begin(&directory).map_err(failed(&directory))?;
    let mut written = Vec::new();
    for (path, text) in template::files(name, *language, sdk.as_deref()) {
        write(&project, &path, &text).map_err(failed(&directory.join(&path)))?;
        written.push(directory.join(path));
    }
    Ok(Outcome::Begun { directory, written })
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
