//! Checks that every file that names the version of sesame names the same one.

use std::path::Path;

use super::changelog::Entry;
use crate::problem::{Problem, Result};
use crate::repository::{command, manifest, output, read, root};

/// Files with the version, and the text around it.
const MENTIONS: [(&str, &str, &str); 3] = [
    ("Cargo.lock", "name = \"sesame-cli\"\nversion = \"", "\""),
    ("packaging/arch/PKGBUILD", "pkgver=", "\n"),
    ("packaging/homebrew/sesame.rb", "tag: \"v", "\""),
];

/// Checks the files against the changelog, and that the state of these versions is kept.
pub fn check(entry: &Entry, states: &[String]) -> Result<()> {
    let mut wrong = Vec::new();
    let mut compare = |file: &str, found: Option<&str>| {
        if found != Some(entry.version.as_str()) {
            let found = found.unwrap_or("no version");
            wrong.push(format!("{file} has {found}, CHANGELOG.md has {}", entry.version));
        }
    };
    compare("Cargo.toml", Some(&workspace_version()?));
    for (file, before, after) in MENTIONS {
        compare(file, between(&read(&root().join(file))?, before, after));
    }
    let is_missing = |version: &&String| !root().join("tests/state").join(version).is_dir();
    let missing = states.iter().filter(is_missing);
    wrong.extend(missing.map(|version| format!("tests/state has no state of {version}")));
    wrong.extend(wrong_tags(entry, &tags(&[])?, &tags(&["--points-at", "HEAD"])?));
    if wrong.is_empty() { Ok(()) } else { Err(Problem::new(wrong.join("\n"))) }
}

fn workspace_version() -> Result<String> {
    let manifest = manifest()?;
    let package = manifest["workspace"].get("package");
    let version = package.and_then(|package| package.get("version")?.as_str());
    version
        .map(str::to_owned)
        .ok_or_else(|| Problem::of_file(Path::new("Cargo.toml"), &"no version"))
}

/// Returns the tags of releases that git lists with these arguments.
fn tags(arguments: &[&str]) -> Result<Vec<String>> {
    let listed = output(command("git", &[&["tag", "--list", "v[0-9]*"], arguments].concat()))?;
    Ok(listed.lines().map(str::to_owned).collect())
}

/// Compares the entry with all tags, and with those of the commit.
fn wrong_tags(entry: &Entry, all: &[String], here: &[String]) -> Vec<String> {
    let own = format!("v{}", entry.version);
    let others = here.iter().filter(|tag| **tag != own);
    let mut wrong: Vec<_> = others.map(|tag| format!("{tag} is on a commit of {own}")).collect();
    if entry.date.is_none() && all.contains(&own) {
        wrong.push(format!("{own} is released: its entry has no date"));
    }
    wrong
}

/// Returns the text between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_name_the_version_of_the_entry() {
        let entry = |date: Option<&str>| Entry {
            version: "0.2.0".to_owned(),
            date: date.map(str::to_owned),
            text: String::new(),
        };
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let released = owned(&["v0.1.0", "v0.2.0"]);
        let today = Some("2026-12-01");
        assert!(wrong_tags(&entry(today), &released, &released[1..]).is_empty());
        assert!(wrong_tags(&entry(None), &released[..1], &[]).is_empty());
        let wrong = wrong_tags(&entry(None), &released, &[]);
        assert_eq!(wrong, ["v0.2.0 is released: its entry has no date"]);
        let wrong = wrong_tags(&entry(today), &released, &owned(&["v0.3.0"]));
        assert_eq!(wrong, ["v0.3.0 is on a commit of v0.2.0"]);
    }

    #[test]
    fn version_is_between_its_marks() {
        assert_eq!(between("a\npkgver=0.2.0\npkgrel=1", "pkgver=", "\n"), Some("0.2.0"));
        assert_eq!(between("a", "pkgver=", "\n"), None);
    }
}
