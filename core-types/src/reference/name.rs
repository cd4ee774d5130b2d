//! The name of an extension on this machine.

use std::fmt;
use std::str::FromStr;

use crate::serde_as_text;

/// The short name of an installed extension: 1 to 64 characters out of `a-z`, `0-9` and `-`, not
/// starting with `-`.
///
/// It is a file name on every file system, cannot leave a directory, and looks the same to
/// everybody.
///
/// ```
/// assert_eq!("weather".parse::<core_types::ExtensionName>()?.as_str(), "weather");
/// assert!("../weather".parse::<core_types::ExtensionName>().is_err());
/// # Ok::<(), core_types::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionName(String);

/// Why a text is not the name of an extension.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not an extension name: a name has 1 to 64 characters out of `a-z`, `0-9` and `-`, and starts with a letter or digit",
    text.escape_debug()
)]
pub struct NameError {
    /// The text as given.
    pub text: String,
}

/// The name of an extension without one.
impl Default for ExtensionName {
    fn default() -> Self {
        Self("extension".to_owned())
    }
}

impl ExtensionName {
    /// The maximum of characters: short enough for file names and for tables.
    pub const MAX_LENGTH: usize = 64;

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name that is nearest to the name of a file or repository: the text itself where
    /// it is a name, else in lower case, with words between `_`, `.`, spaces and `-` joined by one
    /// `-` each.
    ///
    /// ```
    /// use core_types::ExtensionName;
    ///
    /// assert_eq!(ExtensionName::nearest("My_app")?.as_str(), "my-app");
    /// assert_eq!(ExtensionName::nearest("my--app")?.as_str(), "my--app");
    /// # Ok::<(), core_types::NameError>(())
    /// ```
    ///
    /// # Errors
    /// When that is not a name either: no other characters are guessed.
    pub fn nearest(text: &str) -> Result<Self, NameError> {
        let given = text.parse::<Self>();
        if given.is_ok() {
            return given;
        }
        // Of ASCII only: letters of other alphabets can look like a name in lower case.
        let lower = text.to_ascii_lowercase();
        let words = lower.split(['_', '.', ' ', '-']).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join("-").parse::<Self>().or(given)
    }
}

impl FromStr for ExtensionName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let valid = (1..=Self::MAX_LENGTH).contains(&text.len())
            && !text.starts_with('-')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if valid { Ok(Self(text.to_owned())) } else { Err(NameError { text: text.to_owned() }) }
    }
}

impl fmt::Display for ExtensionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

serde_as_text!(ExtensionName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_names() {
        for name in ["a", "0", "greeting-extension", "a--b", "x-", &"n".repeat(64)] {
            assert_eq!(name.parse::<ExtensionName>().expect(name).as_str(), name);
        }
    }

    /// Anything that could be a path a flag or a look alike is refused.
    #[test]
    fn ambiguous_name_is_refused() {
        let long = "n".repeat(65);
        for name in [
            "",
            ".",
            "..",
            "/x",
            "a/b",
            "a\\b",
            "a\0b",
            "-x",
            "A",
            "a.b",
            "a_b",
            "a b",
            "a\n",
            "\u{430}",
            "a\u{2011}b",
            "é",
            "🙂",
            "\u{202e}a",
            "a\u{200b}",
            "~",
            "$HOME",
            "a:b",
            "a@b",
            "%2e",
            "nul.",
            &long,
        ] {
            assert!(name.parse::<ExtensionName>().is_err(), "{name:?} must be refused");
        }
    }

    /// Names of files and repositories become names, and look-alikes do not. An error has the text
    /// as it was given.
    #[test]
    fn nearest_name_joins_words() {
        for (text, expected) in [
            ("weather", "weather"),
            ("a--b", "a--b"),
            ("x-", "x-"),
            ("my_app", "my-app"),
            ("My App.v2", "my-app-v2"),
            ("__-My_._app-_", "my-app"),
        ] {
            assert_eq!(ExtensionName::nearest(text).expect(text).as_str(), expected);
        }
        let long = format!("a_{}", "n".repeat(63));
        // The last but one is the sign of the kelvin, which is `k` in lower case.
        for text in ["", "_", "é", "Ü_x", "a/b", "a\n", "\u{212a}", &long] {
            assert_eq!(ExtensionName::nearest(text).expect_err("not a name").text, text);
        }
    }

    /// The message shows control characters escaped.
    #[test]
    fn control_characters_are_escaped() {
        let error = "a\u{1b}[2J".parse::<ExtensionName>().expect_err("not a name");
        assert!(!error.to_string().contains('\u{1b}'));
    }
}
