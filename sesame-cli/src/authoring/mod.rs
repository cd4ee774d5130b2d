//! The work of an author: building a project, installing it for `dev`, and running its test cases
//! in the real host. `project/` has the projects themselves.

mod binary_file;
pub mod build;
mod case_directory;
mod development;
mod extension_test_runner;

pub use binary_file::read_binary;
pub use development::Development;
pub use extension_test_runner::{Bench, CaseFile};
