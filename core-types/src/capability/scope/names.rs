//! The names that a capability can be narrowed to: secrets and environment variables.

use std::fmt;
use std::str::FromStr;

use crate::serde_as_text;

/// The name of a secret of one extension: 1 to 128 letters, digits, `.`, `_` and `-`, not starting
/// with `.` or `-`.
///
/// ```
/// assert!("github-token".parse::<core_types::SecretName>().is_ok());
/// assert!("../token".parse::<core_types::SecretName>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

/// The name of an environment variable: letters, digits and `_`, not starting with a digit.
///
/// ```
/// assert!("LANG".parse::<core_types::EnvName>().is_ok());
/// assert!("LANG=C".parse::<core_types::EnvName>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvName(String);

/// Why a text cannot narrow a capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a {kind}", text.escape_debug())]
pub struct ScopeError {
    /// The text as given.
    pub text: String,
    /// The expected kind of name, with an example.
    pub kind: &'static str,
}

impl SecretName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl EnvName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_secret_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=128).contains(&text.len()) && text.bytes().all(fits) && !text.starts_with(['.', '-'])
}

fn is_env_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=128).contains(&text.len())
        && text.bytes().all(fits)
        && !text.starts_with(|c: char| c.is_ascii_digit())
}

macro_rules! checked_text {
    ($type:ident, $check:ident, $kind:literal) => {
        impl FromStr for $type {
            type Err = ScopeError;

            fn from_str(text: &str) -> Result<Self, ScopeError> {
                if $check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(ScopeError { text: text.to_owned(), kind: $kind })
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        serde_as_text!($type);
    };
}

checked_text!(
    SecretName,
    is_secret_name,
    "name of a secret; it has letters, digits, `.`, `_` and `-`, such as `github-token`"
);
checked_text!(EnvName, is_env_name, "name of an environment variable, such as `LANG`");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GrantedPath;

    /// Scopes that could mean something else are refused.
    #[test]
    fn ambiguous_scopes_are_refused() {
        for bad in ["", ".x", "-x", "a/b", "a b", "é", "a\n"] {
            assert!(bad.parse::<SecretName>().is_err(), "{bad:?}");
        }
        for bad in ["", "1A", "A=", "A B", "A-B", "é"] {
            assert!(bad.parse::<EnvName>().is_err(), "{bad:?}");
        }
        for bad in
            ["", "Documents", "./x", "~user/x", "/a/../b", "~/..", "/a/./b", "~x", "/a\0b", "/a\n"]
        {
            assert!(bad.parse::<GrantedPath>().is_err(), "{bad:?}");
        }
        for good in ["~", "~/Documents", "/srv/data", "/"] {
            assert!(good.parse::<GrantedPath>().is_ok(), "{good:?}");
        }
    }
}
