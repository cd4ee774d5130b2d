//! Writes the document.

use std::collections::{BTreeSet, HashMap};

use super::log::Log;
use super::rows::Row;
use crate::words::is_word;

const SECTIONS: [(&str, &str); 7] = [
    ("6.1", "Parsing and names"),
    ("6.2", "Archives and documentation"),
    ("6.3", "Registries"),
    ("6.4", "Signatures and updates"),
    ("6.5", "Guests and limits"),
    ("6.6", "Cache, files, other users"),
    ("6.7", "Reliability"),
];

const HEAD: &str = "| row | attack and outcome | tests | cases | result | gaps and notes |\n\
                    |---|---|---|---|---|---|\n";

const INTRODUCTION: &str = include_str!("introduction.txt");

/// The checks beside the tests.
const BESIDE: &str = include_str!("beside.txt");

/// The sources of the document.
pub struct Page<'a> {
    /// The rows of the test matrix.
    pub rows: &'a [Row],
    /// The results of the tests.
    pub log: &'a Log,
    /// The random inputs of each property.
    pub random: &'a HashMap<String, u64>,
}

impl Page<'_> {
    /// Returns the whole text.
    pub fn to_text(&self) -> String {
        let sections: String = SECTIONS.iter().map(|section| self.section(section)).collect();
        format!("{INTRODUCTION}\n{}\n{sections}{BESIDE}", self.summary())
    }

    fn summary(&self) -> String {
        let of = |kind| self.rows.iter().filter(|row| row.holds == kind).count();
        let tests: BTreeSet<_> = self.rows.iter().flat_map(|row| &row.tests).collect();
        let cases = tests.iter().map(|test| self.cases(test)).sum();
        format!(
            "{} rows: {} held, {} held in part, {} by a script, {} open, {} that do not apply. \
             {} tests, {} cases.\n",
            self.rows.len(),
            of("whole"),
            of("part"),
            of("script"),
            of("none"),
            of("not-applicable"),
            tests.len(),
            with_separators(cases),
        )
    }

    fn section(&self, (number, title): &(&str, &str)) -> String {
        let rows = self.rows.iter().filter(|row| row.section == *number);
        let lines: String = rows.map(|row| self.line(row)).collect();
        format!("\n## {title}\n\n{HEAD}{lines}")
    }

    fn line(&self, row: &Row) -> String {
        let tests: Vec<_> = row.tests.iter().map(|name| format!("`{name}`")).collect();
        let shown = if tests.is_empty() { "none".to_owned() } else { tests.join("<br>") };
        let cases: u64 = row.tests.iter().map(|test| self.cases(test)).sum();
        let (id, name, wants, result) = (row.id, &row.name, &row.wants, self.result(row));
        let notes = row.but.replace('|', "\\|");
        format!("| {id} | {name}: {wants} | {shown} | {cases} | {result} | {notes} |\n")
    }

    fn result(&self, row: &Row) -> &'static str {
        if row.tests.iter().any(|test| !self.log.passed(test)) {
            return "FAILED";
        }
        match row.holds.as_str() {
            "whole" => "held",
            "part" => "held in part",
            "script" => "by a script",
            "none" => "open",
            _ => "does not apply",
        }
    }

    /// Returns the number of cases of a test: the printed one, or else its random inputs, or one.
    fn cases(&self, test: &str) -> u64 {
        self.log.cases(test).or_else(|| self.random.get(test).copied()).unwrap_or(1)
    }
}

/// Writes a number with a comma between thousands.
fn with_separators(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns the tests that the tables of a document name.
pub fn tests_in(document: &str) -> BTreeSet<&str> {
    let mut pieces: Vec<&str> = document.split('`').collect();
    let ends_a_test = |after: &str| after.starts_with("<br>") || after.starts_with(" |");
    pieces.push("");
    let named = pieces.windows(2).filter(|pair| is_word(pair[0]) && ends_a_test(pair[1]));
    named.map(|pair| pair[0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        let shown = [0, 999, 1_000, 1_234_567].map(with_separators);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn tests_of_tables_are_found() {
        let found = tests_in("`words` in text, | `one`<br>`two` | 3 |");
        assert_eq!(found, BTreeSet::from(["one", "two"]));
    }
}
