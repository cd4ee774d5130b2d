//! `sesame extension build`

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use extension_host::{CodeKind, componentize, with_author_manifest};

use super::publish::read_binary;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::project::{FILE, Project};
use crate::recipe::{BuildError, Recipe};

/// Builds the project in this directory.
pub fn run(context: &Context) -> Result<Outcome, Failure> {
    Ok(Outcome::Written(vec![build(context, &project()?)?]))
}

/// The project in this directory.
pub fn project() -> Result<Project, Failure> {
    let missing = || {
        Failure::message(ExitCode::NotFound, format!("there is no `{FILE}` in this directory"))
            .with_hint("begin a project: sesame extension new NAME")
    };
    Project::find(Path::new("."))?.ok_or_else(missing)
}

/// Builds a project: its language's tools make a component, or a module that becomes one here; what its author asks for is
/// put into it. What was built before stays until the new one is there.
pub fn build(context: &Context, project: &Project) -> Result<PathBuf, Failure> {
    let built = project.built();
    if let Some(directory) = built.parent() {
        fs::create_dir_all(directory)?;
    }
    let made = Recipe::of(context, project)?.run(project.directory())?;
    let binary = finish(read_binary(&made)?)?;
    let asking = with_author_manifest(&binary, project.text())?;
    let mut temporary =
        tempfile::Builder::new().prefix(".new-").tempfile_in(built.parent().unwrap_or(Path::new(".")))?;
    temporary.write_all(&asking)?;
    temporary.persist(&built).map_err(|error| Failure::from(error.error))?;
    Ok(built)
}

/// A component as it is; a module that says which component it would be as that; any other module as it is.
fn finish(binary: Vec<u8>) -> Result<Vec<u8>, Failure> {
    match CodeKind::of(&binary) {
        Ok(CodeKind::Module) => {
            let component = componentize(&binary).map_err(|error| BuildError::Componentize(error.to_string()))?;
            Ok(component.unwrap_or(binary))
        }
        _ => Ok(binary),
    }
}
