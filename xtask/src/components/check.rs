//! Finds errors of the list, and counts its contents.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::bill::{Bill, Component};
use super::graph::{ALL, Key, LINKED, PACKAGE, tree};
use crate::problem::{Problem, Result};

/// Reports errors of the list, and prints its contents in numbers.
pub fn check(bill: &Bill) -> Result<()> {
    let mut wrong = wrong_references(bill);
    wrong.extend(bill.components.iter().flat_map(wrong_component));
    wrong.extend(wrong_sets(bill)?);
    println!("{}", summary(bill));
    if wrong.is_empty() { Ok(()) } else { Err(Problem::new(wrong.join("\n"))) }
}

fn wrong_references(bill: &Bill) -> Vec<String> {
    let mut wrong = Vec::new();
    let references: Vec<&str> = std::iter::once(&bill.metadata.component)
        .chain(&bill.components)
        .map(|component| component.reference.as_str())
        .collect();
    let entries: HashMap<&str, &Vec<String>> =
        bill.dependencies.iter().map(|entry| (entry.r#ref.as_str(), &entry.depends_on)).collect();
    let needed: HashSet<&str> = entries.values().copied().flatten().map(String::as_str).collect();
    let mut seen = HashSet::new();
    for (index, reference) in references.iter().enumerate() {
        if !seen.insert(*reference) {
            wrong.push(format!("{reference} is there twice"));
        }
        if !entries.contains_key(reference) {
            wrong.push(format!("{reference} has no dependencies listed"));
        }
        if index > 0 && !needed.contains(reference) {
            wrong.push(format!("nothing depends on {reference}"));
        }
    }
    let named: BTreeSet<&str> = entries.keys().copied().chain(needed).collect();
    let missing = named.into_iter().filter(|name| !seen.contains(name));
    wrong.extend(missing.map(|name| format!("{name} is referred to and not there")));
    wrong
}

fn wrong_component(component: &Component) -> Vec<String> {
    let (purl, mut wrong) = (&component.purl, Vec::new());
    let is_ours = purl.contains("?vcs_url=");
    if !is_ours && !component.hashes.iter().any(|hash| is_digest(&hash.content)) {
        wrong.push(format!("{purl} has no hash"));
    }
    if component.licenses.is_empty() {
        wrong.push(format!("{purl} has no licence"));
    }
    wrong
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns the differences to `cargo tree`, asked in another way.
fn wrong_sets(bill: &Bill) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let binary = (PACKAGE.to_owned(), bill.metadata.component.version.clone());
    for (edges, scopes) in [(ALL, &["required", "excluded"][..]), (LINKED, &["required"])] {
        let mut said: BTreeSet<Key> =
            tree(edges)?.into_iter().map(|(_, package)| package).collect();
        said.remove(&binary);
        let is_in = |component: &&Component| scopes.contains(&component.scope.unwrap_or_default());
        let key = |component: &Component| (component.name.clone(), component.version.clone());
        let listed: BTreeSet<Key> = bill.components.iter().filter(is_in).map(key).collect();
        for (name, version) in said.symmetric_difference(&listed) {
            let other = format!("`cargo tree --edges {edges}`");
            wrong.push(format!("{name} {version} is in only one of this list and {other}"));
        }
    }
    Ok(wrong)
}

fn summary(bill: &Bill) -> String {
    let of = |scope| bill.components.iter().filter(|each| each.scope == Some(scope)).count();
    let mut licences = BTreeMap::<&str, u32>::new();
    for licence in bill.components.iter().flat_map(|component| &component.licenses) {
        *licences.entry(&licence.expression).or_default() += 1;
    }
    let licences: Vec<_> =
        licences.iter().map(|(name, count)| format!("{name}: {count}")).collect();
    let (linked, building) = (of("required"), of("excluded"));
    format!(
        "components {} (linked {linked}, building {building}), licences {}",
        linked + building,
        licences.join(", ")
    )
}
