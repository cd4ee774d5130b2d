//! The files of this repository, and the programs that tasks run in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::problem::{Problem, Result};

/// Returns the directory of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// Returns the manifest of the workspace.
pub fn manifest() -> Result<toml::Table> {
    let path = root().join("Cargo.toml");
    read(&path)?.parse().map_err(|error| Problem::of_file(&path, &error))
}

/// Reads a text file. Bytes that are not UTF-8 are replaced: a log holds the output of guests.
pub fn read(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(|error| Problem::of_file(path, &error))?;
    Ok(String::from_utf8_lossy(&bytes).replace("\r\n", "\n").replace('\r', "\n"))
}

/// Writes a text file.
pub fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| Problem::of_file(path, &error))
}

/// Returns each file below a directory with this ending, in order. Directories in which builds put
/// their files are left out.
pub fn files_below(directory: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| Problem::of_file(directory, &error))? {
        let path = entry?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if path.is_dir() && !path.is_symlink() && name != "target" && name != ".git" {
            found.extend(files_below(&path, ending)?);
        } else if path.is_file() && name.ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Makes a command that runs at the root of the repository.
pub fn command(program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command whose output the person sees. Fails where it fails.
pub fn run(mut command: Command) -> Result<()> {
    let shown = shown(&command);
    let status = command.status().map_err(|error| Problem::new(format!("{shown}: {error}")))?;
    if status.success() { Ok(()) } else { Err(Problem::new(format!("{shown}: {status}"))) }
}

/// Runs a command and returns its output. Fails where it fails.
pub fn output(mut command: Command) -> Result<String> {
    let shown = shown(&command);
    command.stderr(Stdio::inherit());
    let output = command.output().map_err(|error| Problem::new(format!("{shown}: {error}")))?;
    if !output.status.success() {
        return Err(Problem::new(format!("{shown}: {}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Shows a command as a person would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
