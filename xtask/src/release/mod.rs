//! Checks the versions of a release, makes its files, and prints the steps of a person.
//!
//! - `--check` only compares: versions, the changelog, the tags of the commit, kept state;
//! - `--dry-run` is needed for the rest, since nothing here publishes. `.ci/run release` makes and tries
//!   every file, which takes an hour;
//! - `--binary FILE` only makes the packages of this binary instead;
//! - `--notes` prints the newest entry of the changelog instead.

mod changelog;
mod versions;

use std::path::{Path, PathBuf};

use crate::arguments::Arguments;
use crate::problem::{Problem, Result};
use crate::repository::{command, output, read, root, run as run_command};
use changelog::Entry;

/// Runs the task.
pub fn run(words: &[String]) -> Result<()> {
    let mut arguments = Arguments::new(words);
    let [is_check, is_dry, is_notes] =
        ["--check", "--dry-run", "--notes"].map(|name| arguments.flag(name));
    let binary = arguments.option("--binary")?.map(PathBuf::from);
    arguments.none()?;

    let changelog = read(&root().join("CHANGELOG.md"))?;
    let entry = Entry::newest(&changelog)?;
    if is_notes {
        print!("{}", entry.text);
        return Ok(());
    }
    if !is_check && !is_dry {
        return Err(Problem::new("a release is made by a person: see RELEASING.md, and --dry-run"));
    }
    versions::check(&entry, &changelog::read_minors(&changelog, &entry.version))?;
    println!("the changelog, the manifests and the packages agree on {}", entry.version);
    if is_check {
        return Ok(());
    }
    make(binary, &entry.version)?;
    print!("\nWhat a person has to do:\n\n{}", steps(&read(&root().join("RELEASING.md"))?));
    Ok(())
}

/// Makes the packages of a binary, or everything.
fn make(binary: Option<PathBuf>, version: &str) -> Result<()> {
    let Some(binary) = binary else { return run_command(command(".ci/run", &["release"])) };
    check_binary(&binary, version)?;
    let binary = binary.to_string_lossy();
    run_command(command("packaging/make", &[binary.as_ref()]))
}

fn check_binary(binary: &Path, version: &str) -> Result<()> {
    let said = output(command(binary, &["--version"]))?;
    if said.trim() == format!("sesame {version}") {
        return Ok(());
    }
    Err(Problem::of_file(binary, &format!("it is {}, and not {version}", said.trim())))
}

/// Returns the steps of the page on releases.
fn steps(page: &str) -> String {
    let rest = page.split_once("## Steps\n").map_or("", |(_, rest)| rest);
    let section = rest.split_once("\n## ").map_or(rest, |(section, _)| section);
    format!("{}\n", section.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end_with_their_section() {
        let page = "# Releasing\n\n## Steps\n\n1. One.\n2. Two.\n\n## Fixes\n\n1. Three.\n";
        assert_eq!(steps(page), "1. One.\n2. Two.\n");
    }

    #[test]
    fn nothing_is_published() {
        assert!(run(&[]).expect_err("refused").to_string().contains("--dry-run"));
    }
}
