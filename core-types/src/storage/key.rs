//! The key of a value.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use crate::serde_as_text;

/// The longest key, in characters: a path of a few parts.
const MAX_LENGTH: usize = 128;

/// The key of a value that an extension keeps: 1 to 128 characters of `a-z`, `0-9`, `.`, `_`, `-`
/// and `/`, beginning with a letter or digit. It is a name and never a path.
///
/// ```
/// assert!("answers/oslo".parse::<core_types::StorageKey>().is_ok());
/// assert!("../answers".parse::<core_types::StorageKey>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageKey(String);

/// A text that is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a key of storage, such as `answers/oslo`: 1 to 128 characters of `a-z`, `0-9`, `.`, `_`, `-` and `/`, beginning with a letter or digit", self.shown())]
pub struct StorageKeyError {
    /// The text as given.
    pub text: String,
}

impl StorageKeyError {
    /// Returns the text in one line, and not much more of it than a key has.
    fn shown(&self) -> String {
        let text: String = self.text.chars().take(MAX_LENGTH).collect();
        let rest = if text.len() < self.text.len() { "…" } else { "" };
        format!("{}{rest}", text.escape_debug())
    }
}

impl StorageKey {
    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_key(text: &str) -> bool {
    let begins = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = |byte: u8| begins(byte) || matches!(byte, b'.' | b'_' | b'-' | b'/');
    text.len() <= MAX_LENGTH && text.bytes().next().is_some_and(begins) && text.bytes().all(fits)
}

impl FromStr for StorageKey {
    type Err = StorageKeyError;

    fn from_str(text: &str) -> Result<Self, StorageKeyError> {
        let key = is_key(text).then(|| Self(text.to_owned()));
        key.ok_or_else(|| StorageKeyError { text: text.to_owned() })
    }
}

impl fmt::Display for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// For look-ups by text.
impl Borrow<str> for StorageKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

serde_as_text!(StorageKey);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_plain_names() {
        let longest = format!("a{}", "/".repeat(127));
        for good in ["a", "0", "answers/oslo", "a..b", "a-b_c.d", &longest] {
            assert_eq!(good.parse::<StorageKey>().expect(good).as_str(), good);
        }
        let overlong = format!("{longest}a");
        for bad in ["", "A", "../x", "/a", ".a", "-a", "_a", "a b", "a\n", "a\0", "é", &overlong] {
            assert!(bad.parse::<StorageKey>().is_err(), "{bad:?}");
        }
    }

    /// The error of a hostile key is one short line.
    #[test]
    fn error_is_short() {
        let error = format!("\u{1b}[2J{}", "x".repeat(10_000)).parse::<StorageKey>();
        let text = error.expect_err("not a key").to_string();
        assert!(text.len() < 400 && !text.contains('\u{1b}'), "{text}");
    }
}
