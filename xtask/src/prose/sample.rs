//! The prose of a file, a crate or the whole tree.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

static FUNCTION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:pub(?:\([^)]*\))? )?(?:const )?(?:async )?(?:unsafe )?fn \w+"));
static TEST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"#\[(?:tokio::)?test[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:async )?fn (\w+)")
});
static CODE: LazyLock<Regex> = LazyLock::new(|| pattern("`[^`]*`"));

/// Compiles a pattern of this program.
pub fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a well-formed pattern")
}

/// A line of prose.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its file.
    pub path: PathBuf,
    /// Its number.
    pub line: usize,
    /// Its text.
    pub text: String,
}

/// The prose of a file or of several.
#[derive(Debug, Default)]
pub struct Sample {
    /// The comments in product code.
    pub comments: Vec<Line>,
    /// The comments in tests.
    pub test_comments: Vec<Line>,
    /// Documents without their code.
    pub markdown: Vec<Line>,
    /// The first lines of the documentation of functions.
    pub first_lines: Vec<Line>,
    /// The lengths of the names of tests.
    pub names: Vec<usize>,
}

impl Sample {
    /// Reads a source file, whose unit tests are tests.
    pub fn of_source(path: &Path, text: &str, is_product: bool) -> Self {
        let names = TEST.captures_iter(text).map(|test| test[1].len()).collect();
        let mut sample = Self { names, ..Self::default() };
        let product = if is_product { lines_of_product(text) } else { 0 };
        let mut documented = None;
        for (index, line) in text.lines().map(str::trim).enumerate() {
            let is_product = index < product;
            let place =
                |text: &str| Line { path: path.to_owned(), line: index + 1, text: text.to_owned() };
            if line.starts_with("///") || line.starts_with("//!") || line.starts_with("// ") {
                let comments =
                    if is_product { &mut sample.comments } else { &mut sample.test_comments };
                comments.push(place(line));
            }
            if let Some(text) = line.strip_prefix("///") {
                documented = documented.or_else(|| Some(text.trim()).filter(|it| !it.is_empty()));
            } else if FUNCTION.is_match(line) {
                let first = documented.take().filter(|_| is_product);
                sample.first_lines.extend(first.map(place));
            } else if !line.is_empty() && !line.starts_with("#[") {
                documented = None;
            }
        }
        sample
    }

    /// Reads a document.
    pub fn of_document(path: &Path, text: &str) -> Self {
        let (mut sample, mut is_code) = (Self::default(), false);
        for (index, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                is_code = !is_code;
            } else if !is_code {
                let text = CODE.replace_all(line, "").into_owned();
                sample.markdown.push(Line { path: path.to_owned(), line: index + 1, text });
            }
        }
        sample
    }

    /// Adds another sample.
    pub fn add(&mut self, other: &Self) {
        self.comments.extend_from_slice(&other.comments);
        self.test_comments.extend_from_slice(&other.test_comments);
        self.markdown.extend_from_slice(&other.markdown);
        self.first_lines.extend_from_slice(&other.first_lines);
        self.names.extend_from_slice(&other.names);
    }

    /// Returns whether there are comments of code.
    pub fn has_sources(&self) -> bool {
        !self.comments.is_empty() || !self.test_comments.is_empty()
    }
}

/// Returns the number of lines before the unit tests.
fn lines_of_product(text: &str) -> usize {
    let is_start = |line: &str| line.starts_with("#[cfg(test)]");
    text.lines().position(is_start).unwrap_or_else(|| text.lines().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_tests_are_tests() {
        let text = "/// Reads a.\n/// More.\n#[inline]\npub(crate) fn a() {}\n// b\n/// C.\nstruct C;\n\
                    fn d() {}\n#[cfg(test)]\nmod tests {\n    // e\n    /// Tests f.\n    #[test]\n    \
                    #[ignore = \"slow\"]\n    fn f_works() {}\n}\n";
        let sample = Sample::of_source(Path::new("a.rs"), text, true);
        let texts = |lines: &[Line]| lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&sample.comments), ["/// Reads a.", "/// More.", "// b", "/// C."]);
        assert_eq!(texts(&sample.test_comments), ["// e", "/// Tests f."]);
        assert_eq!(texts(&sample.first_lines), ["Reads a."]);
        assert_eq!((sample.names, sample.comments[2].line), (vec![7], 5));
        let sample = Sample::of_source(Path::new("a.rs"), text, false);
        assert!(sample.comments.is_empty() && sample.first_lines.is_empty());
    }

    #[test]
    fn code_is_not_prose() {
        let sample = Sample::of_document(Path::new("a.md"), "a `b` c\n```sh\nd\n```\ne\n");
        let texts: Vec<_> = sample.markdown.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["a  c", "e"]);
    }
}
