//! Finds the properties in the sources, with the number of their random inputs.

use std::collections::HashMap;
use std::path::Path;

use crate::problem::Result;
use crate::repository::{files_below, read};
use crate::words::is_word;

/// The random inputs of a property without a configured number: the default of proptest.
const DEFAULT_CASES: u64 = 256;

/// Returns the random inputs of each property below a directory.
pub fn of_repository(root: &Path) -> Result<HashMap<String, u64>> {
    let mut counts = HashMap::new();
    for path in files_below(root, ".rs")? {
        counts.extend(properties(&read(&path)?));
    }
    Ok(counts)
}

/// Returns the properties of a source. A block ends where the next begins.
fn properties(source: &str) -> HashMap<String, u64> {
    let mut counts = HashMap::new();
    for block in blocks(source) {
        let cases = configured(block).unwrap_or(DEFAULT_CASES);
        counts.extend(tests_with_parameters(block).map(|name| (name.to_owned(), cases)));
    }
    counts
}

/// Returns the text after each `proptest! {` at the beginning of a line.
fn blocks(source: &str) -> impl Iterator<Item = &str> {
    const OPENING: &str = "proptest! {";
    let is_opening = |&(at, _): &(usize, &str)| {
        let before = &source[..at];
        before.rsplit('\n').next().is_some_and(|start| start.trim().is_empty())
    };
    let starts: Vec<_> = source.match_indices(OPENING).filter(is_opening).collect();
    let ends: Vec<_> = starts.iter().skip(1).map(|(at, _)| *at).chain([source.len()]).collect();
    starts.into_iter().zip(ends).map(|((at, _), end)| &source[at + OPENING.len()..end])
}

/// Reads the configured number of random inputs.
fn configured(block: &str) -> Option<u64> {
    let rest = block.trim_start();
    let rest = rest.strip_prefix("#![proptest_config(ProptestConfig::with_cases(")?;
    rest.split_once(")]")?.0.trim_end_matches(')').replace('_', "").parse().ok()
}

/// Returns the tests that have parameters.
fn tests_with_parameters(block: &str) -> impl Iterator<Item = &str> {
    block.split("#[test]").skip(1).filter_map(|rest| {
        let declared = rest.trim_start().strip_prefix("fn ")?;
        let (name, parameters) = declared.split_once('(')?;
        let first = parameters.trim_start().chars().next()?;
        (is_word(name) && is_word(&first.to_string())).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_have_their_cases() {
        let source = "// proptest! { not this\nproptest! {\n #[test]\n fn a(x in 0..1) {}\n}\n\
                      proptest! {\n #![proptest_config(ProptestConfig::with_cases(1_000))]\n\n\
                      #[test]\n fn b(\n  y in any()) {}\n}\n#[test]\nfn c() {}\n";
        let mut found: Vec<_> = properties(source).into_iter().collect();
        found.sort();
        assert_eq!(found, [("a".to_owned(), 256), ("b".to_owned(), 1_000)]);
    }
}
