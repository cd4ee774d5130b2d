//! `sesame extension test`

use std::fs;
use std::path::{Path, PathBuf};

use core_types::{Capabilities, ErrorKind, ExtensionName, Limits, parse_toml};
use extension_depot::read_regular;
use extension_host::{CodeKind, has_author_manifest, with_author_manifest};
use extension_manager::BuiltBinary;

use crate::arguments::TestArguments;
use crate::authoring::{Bench, CaseFile, build, read_binary};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Outcome, TestedFile};
use crate::project::Project;
use crate::suffiks::{ExtensionDocument, test_files};

/// The document of a module of Suffiks.
const EXT: &str = "ext.yaml";
/// The largest file of cases, in bytes: far more than a person writes.
const MAX_FILE: u64 = 1 << 20;

/// Runs all cases, even after a failed one.
pub fn run(context: &Context, arguments: &TestArguments) -> Result<Outcome, Failure> {
    let project = Project::find(Path::new("."))?;
    let binary = match (&arguments.binary, &project) {
        (Some(binary), _) => binary.clone(),
        (None, Some(project)) => build::built(context, project)?,
        (None, None) => build::built(context, &build::project()?)?,
    };
    let tested = test(context, &binary, &arguments.tests, project.as_ref())?;
    if tested.is_empty() {
        let message =
            format!("`{}` has no tests: their names end in `.toml`", arguments.tests.display());
        return Err(Failure::message(ErrorKind::NotFound, message));
    }
    Ok(Outcome::Tested(tested))
}

/// Runs the cases of a project, and the test files of a module of Suffiks.
pub fn test(
    context: &Context,
    binary: &Path,
    tests: &Path,
    project: Option<&Project>,
) -> Result<Vec<TestedFile>, Failure> {
    let name = project.map_or_else(ExtensionName::default, |project| project.name().clone());
    let examined = context.manager()?.examine_built(&name, with_manifest(binary, project)?)?;
    let capabilities = project.map(Project::capabilities).unwrap_or_default();
    let limits = project.map(Project::limits).cloned().unwrap_or_default();
    let mut tested = case_files(tests)?
        .into_iter()
        .map(|path| tested_file(&examined, &capabilities, &limits, path))
        .collect::<Result<Vec<_>, _>>()?;
    let ext = Path::new(EXT);
    if examined.host.takes_workloads(&examined.code) && ext.is_file() {
        tested.extend(test_files::test(&examined, &ExtensionDocument::read(ext)?, tests)?);
    }
    Ok(tested)
}

/// Reads a binary, with the manifest of the project where it has none.
fn with_manifest(path: &Path, project: Option<&Project>) -> Result<Vec<u8>, Failure> {
    let binary = read_binary(path)?;
    let bare = project.filter(|_| CodeKind::of(&binary).is_ok());
    match bare.filter(|_| has_author_manifest(&binary).is_ok_and(|has| !has)) {
        Some(project) => Ok(with_author_manifest(&binary, project.text())?),
        None => Ok(binary),
    }
}

fn tested_file(
    examined: &BuiltBinary,
    capabilities: &Capabilities,
    limits: &Limits,
    path: PathBuf,
) -> Result<TestedFile, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::message(ErrorKind::Local, format!("cannot read `{}`", path.display()))
            .caused_by(error)
    };
    let bytes = read_regular(&path, MAX_FILE).map_err(unreadable)?;
    let text =
        String::from_utf8(bytes).map_err(|error| unreadable(std::io::Error::other(error)))?;
    let wrong = |problem: &core_types::TomlProblem| {
        Failure::message(
            ErrorKind::Usage,
            format!("`{}` cannot be understood: {problem}", path.display()),
        )
    };
    let file: CaseFile = parse_toml(&text).map_err(|problem| wrong(&problem))?.value;
    let bench = Bench { host: &examined.host, code: &examined.code, capabilities, limits };
    let run = |case| bench.run(case);
    let cases = file.cases.iter().map(run).collect();
    Ok(TestedFile { path, cases })
}

fn case_files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::unreadable(directory, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
