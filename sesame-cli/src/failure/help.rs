//! The help that goes with an error.

use std::error::Error;

use core_types::{ExtensionName, Touch};
use schemars::JsonSchema;
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::outcome::Denied;

/// The help that goes with an error: the exit code, and what a person or a program can do.
#[derive(Debug)]
pub struct Help {
    /// The exit code.
    pub code: ExitCode,
    /// Further lines, such as the functions that can be called.
    pub details: Vec<String>,
    /// Commands or actions that help, the most helpful first.
    pub hints: Vec<String>,
    /// Refused or denied permissions, for programs.
    pub refused: Vec<Refused>,
    /// The unknown extension, so that a similar name can be suggested.
    pub(super) unknown: Option<ExtensionName>,
}

impl Help {
    /// Starts with an exit code alone.
    pub fn new(code: impl Into<ExitCode>) -> Self {
        Self {
            code: code.into(),
            details: Vec::new(),
            hints: Vec::new(),
            refused: Vec::new(),
            unknown: None,
        }
    }

    /// Adds a detail.
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        self.with_details([detail.into()])
    }

    /// Adds details.
    pub fn with_details(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details);
        self
    }

    /// Adds a hint behind those that are there.
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        self.with_hints([hint.into()])
    }

    /// Adds hints behind those that are there, such as the one of an `Option`. Each stands once.
    pub fn with_hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        for hint in hints {
            if !self.hints.contains(&hint) {
                self.hints.push(hint);
            }
        }
        self
    }

    /// Adds a hint before those that are there.
    pub fn with_first_hint(mut self, hint: impl Into<String>) -> Self {
        let others = std::mem::take(&mut self.hints);
        self.with_hint(hint).with_hints(others)
    }
}

/// An error with help of its own, whatever it is about.
pub trait Explain: Error + Send + Sync + 'static {
    /// Returns the help.
    fn help(&self) -> Help;
}

/// Gives errors help that is a kind alone.
macro_rules! explain {
    ($($error:ty: $kind:ident),+ $(,)?) => {$(
        impl Explain for $error {
            fn help(&self) -> Help {
                Help::new(core_types::ErrorKind::$kind)
            }
        }
    )+};
}
pub(super) use explain;

/// Gives errors that only pass other errors on the help of those.
macro_rules! explain_by_source {
    ($($error:ident: $($variant:ident),+;)+) => {$(
        impl Explain for $error {
            fn help(&self) -> Help {
                match self {
                    $(Self::$variant(error) => error.help(),)+
                }
            }
        }
    )+};
}
pub(super) use explain_by_source;

/// A permission that an extension was refused.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Refused {
    /// The resource or capability.
    what: String,
    /// The rule and its place, if there is one.
    rule: Option<String>,
    /// The grant that would help, if one would.
    grant: Option<String>,
}

impl From<&Denied> for Refused {
    fn from(denied: &Denied) -> Self {
        Self {
            what: denied.request().to_owned(),
            rule: denied.policy.clone(),
            grant: denied.policy.is_none().then(|| denied.grant.clone()),
        }
    }
}

impl From<&Touch> for Refused {
    fn from(touch: &Touch) -> Self {
        Self {
            what: touch.request.to_string(),
            rule: touch.refusal.as_ref().map(ToString::to_string),
            grant: touch.grant(),
        }
    }
}

#[cfg(test)]
mod tests {
    use core_types::ErrorKind;

    use super::*;

    /// A second hint joins the first instead of taking its place.
    #[test]
    fn hints_are_kept_in_order() {
        let help = Help::new(ErrorKind::Local).with_hint("one").with_hint("two").with_hint("one");
        assert_eq!(help.hints, ["one", "two"]);
        assert_eq!(help.with_first_hint("two").hints, ["two", "one"]);
    }
}
