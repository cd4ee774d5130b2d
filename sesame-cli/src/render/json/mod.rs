//! JSON for programs: one object with `schema_version`, and the schema of each command's object,
//! from the same types.

mod envelope;
mod error;
mod extension;
mod objects;
mod outcome;
mod schemas;

pub use outcome::{failure, outcome};
pub use schemas::{names as schema_names, schema, text as schema_text};
