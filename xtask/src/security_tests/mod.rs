//! Writes docs/security-tests.md: each row of the test matrix with its tests and their results.
//!
//! The log is the output of `cargo test --workspace -- --include-ignored --show-output`, the rows
//! are those of tests/security-rows.toml. With `--check` nothing is written: it fails where a row
//! names a test that does not exist or did not pass, and where the document lacks a test of the
//! rows. A row that holds in part names the gap. With `--listed` the log is the output of
//! `cargo test --workspace --lib --bins --tests -- --list`: a test that exists counts as passed.

mod log;
mod page;
mod properties;
mod rows;

use std::path::Path;

use crate::arguments::Arguments;
use crate::problem::{Problem, Result};
use crate::repository::{read, root, write};
use log::Log;
use page::Page;
use rows::Row;

/// Runs the task.
pub fn run(words: &[String]) -> Result<()> {
    let mut arguments = Arguments::new(words);
    let (is_check, is_listed) = (arguments.flag("--check"), arguments.flag("--listed"));
    let text = read(Path::new(&arguments.one("the log of the tests")?))?;
    let log = if is_listed { Log::listed(&text) } else { Log::parse(&text) };
    let rows = rows::read(&root().join("tests/security-rows.toml"))?;
    let document = root().join("docs/security-tests.md");
    if !is_check {
        let random = properties::of_repository(&root())?;
        return write(&document, &Page { rows: &rows, log: &log, random: &random }.to_text());
    }
    check(&rows, &log, &read(&document)?)
}

/// Checks the rows against the log and the document.
fn check(rows: &[Row], log: &Log, document: &str) -> Result<()> {
    let wrong = problems(rows, log, document);
    if !wrong.is_empty() {
        return Err(Problem::new(wrong.join("\n")));
    }
    println!("{} rows of the test matrix, with all their tests", rows.len());
    Ok(())
}

fn problems(rows: &[Row], log: &Log, document: &str) -> Vec<String> {
    let written = page::tests_in(document);
    let mut wrong = Vec::new();
    for row in rows {
        for test in &row.tests {
            if !log.passed(test) {
                wrong.push(format!("row {}: {test}: {}", row.id, log.result(test)));
            }
            if !written.contains(test.as_str()) {
                wrong.push(format!("security-tests.md does not name {test}"));
            }
        }
        if row.holds != "whole" && row.but.is_empty() {
            let id = &row.id;
            wrong.push(format!("row {id} holds in part and does not say what is missing"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(tests: &[&str], holds: &str, but: &str) -> Row {
        let tests = tests.iter().map(|&name| name.to_owned()).collect();
        let [section, name, wants] = ["6.1", "attack", "refused"].map(str::to_owned);
        Row { id: 1, section, name, wants, tests, holds: holds.to_owned(), but: but.to_owned() }
    }

    #[test]
    fn failed_and_missing_tests_are_found() {
        let log = Log::parse("test a::good ... ok\ntest bad ... FAILED\n");
        let document = "| x | y | `good`<br>`bad` | 1 |";
        let rows = [row(&["good", "bad", "gone"], "whole", ""), row(&["good"], "part", "")];
        assert_eq!(
            problems(&rows, &log, document),
            [
                "row 1: bad: FAILED",
                "row 1: gone: not a test",
                "security-tests.md does not name gone",
                "row 1 holds in part and does not say what is missing",
            ]
        );
        assert!(check(&[row(&["good"], "part", "gap")], &log, document).is_ok());
    }
}
