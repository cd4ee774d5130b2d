//! Finds errors of the list, and counts the packages of the binary.

use std::collections::{BTreeMap, BTreeSet};

use super::cyclonedx::{Bill, Component};
use super::graph::{ALL, Graph, Key, LINKED, PACKAGE, Package, tree};
use crate::problem::{Problem, Result};

/// Reports errors of the list, and prints the packages in numbers.
pub fn check(bill: &Bill, graph: &Graph) -> Result<()> {
    let (built, linked): (Vec<_>, Vec<_>) =
        graph.others().map(|(package, is_linked)| (package, is_linked.then_some(package))).unzip();
    let mut wrong = wrong_sets(graph)?;
    let listed: BTreeMap<Key, &Component> =
        bill.components.iter().map(|component| (component.key(), component)).collect();
    wrong.extend(built.iter().flat_map(|package| wrong_package(package, &listed)));
    let keys: BTreeSet<Key> = built.iter().map(|package| package.key()).collect();
    let never: Vec<_> = listed.keys().filter(|key| !keys.contains(key)).collect();
    let (built, linked) = (built.len(), linked.into_iter().flatten().count());
    println!("packages {built} (linked {linked}, building {})", built - linked);
    println!("listed and never built, by `cargo metadata`: {}", names(&never));
    if wrong.is_empty() { Ok(()) } else { Err(Problem::new(wrong.join("\n"))) }
}

fn names(keys: &[&Key]) -> String {
    let shown: Vec<_> = keys.iter().map(|(name, version)| format!("{name} {version}")).collect();
    shown.join(", ")
}

/// Returns the errors of a built package: whether it is listed, with a hash and a licence.
fn wrong_package(package: &Package, listed: &BTreeMap<Key, &Component>) -> Vec<String> {
    let (name, version) = (&package.name, &package.version);
    let Some(component) = listed.get(&package.key()) else {
        return vec![format!("{name} {version} is built and not listed")];
    };
    let mut wrong = Vec::new();
    let is_ours = package.source.is_none();
    if !is_ours && !component.hashes.iter().any(|hash| is_digest(&hash.content)) {
        wrong.push(format!("{name} {version} has no hash"));
    }
    if component.licenses.is_empty() {
        wrong.push(format!("{name} {version} has no licence"));
    }
    wrong
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns the differences between our graph and `cargo tree`, asked in another way.
fn wrong_sets(graph: &Graph) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for (edges, is_all) in [(ALL, true), (LINKED, false)] {
        let mut said: BTreeSet<Key> =
            tree(&graph.target, edges)?.into_iter().map(|(_, package)| package).collect();
        said.retain(|(name, _)| name != PACKAGE);
        let is_in = |(_, is_linked): &(&Package, bool)| is_all || *is_linked;
        let known: BTreeSet<Key> =
            graph.others().filter(is_in).map(|(package, _)| package.key()).collect();
        for (name, version) in said.symmetric_difference(&known) {
            let other = format!("`cargo tree --edges {edges}`");
            wrong.push(format!("{name} {version} is in only one of the graph and {other}"));
        }
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_packages_are_listed_whole() {
        let package: Package = serde_json::from_str(
            r#"{"id": "a", "name": "a", "version": "1.0.0", "source": "registry", "targets": []}"#,
        )
        .expect("as cargo writes it");
        let problems = |components: &str| {
            let bill: Bill = serde_json::from_str(&format!(r#"{{"components": [{components}]}}"#))
                .expect("a list");
            let listed = bill.components.iter().map(|component| (component.key(), component));
            wrong_package(&package, &listed.collect())
        };
        assert_eq!(problems(""), ["a 1.0.0 is built and not listed"]);
        let bare = r#"{"name": "a", "version": "1.0.0"}"#;
        assert_eq!(problems(bare), ["a 1.0.0 has no hash", "a 1.0.0 has no licence"]);
        let whole = format!(
            r#"{{"name": "a", "version": "1.0.0", "licenses": [{{"expression": "MIT"}}],
            "hashes": [{{"alg": "SHA-256", "content": "{}"}}]}}"#,
            "0a".repeat(32)
        );
        assert!(problems(&whole).is_empty());
    }
}
