//! Building the project of an author.

use std::io;
use std::path::{Path, PathBuf};

use core_types::ErrorKind;
use extension_depot::OutputDirectory;
use extension_host::{
    CodeKind, TextEncoding, check_wit, componentize, embed_world, with_author_manifest,
};

use crate::authoring::read_binary;
use crate::context::Context;
use crate::failure::Failure;
use crate::project::{self, BuildError, FILE, Project, Recipe, Sources};

/// The mode of a built file, which is private until it is published.
const BUILT_MODE: u32 = 0o600;

/// Returns the project in this directory.
pub fn project() -> Result<Project, Failure> {
    let missing = || {
        Failure::message(ErrorKind::NotFound, format!("there is no `{FILE}` in this directory"))
            .with_hint("begin a project: sesame extension new NAME")
    };
    Project::find(Path::new("."))?.ok_or_else(missing)
}

/// Returns the binary of a project, built first if it is missing or its sources have changed.
pub fn built(context: &Context, project: &Project) -> Result<PathBuf, Failure> {
    let path = project.built();
    if read_binary(&path).is_ok_and(|binary| project::is_built(project, &binary)) {
        context.verbose(&format!("nothing has changed since `{}` was built", path.display()));
        return Ok(path);
    }
    build(context, project)
}

/// Builds a project: its language's tools make a component, or a module that becomes one here; the
/// author's requests are put into it. The previous binary stays until the new one is complete.
pub fn build(context: &Context, project: &Project) -> Result<PathBuf, Failure> {
    check_interfaces(project)?;
    // Read before the tools run: a change meanwhile is not in the binary.
    let before = Sources::read(project);
    let recipe = Recipe::of(context, project)?;
    let made = read_binary(&recipe.run(project.directory())?)?;
    let binary = finish(with_world(made, project, recipe.encoding())?)?;
    let asking = with_author_manifest(&binary, project.text())?;
    warn_of_keys(context, project);
    let built = project.built();
    write(&built, &asking).map_err(|error| Failure::unwritable(&built, error))?;
    let noted = before.and_then(|before| {
        let after = Sources::read(project)?;
        project::note_built(project, &before.with_locks_of(after), &asking)
    });
    if let Err(error) = noted {
        context.verbose(&format!("it is built again the next time: {error}"));
    }
    Ok(built)
}

/// Warns of what an author cannot say, which is ignored.
pub fn warn_of_keys(context: &Context, project: &Project) {
    let place = project.path().display().to_string();
    context.warn_of_keys(project.unknown_keys().iter().map(|key| (&place, key)));
}

/// Checks the interfaces before the tools of a language do, whose errors are less clear.
fn check_interfaces(project: &Project) -> Result<(), Failure> {
    let directory = project.interfaces();
    if !directory.is_dir() {
        return Ok(());
    }
    check_wit(&directory).map_err(|error| Failure::bad_interfaces(&directory, error))
}

fn write(path: &Path, binary: &[u8]) -> io::Result<()> {
    let directory = OutputDirectory::create(path.parent().unwrap_or(Path::new(".")))?;
    directory.write(path.file_name().unwrap_or_default(), BUILT_MODE, binary).map(drop)
}

/// Adds the project's world to a module whose language does not know worlds.
fn with_world(
    module: Vec<u8>,
    project: &Project,
    encoding: Option<TextEncoding>,
) -> Result<Vec<u8>, Failure> {
    let Some(encoding) = encoding else { return Ok(module) };
    embed_world(&module, &project.interfaces(), encoding)
        .map_err(|error| BuildError::Componentize(error.to_string()).into())
}

/// Returns a component as it is, a module with a world as that component, and any other module as
/// it is.
fn finish(binary: Vec<u8>) -> Result<Vec<u8>, Failure> {
    match CodeKind::of(&binary) {
        Ok(CodeKind::Module) => {
            let component = componentize(&binary)
                .map_err(|error| BuildError::Componentize(error.to_string()))?;
            Ok(component.unwrap_or(binary))
        }
        _ => Ok(binary),
    }
}
