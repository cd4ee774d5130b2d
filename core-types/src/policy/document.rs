//! The files that rules stand in, and the lines of the rules.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::capability::{Capability, Grant};
use crate::documents::line_of_value;
use crate::event::EventPattern;

/// A file that rules stand in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Where it lies.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// A line of a file.
///
/// ```
/// let place = core_types::Place { path: "x.toml".into(), line: Some(4) };
/// assert_eq!(place.to_string(), "x.toml:4");
/// ```
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1; nothing when the rule is that something does not stand there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

impl Document {
    /// Returns a place in it. A document without a file has none.
    pub(crate) fn place(&self, line: Option<usize>) -> Option<Place> {
        (self.path != Path::new("")).then(|| Place { path: self.path.clone(), line })
    }

    /// Returns the line of a policy that denies a capability.
    pub(crate) fn line_of_denial(&self, capability: Capability) -> Option<usize> {
        self.line_of_rule("deny", capability.name())
    }

    /// Returns the line of a policy that denies events.
    pub(crate) fn line_of_denied_event(&self, pattern: &EventPattern) -> Option<usize> {
        self.line_of_rule("deny_events", &pattern.to_string())
    }

    /// Returns the line of a value in a list of a policy.
    fn line_of_rule(&self, list: &str, value: &str) -> Option<usize> {
        let line = |keys: &[&str]| line_of_value(&self.text, keys, value);
        line(&[list]).or_else(|| line(&["extensions", "policy", list]))
    }

    /// Returns the line of a manifest that a grant stands in.
    pub(crate) fn line_of_grant(&self, grant: &Grant) -> Option<usize> {
        let table = ["capabilities", grant.capability().name()];
        let keys = [&table[..], grant.list().as_slice()].concat();
        line_of_value(&self.text, &keys, &grant.scope().to_string())
    }

    /// Returns the line of a manifest that its grants begin in.
    pub(crate) fn line_of_grants(&self) -> Option<usize> {
        line_of_value(&self.text, &["capabilities"], "")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}
