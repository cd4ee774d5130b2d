//! Reads the output of `cargo test -- --show-output`.

use std::collections::HashMap;

use crate::words::is_word;

/// The results of the tests. Tests are known by their names without their modules: of several with
/// one name, all have to pass.
pub struct Log {
    results: HashMap<String, &'static str>,
    cases: HashMap<String, u64>,
}

impl Log {
    /// Reads the results of tests, and the numbers of cases that they print.
    pub fn parse(text: &str) -> Self {
        Self { results: results(text), cases: cases(text) }
    }

    /// Reads the list of `cargo test -- --list`, where another job says whether the tests pass.
    pub fn listed(text: &str) -> Self {
        let name = |line: &str| Some(without_modules(line.strip_suffix(": test")?)?.to_owned());
        let results = text.lines().filter_map(|line| Some((name(line)?, "ok"))).collect();
        Self { results, cases: HashMap::new() }
    }

    /// Returns the result of a test.
    pub fn result(&self, test: &str) -> &'static str {
        self.results.get(test).copied().unwrap_or("not a test")
    }

    /// Returns whether a test ran and passed.
    pub fn passed(&self, test: &str) -> bool {
        self.result(test) == "ok"
    }

    /// Returns the number of cases that a test printed.
    pub fn cases(&self, test: &str) -> Option<u64> {
        self.cases.get(test).copied()
    }
}

/// Removes the modules from the name of a test. A name with spaces is one of a documentation test.
fn without_modules(path: &str) -> Option<&str> {
    let name = path.rsplit("::").next()?;
    (!path.contains(char::is_whitespace) && is_word(name)).then_some(name)
}

fn results(text: &str) -> HashMap<String, &'static str> {
    let mut results = HashMap::new();
    for (name, result) in text.lines().filter_map(result_of) {
        let known = results.get(name).copied();
        if known != Some("FAILED") && (result != "ignored" || known.is_none()) {
            results.insert(name.to_owned(), result);
        }
    }
    results
}

/// Reads a line such as `test room::name ... ok`.
fn result_of(line: &str) -> Option<(&str, &'static str)> {
    let (path, said) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let name = without_modules(path.strip_suffix(" - should panic").unwrap_or(path))?;
    let result = ["ok", "FAILED", "ignored"].into_iter().find(|word| said.starts_with(word))?;
    Some((name, result))
}

/// Reads the last line `cases: N` in the output of each test.
fn cases(text: &str) -> HashMap<String, u64> {
    let (mut cases, mut test) = (HashMap::new(), None);
    for line in text.lines() {
        if let Some(header) = line.strip_prefix("----") {
            test = header.strip_suffix(" stdout ----").and_then(|path| path.strip_prefix(' '));
            test = test.and_then(without_modules);
        } else if line.starts_with("successes:") || line.starts_with("failures:") {
            test = None;
        } else if let (Some(name), Some(count)) = (test, line.strip_prefix("cases: ")) {
            cases.extend(count.parse().ok().map(|count: u64| (name.to_owned(), count)));
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_go_by_the_worst() {
        let log = Log::parse(
            "test a::one ... ok\ntest b::one ... FAILED\ntest c::one ... ok\n\
             test two ... ignored, needs a server\ntest c::two ... ok\n\
             test three - should panic ... ok\ntest src/lib.rs - Four (line 5) ... ok\n\
             test five ... some output\n test six ... ok\n",
        );
        let results = ["one", "two", "three", "Four", "five", "six"].map(|name| log.result(name));
        assert_eq!(results, ["FAILED", "ok", "ok", "not a test", "not a test", "not a test"]);
        assert!(log.passed("two") && !log.passed("one"));
    }

    #[test]
    fn listed_tests_count_as_passed() {
        let log = Log::listed(
            "a::one: test\ntwo: benchmark\nsrc/lib.rs - Four (line 5): test\n\n2 tests, 1 benchmark\n",
        );
        assert!(log.passed("one") && !log.passed("two"));
        assert_eq!(log.results.len(), 1);
    }

    #[test]
    fn last_number_of_cases_counts() {
        let log = Log::parse(
            "successes:\n\n---- a::one stdout ----\ncases: 3\nmore\ncases: 5\n\n\
             ---- two stdout ----\ncases: many\n\nsuccesses:\n    a::one\ncases: 9\n",
        );
        assert_eq!((log.cases("one"), log.cases("two")), (Some(5), None));
    }
}
