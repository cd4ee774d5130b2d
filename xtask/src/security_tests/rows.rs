//! Reads the rows of the test matrix.

use std::path::Path;

use serde::Deserialize;

use crate::problem::{Problem, Result};

/// One row of the test matrix.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The number of the row.
    pub id: u32,
    /// The section of the document.
    pub section: String,
    /// The attack.
    pub name: String,
    /// The right outcome.
    pub wants: String,
    /// The tests that hold it.
    pub tests: Vec<String>,
    /// How far it holds: `whole`, `part`, `script`, `none` or `not-applicable`.
    pub holds: String,
    /// The gap, and notes.
    #[serde(default)]
    pub but: String,
}

#[derive(Deserialize)]
struct Rows {
    row: Vec<Row>,
}

/// Reads the rows from their file.
pub fn read(path: &Path) -> Result<Vec<Row>> {
    let rows: Rows = toml::from_str(&crate::repository::read(path)?)
        .map_err(|error| Problem::of_file(path, &error))?;
    Ok(rows.row)
}
