//! Lists every build script of the `sesame` binary with its purpose, and fails where one is unread.
//!
//! A build script is a foreign program that runs with the user's rights, before any of our tests.
//! So each was read, and is listed in reviewed.txt with the beginning of its SHA-256, over the
//! script and its included files: a changed script has to be read again, and an unchanged one
//! passes whatever its version. A script must not reach a network.
//!
//! To add one: read it with its included files, add the line that this prints, and describe it.
//! Ours are not listed; they are reviewed with the rest of the change. Functions of other packages
//! that build scripts call (`cc`, `autocfg`) are not checked here, and neither are procedural
//! macros; the list of components has both as `excluded`.

mod abilities;
mod reviewed;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::arguments::Arguments;
use crate::components::{Graph, Package, TARGET};
use crate::problem::{Problem, Result};
use abilities::{abilities_of, joined};
use reviewed::{Reviewed, Script, reviewed};
use sources::Sources;

/// Runs the task.
pub fn run(words: &[String]) -> Result<()> {
    Arguments::new(words).none()?;
    let (known, graph) = (reviewed()?, Graph::read(TARGET)?);
    let mut packages: Vec<_> = graph.others().map(|(package, _)| package).collect();
    packages.push(graph.root());
    packages.sort_by_key(|package| package.key());
    let scripts = packages.into_iter().filter_map(|package| Some((package, script_of(package)?)));

    let (mut report, mut count) = (Report::default(), 0);
    for (package, path) in scripts {
        count += 1;
        report.examine(package, path, &known)?;
    }
    report.unused(&known);
    println!("build scripts {count}, wrong {}", report.wrong);
    if report.wrong == 0 { Ok(()) } else { Err(Problem::new("read them, and correct the list")) }
}

fn script_of(package: &Package) -> Option<&Path> {
    let is_script = |kinds: &[String]| kinds.iter().any(|kind| kind == "custom-build");
    let target = package.targets.iter().find(|target| is_script(&target.kind))?;
    Some(&target.src_path)
}

/// The findings so far.
#[derive(Default)]
struct Report {
    used: BTreeSet<Script>,
    wrong: usize,
}

impl Report {
    /// Examines one script, and prints a line about it.
    fn examine(
        &mut self,
        package: &Package,
        path: &Path,
        known: &BTreeMap<Script, Reviewed>,
    ) -> Result<()> {
        let named = format!("{} {}", package.name, package.version);
        if package.source.is_none() {
            println!("{named}: ours");
            return Ok(());
        }
        let sources = Sources::of(path)?;
        let script = Script { package: package.name.clone(), digest: sources.digest()? };
        let found = abilities_of(&sources.code()?);
        let entry = known.get(&script);
        match (problem(entry, &found), entry) {
            (None, Some(entry)) => println!("{named}: {}", entry.purpose),
            (wrong, _) => {
                let (wrong, digest) = (wrong.unwrap_or_default(), &script.digest);
                let line = format!("{} {digest} {}", package.name, joined(&found));
                self.wrong += 1;
                eprintln!("{named}: {wrong}: {line} ({})", path.display());
            }
        }
        self.used.insert(script);
        Ok(())
    }

    /// Prints the entries that belong to no script.
    fn unused(&mut self, known: &BTreeMap<Script, Reviewed>) {
        for script in known.keys().filter(|script| !self.used.contains(script)) {
            self.wrong += 1;
            eprintln!("{} {}: listed, and not there", script.package, script.digest);
        }
    }
}

/// Returns the problem of a script, if it has one.
fn problem(entry: Option<&Reviewed>, found: &BTreeSet<&str>) -> Option<String> {
    match entry {
        _ if found.contains("network") => Some("it may reach a network".to_owned()),
        None => Some("it is unread".to_owned()),
        Some(entry) if entry.abilities.iter().map(String::as_str).eq(found.iter().copied()) => None,
        Some(entry) => Some(format!("it was read as {}", joined(&entry.abilities))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unread_and_changed_scripts_are_wrong() {
        let entry = Reviewed {
            abilities: ["cc".to_owned(), "process".to_owned()].into(),
            purpose: "compiles".to_owned(),
        };
        assert_eq!(problem(Some(&entry), &["cc", "process"].into()), None);
        assert_eq!(
            problem(Some(&entry), &["cc"].into()),
            Some("it was read as cc,process".to_owned())
        );
        assert_eq!(problem(None, &BTreeSet::new()), Some("it is unread".to_owned()));
        let network = ["network", "cc", "process"].into();
        assert_eq!(problem(Some(&entry), &network), Some("it may reach a network".to_owned()));
    }
}
