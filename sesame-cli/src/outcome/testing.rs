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
    /// What is wrong, on one or more lines; nothing when it passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What the extension printed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub printed: String,
}

impl TestedFile {
    /// Whether a test of it has failed.
    pub fn has_failed(&self) -> bool {
        self.cases.iter().any(|case| case.problem.is_some())
    }
}
