//! How well something is.

use serde::Serialize;

/// How well something is.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// It is as it should be.
    Good,
    /// It works, but not all of it.
    Warning,
    /// It does not work.
    Bad,
}

impl Health {
    /// Returns the state in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}
