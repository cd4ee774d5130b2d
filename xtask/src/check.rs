//! Checks a change: formatting, lints, and the unit tests of the crates that it touches.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::arguments::Arguments;
use crate::problem::{Problem, Result};
use crate::repository::{command, manifest, output, root, run as run_command};

/// Runs the task. `--since COMMIT` compares with another commit than the branch `main`.
pub fn run(words: &[String]) -> Result<()> {
    let mut arguments = Arguments::new(words);
    let since = arguments.option("--since")?.unwrap_or_else(|| "main".to_owned());
    arguments.none()?;

    run_command(command("cargo", &["fmt", "--all", "--check"]))?;
    let lints = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    run_command(command("cargo", &lints))?;
    let crates = changed_crates(&changed_files(&since)?, &members()?);
    if crates.is_empty() {
        println!("no crate has changed since {since}");
        return Ok(());
    }
    test(&crates)
}

/// Returns the files that differ from the last commit that both branches have, new ones included.
fn changed_files(since: &str) -> Result<Vec<String>> {
    let base = output(command("git", &["merge-base", "HEAD", since]))?;
    let tracked = output(command("git", &["diff", "--name-only", base.trim()]))?;
    let new = output(command("git", &["ls-files", "--others", "--exclude-standard"]))?;
    Ok(tracked.lines().chain(new.lines()).map(str::to_owned).collect())
}

/// Returns the directories of the workspace's crates.
fn members() -> Result<Vec<String>> {
    let manifest = manifest()?;
    let members = manifest["workspace"].get("members").and_then(toml::Value::as_array);
    let members =
        members.ok_or_else(|| Problem::of_file(Path::new("Cargo.toml"), &"no members"))?;
    Ok(members.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect())
}

/// Returns the directories of the crates that have one of these files.
fn changed_crates(files: &[String], members: &[String]) -> BTreeSet<String> {
    let has = |member: &&String, file: &String| Path::new(file).starts_with(member);
    members.iter().filter(|member| files.iter().any(|file| has(member, file))).cloned().collect()
}

/// Builds the unit tests of the whole workspace, since fewer packages would be built with fewer
/// features, and runs those of some crates.
fn test(crates: &BTreeSet<String>) -> Result<()> {
    let build =
        ["test", "--workspace", "--lib", "--bins", "--locked", "--no-run", "--message-format=json"];
    for test in unit_tests(&output(command("cargo", &build))?) {
        let member = test.directory.strip_prefix(root()).unwrap_or(&test.directory);
        if crates.contains(member.to_string_lossy().as_ref()) {
            let mut command = command(&test.program, &["--quiet"]);
            command.current_dir(&test.directory).env("CARGO_MANIFEST_DIR", &test.directory);
            println!("-- {}", member.display());
            run_command(command)?;
        }
    }
    Ok(())
}

/// The unit tests of a crate.
#[derive(Debug, PartialEq)]
struct UnitTests {
    directory: PathBuf,
    program: PathBuf,
}

/// Reads the programs with tests from the messages of cargo.
fn unit_tests(messages: &str) -> Vec<UnitTests> {
    let read = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_test = message["profile"]["test"].as_bool()?;
        let directory = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
        let program = PathBuf::from(message["executable"].as_str()?);
        is_test.then_some(UnitTests { directory, program })
    };
    messages.lines().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_files_name_their_crates() {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let files = owned(&["core-types/src/lib.rs", "docs/a.md", "tests/support/src/lib.rs"]);
        let members = owned(&["core-types", "core", "tests/support", "xtask"]);
        let changed: Vec<_> = changed_crates(&files, &members).into_iter().collect();
        assert_eq!(changed, ["core-types", "tests/support"]);
    }

    #[test]
    fn only_programs_with_tests_are_run() {
        let artifact = |name: &str, is_test: bool, executable: &str| {
            format!(
                r#"{{"manifest_path":"/r/{name}/Cargo.toml","profile":{{"test":{is_test}}},
                "executable":{executable}}}"#
            )
            .replace('\n', "")
        };
        let messages = [
            artifact("a", true, "\"/t/a-1\""),
            artifact("b", false, "\"/t/b\""),
            artifact("c", true, "null"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let [directory, program] = ["/r/a", "/t/a-1"].map(PathBuf::from);
        assert_eq!(unit_tests(&messages.join("\n")), [UnitTests { directory, program }]);
    }
}
