//! Modules of Suffiks: their documents and resources in YAML or JSON, questions about workloads, and
//! test files as `extgen wasi test` runs them.

mod difference;
pub mod document;
mod extension_document;
mod resource_directory;
pub mod test_files;
mod test_runner;
pub mod workload;

pub use extension_document::ExtensionDocument;
pub use resource_directory::{ResourceDirectory, ResourceDirectoryError};
