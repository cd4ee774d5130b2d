//! A failure as an object.

use schemars::JsonSchema;
use serde::Serialize;

use crate::failure::{Failure, Refused};

/// A failure: its kind, its exit code, and the parts of its message.
#[derive(Serialize, JsonSchema)]
pub(super) struct ErrorObject {
    /// The kind, such as `not-found`, by which programs decide.
    pub kind: &'static str,
    /// The exit code.
    pub code: i32,
    /// What failed.
    pub message: String,
    /// Why, from the nearest cause on.
    pub causes: Vec<String>,
    /// More lines for a person.
    pub details: Vec<String>,
    /// What helps, with a command where one does.
    pub hints: Vec<String>,
    /// Permissions that were refused.
    pub refused: Vec<Refused>,
}

impl From<&Failure> for ErrorObject {
    fn from(failure: &Failure) -> Self {
        Self {
            kind: failure.code().name(),
            code: failure.code().number(),
            message: failure.to_string(),
            causes: failure.causes(),
            details: failure.details().to_owned(),
            hints: failure.hints().to_owned(),
            refused: failure.refused().to_owned(),
        }
    }
}
