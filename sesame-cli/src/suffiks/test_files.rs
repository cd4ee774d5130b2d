//! Running the test files of a module of Suffiks.

use std::fs;
use std::path::{Path, PathBuf};

use core_types::{Config, ErrorKind, ExtensionName, ResourceKind};
use extension_host::{Extension, Permissions, ResourceName, Resources};
use extension_manager::BuiltBinary;
use serde_json::{Value, json};

use super::test_runner::{Bench, Test, TestFile};
use crate::failure::Failure;
use crate::outcome::{TestedCase, TestedFile};
use crate::suffiks::{ExtensionDocument, document};

/// Runs test files up to the first with a failed test. Returns their results.
pub fn test(
    examined: &BuiltBinary,
    document: &ExtensionDocument,
    tests: &Path,
) -> Result<Vec<TestedFile>, Failure> {
    let files = test_files(tests)?;
    if files.is_empty() {
        let message =
            format!("`{}` has no test files: their names end in `.yaml`", tests.display());
        return Err(Failure::message(ErrorKind::NotFound, message));
    }
    let mut tested = Vec::new();
    for path in files {
        let file: TestFile = document::read(&path)?;
        let extension =
            extension(examined, document, &file).map_err(|failure| failure.in_file(&path))?;
        let bench = Bench::new(&extension, document, seed(document, &file));
        tested.push(TestedFile { cases: run_tests(bench, &file.tests), path });
        if tested.last().is_some_and(TestedFile::has_failed) {
            break;
        }
    }
    Ok(tested)
}

/// Runs the tests of a file up to the first that fails: each begins with the resources that the
/// last one left.
fn run_tests(mut bench: Bench<'_>, tests: &[Test]) -> Vec<TestedCase> {
    let mut cases = Vec::new();
    for test in tests {
        let problem = bench.run(test).err();
        cases.push(TestedCase { name: test.name.clone(), problem, printed: bench.take_printed() });
        if cases.last().is_some_and(|case| case.problem.is_some()) {
            break;
        }
    }
    cases
}

/// Returns the extension with the configuration of a file and the rights in its own document.
fn extension(
    examined: &BuiltBinary,
    document: &ExtensionDocument,
    file: &TestFile,
) -> Result<Extension, Failure> {
    if !file.config.is_empty() && document.config_map().is_none() {
        return Err(Failure::message(
            ErrorKind::Usage,
            "the tests have a `config`, and the extension has no config map",
        )
        .with_hint("name one in its document: spec.controller.wasi.configMap has a `name` and a `namespace`"));
    }
    let config: Config = serde_json::from_value(json!(file.config))
        .map_err(|error| Failure::new(ErrorKind::Usage, error))?;
    let resources =
        document.resource_grants().map_err(|error| Failure::new(ErrorKind::Usage, error))?;
    let permissions = Permissions { config, ..Permissions::of(resources).with_config_read() };
    let linked = examined.host.extension(&examined.code, permissions);
    linked.map_err(|error| Failure::of_host(&ExtensionName::default(), error))
}

/// Returns the initial resources: the config map.
fn seed(document: &ExtensionDocument, file: &TestFile) -> Resources {
    let mut resources = Resources::default();
    if let Some(((name, namespace), kind)) =
        document.config_map().zip(ResourceKind::parse("v1/configmaps"))
    {
        let map: Value = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": name, "namespace": namespace }, "data": file.config,
        });
        resources.insert(
            ResourceName { kind, namespace: namespace.to_owned(), name: name.to_owned() },
            map,
        );
    }
    resources
}

/// Lists the `.yaml` files below a directory, sorted by path. Links to directories are not
/// followed.
fn test_files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::unreadable(directory, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        if entry.file_type().map_err(unreadable)?.is_dir() {
            found.extend(test_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
