//! Features that their makers call experimental, and that extensions can use where they are
//! granted.

use std::fmt;
use std::str::FromStr;

use crate::serde_as_text;

/// A feature that may still change or go: one entry of `experimental`.
///
/// ```
/// assert_eq!("wasi-0.3".parse(), Ok(core_types::Feature::Wasi03));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// `wasi-0.3`: the interfaces of WASI 0.3, with async functions.
    Wasi03,
}

/// An unknown feature name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not an experimental feature; there are {}", name.escape_debug(), Feature::ALL.map(|f| format!("`{f}`")).join(", "))]
pub struct UnknownFeature {
    /// The name as given.
    pub name: String,
}

impl Feature {
    /// Every feature.
    pub const ALL: [Self; 1] = [Self::Wasi03];

    /// Returns the name in `experimental`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wasi03 => "wasi-0.3",
        }
    }
}

impl FromStr for Feature {
    type Err = UnknownFeature;

    fn from_str(name: &str) -> Result<Self, UnknownFeature> {
        let found = Self::ALL.into_iter().find(|feature| feature.name() == name);
        found.ok_or_else(|| UnknownFeature { name: name.to_owned() })
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

serde_as_text!(Feature);

#[cfg(test)]
mod tests {
    use super::*;

    /// Names are compared exactly, and the error lists those that there are.
    #[test]
    fn feature_name_unknown_lists_the_known() {
        assert_eq!("wasi-0.3".parse(), Ok(Feature::Wasi03));
        for bad in ["", "wasi", "wasi-0.3.0", "WASI-0.3", "wasi-0.4", "*"] {
            assert!(bad.parse::<Feature>().is_err(), "{bad:?}");
        }
        let error = "wasi-0.4".parse::<Feature>().expect_err("unknown");
        assert_eq!(
            error.to_string(),
            "`wasi-0.4` is not an experimental feature; there are `wasi-0.3`"
        );
    }
}
