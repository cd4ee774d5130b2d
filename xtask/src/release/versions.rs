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

/// Checks the files against the changelog.
pub fn check(entry: &Entry) -> Result<()> {
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
    if entry.date.is_none() && has_tag(&entry.version)? {
        wrong.push(format!("v{} is released: its entry has no date", entry.version));
    }
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

fn has_tag(version: &str) -> Result<bool> {
    let tag = format!("v{version}");
    Ok(!output(command("git", &["tag", "--list", &tag]))?.is_empty())
}

/// Returns the text between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_between_its_marks() {
        assert_eq!(between("a\npkgver=0.2.0\npkgrel=1", "pkgver=", "\n"), Some("0.2.0"));
        assert_eq!(between("a", "pkgver=", "\n"), None);
    }
}
