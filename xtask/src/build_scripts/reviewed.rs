//! Reads the list of the scripts that were read.

use std::collections::{BTreeMap, BTreeSet};

use crate::problem::{Problem, Result};

/// A script, whichever version of its package it is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Script {
    /// The package.
    pub package: String,
    /// The beginning of the digest of the script and the files that it includes.
    pub digest: String,
}

/// The findings of its reader.
pub struct Reviewed {
    /// Its abilities.
    pub abilities: BTreeSet<String>,
    /// Its purpose.
    pub purpose: String,
}

/// Returns the list.
pub fn reviewed() -> Result<BTreeMap<Script, Reviewed>> {
    parse(include_str!("reviewed.txt"))
}

fn parse(text: &str) -> Result<BTreeMap<Script, Reviewed>> {
    let entries = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    entries
        .map(|line| entry(line).ok_or_else(|| Problem::new(format!("not an entry: {line}"))))
        .collect()
}

fn entry(line: &str) -> Option<(Script, Reviewed)> {
    let (package, rest) = line.split_once(' ')?;
    let (digest, rest) = rest.trim_start().split_once(' ')?;
    let (abilities, purpose) = rest.trim_start().split_once(' ')?;
    let abilities = abilities.split(',').filter(|&ability| ability != "-").map(str::to_owned);
    let script = Script { package: package.to_owned(), digest: digest.to_owned() };
    let purpose = purpose.trim().to_owned();
    Some((script, Reviewed { abilities: abilities.collect(), purpose }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_list_is_read() {
        assert!(reviewed().expect("well-formed").len() > 40);
        let found = parse("# head\na  00ff cc,process compiles a file\nb  01 -   nothing\n");
        let found: Vec<_> = found.expect("well-formed").into_iter().collect();
        assert_eq!(found[0].0, Script { package: "a".to_owned(), digest: "00ff".to_owned() });
        assert_eq!(
            (found[0].1.abilities.len(), found[0].1.purpose.as_str()),
            (2, "compiles a file")
        );
        assert!(found[1].1.abilities.is_empty() && found[1].1.purpose == "nothing");
        assert!(parse("a\n").is_err());
    }
}
