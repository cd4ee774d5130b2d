//! Patterns over dotted names: configuration keys and topics.

use std::fmt;
use std::str::FromStr;

use crate::serde_as_text;

/// A dotted name, or everything below one: `greeting.template`, `greeting.*` or `*`.
///
/// `greeting.*` covers `greeting.template` and `greeting.a.b`, but neither `greeting` nor
/// `greetings.x`.
///
/// ```
/// let pattern: core_types::Pattern = "greeting.*".parse()?;
/// assert!(pattern.covers("greeting.template"));
/// assert!(!pattern.covers("greetings.x"));
/// # Ok::<(), core_types::PatternError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(String);

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not a pattern: write a dotted name such as `greeting.template`, or `greeting.*` for all below `greeting`",
    text.escape_debug()
)]
pub struct PatternError {
    /// The text as given.
    pub text: String,
}

impl Pattern {
    /// Tells whether the pattern covers the name.
    pub fn covers(&self, name: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(prefix) => name.len() > prefix.len() && name.starts_with(prefix),
            None => self.0 == name,
        }
    }

    /// Tells whether the pattern covers every name.
    pub fn is_everything(&self) -> bool {
        self.0 == "*"
    }

    /// Tells whether the pattern covers every name that the other one covers.
    pub(crate) fn covers_all(&self, other: &Self) -> bool {
        match other.0.strip_suffix('*') {
            Some(prefix) => self.0.strip_suffix('*').is_some_and(|own| prefix.starts_with(own)),
            None => self.covers(&other.0),
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        };
        let valid = match text.strip_suffix(".*") {
            Some(prefix) => prefix.split('.').all(is_word),
            None => text == "*" || text.split('.').all(is_word),
        };
        if valid { Ok(Self(text.to_owned())) } else { Err(PatternError { text: text.to_owned() }) }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

serde_as_text!(Pattern);

#[cfg(test)]
mod tests {
    use super::*;

    /// A pattern covers itself or what is below.
    #[test]
    fn pattern_covers_itself_or_below() {
        let covers = |pattern: &str, name| pattern.parse::<Pattern>().expect(pattern).covers(name);
        assert!(covers("greeting.template", "greeting.template"));
        assert!(!covers("greeting.template", "greeting.template.x"));
        assert!(covers("greeting.*", "greeting.a.b"));
        assert!(!covers("greeting.*", "greeting"));
        assert!(!covers("greeting.*", "greeting."));
        assert!(!covers("greeting.*", "greetings.x"));
        assert!(covers("*", "anything"));
        assert!(!covers("*", ""));
    }

    /// A wider pattern covers a narrower one.
    #[test]
    fn wide_pattern_covers_narrow() {
        let covers = |wide: &str, narrow: &str| {
            wide.parse::<Pattern>().expect(wide).covers_all(&narrow.parse().expect(narrow))
        };
        assert!(
            covers("*", "a.*")
                && covers("a.*", "a.b.*")
                && covers("a.*", "a.b")
                && covers("a", "a")
        );
        assert!(
            !covers("a.b.*", "a.*")
                && !covers("a", "a.*")
                && !covers("a.*", "*")
                && !covers("a.*", "ab.*")
        );
    }

    #[test]
    fn a_star_stands_only_for_a_whole_rest() {
        for text in ["", ".", "a.", ".a", "a*", "*.a", "a.*.b", "**", "a..b", "a/b", "a b"] {
            assert!(text.parse::<Pattern>().is_err(), "{text:?} must be refused");
        }
    }
}
