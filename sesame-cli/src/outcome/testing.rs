//! What became of tests.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

/// A file of tests.
#[derive(Debug, JsonSchema, Serialize)]
pub struct TestedFile {
    pub path: PathBuf,
    pub cases: Vec<TestedCase>,
}

/// A test.
#[derive(Debug, JsonSchema, Serialize)]
pub struct TestedCase {
    pub name: String,
    /// The problem, on one or more lines; nothing for a passed test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The output of the extension.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub printed: String,
}

impl TestedFile {
    /// Returns whether one of its tests failed.
    pub fn has_failed(&self) -> bool {
        self.cases.iter().any(|case| case.problem.is_some())
    }
}
