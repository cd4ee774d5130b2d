//! Checks a change: formatting, lints, and the unit tests of the crates that it touches.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::arguments::Arguments;
use crate::problem::{Problem, Result};
use crate::repository::{command, manifest, output, read, root, run as run_command};

/// Files outside of the crates that compile them in or whose unit tests read them. A crate that
/// includes another file needs a row here: cargo lists such files only after a build.
const SHARED_FILES: [(&str, &[&str]); 8] = [
    ("config-examples", &["core-types", "extension-depot"]),
    ("docs/reference", &["sesame-cli"]),
    ("extension-manager/tests", &["extension-capi"]),
    ("extensions", &["sesame-cli"]),
    ("packaging/dbus-1", &["extension-session"]),
    ("packaging/systemd", &["extension-session"]),
    ("tests/guests", &["extension-host", "extension-manager", "fuzz", "sesame-cli"]),
    // By links in the templates of new projects too.
    ("wit", &["extension-host", "extension-sdk", "sesame-cli"]),
];

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

/// A crate of the workspace, by the path of its directory.
struct Member {
    path: String,
    /// Its own directory, and those of the tests that its manifest names by their paths.
    directories: Vec<PathBuf>,
}

impl Member {
    fn new(path: &str, manifest: &toml::Table) -> Self {
        let mut directories = vec![PathBuf::from(path)];
        for test in manifest.get("test").and_then(toml::Value::as_array).into_iter().flatten() {
            if let Some(file) = test.get("path").and_then(toml::Value::as_str) {
                let file = in_repository(&Path::new(path).join(file));
                directories.extend(file.parent().map(Path::to_owned));
            }
        }
        Self { path: path.to_owned(), directories }
    }

    fn has(&self, file: &Path) -> bool {
        self.directories.iter().any(|directory| file.starts_with(directory))
    }
}

/// Returns the workspace's crates.
fn members() -> Result<Vec<Member>> {
    let manifest = manifest()?;
    let members = manifest["workspace"].get("members").and_then(toml::Value::as_array);
    let members =
        members.ok_or_else(|| Problem::of_file(Path::new("Cargo.toml"), &"no members"))?;
    members.iter().filter_map(toml::Value::as_str).map(read_member).collect()
}

fn read_member(path: &str) -> Result<Member> {
    let file = root().join(path).join("Cargo.toml");
    let manifest = read(&file)?.parse::<toml::Table>();
    let manifest = manifest.map_err(|error| Problem::of_file(&file, &error))?;
    Ok(Member::new(path, &manifest))
}

/// Resolves `..` in a path that begins at the root of the repository, as git shows it.
fn in_repository(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        if component == Component::ParentDir {
            resolved.pop();
        } else {
            resolved.push(component);
        }
    }
    resolved
}

/// Returns the paths of the crates that these files are compiled into or tested with.
fn changed_crates(files: &[String], members: &[Member]) -> BTreeSet<String> {
    let mut changed = BTreeSet::new();
    for file in files.iter().map(Path::new) {
        let having = members.iter().filter(|member| member.has(file));
        changed.extend(having.map(|member| member.path.clone()));
        for (_, crates) in SHARED_FILES.iter().filter(|(shared, _)| file.starts_with(shared)) {
            changed.extend(crates.iter().map(|&path| path.to_owned()));
        }
    }
    changed
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

    fn crates_of(files: &[&str], members: &[Member]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|&file| file.to_owned()).collect();
        changed_crates(&files, members).into_iter().collect()
    }

    #[test]
    fn changed_files_name_their_crates() {
        let members = ["core-types", "core", "tests/support", "xtask"]
            .map(|path| Member::new(path, &toml::Table::new()));
        let files = ["core-types/src/lib.rs", "docs/a.md", "tests/support/src/lib.rs"];
        assert_eq!(crates_of(&files, &members), ["core-types", "tests/support"]);
    }

    /// Tests in tests/cli belong to sesame-cli, whose manifest names them.
    #[test]
    fn test_elsewhere_names_its_crate() {
        let manifest = "[[test]]\npath = \"../tests/cli/main.rs\"".parse::<toml::Table>();
        let members = [Member::new("sesame-cli", &manifest.expect("TOML"))];
        assert_eq!(crates_of(&["tests/cli/call.rs"], &members), ["sesame-cli"]);
        assert!(crates_of(&["tests/client.rs", "tests/state/make"], &members).is_empty());
    }

    #[test]
    fn shared_file_names_its_crates() {
        let changed = crates_of(&["wit/host/storage.wit", "tests/guests/built/echo.wasm"], &[]);
        let crates = ["extension-host", "extension-manager", "extension-sdk", "fuzz", "sesame-cli"];
        assert_eq!(changed, crates);
    }

    /// A crate or a directory that moved would no longer be tested, and nothing would say so.
    #[test]
    fn shared_files_and_crates_exist() {
        let members = members().expect("the workspace");
        for (path, crates) in SHARED_FILES {
            assert!(root().join(path).exists(), "{path}");
            for name in crates {
                assert!(members.iter().any(|member| member.path == *name), "{path}: {name}");
            }
        }
        assert_eq!(crates_of(&["tests/cli/main.rs"], &members), ["sesame-cli"]);
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
