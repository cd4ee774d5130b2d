//! The callers of an extension over the session bus.

use std::fmt;
use std::str::FromStr;

use crate::serde_as_text;

/// The longest id of an application, in bytes: that of names on a bus.
const MAX_ID: usize = 255;

/// The `[service]` table of a manifest: who may call the extension over the session bus. An author
/// cannot say it.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Service {
    /// `functions`: the functions that callers in a sandbox can call. Default: every exported one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub functions: Option<Vec<String>>,
    /// `sandboxed`: the applications of Flatpak or Snap that may call it, by their ids. Default:
    /// none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sandboxed: Vec<ApplicationId>,
}

impl Service {
    /// Tells whether nothing is said.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The id of an application in a sandbox, such as `org.gnome.Maps`.
///
/// ```
/// assert!("org.gnome.Maps".parse::<core_types::ApplicationId>().is_ok());
/// assert!("org/gnome".parse::<core_types::ApplicationId>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApplicationId(String);

/// Why a text is not the id of an application.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not the id of an application, such as `org.gnome.Maps`", text.escape_debug())]
pub struct ApplicationIdError {
    /// The text.
    pub text: String,
}

impl ApplicationId {
    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ApplicationId {
    type Err = ApplicationIdError;

    fn from_str(text: &str) -> Result<Self, ApplicationIdError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let is_id = (1..=MAX_ID).contains(&text.len()) && text.chars().all(fits);
        is_id
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| ApplicationIdError { text: text.to_owned() })
    }
}

impl fmt::Display for ApplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

serde_as_text!(ApplicationId);
