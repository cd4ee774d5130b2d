//! Extensions in one file: putting them there, and installing them from it.

mod error;
mod export;
mod import;

pub use error::BundlesError;
pub use export::ExportOptions;
pub use import::ImportOptions;
