//! Where extensions come from beside registries: files, OCI layouts, bundles and addresses.
//!
//! A [`Source`] is named by the user. Each kind stages its artifact as a registry does, so that a
//! file is checked as a download is.

pub(crate) mod bundle;
mod bundle_reader;
mod bundled_storage;
pub(crate) mod layout_source;
pub(crate) mod place;
pub(crate) mod source_error;
mod staged_binary;
pub(crate) mod staging;
pub(crate) mod web_address;

pub use bundle::{BundleContents, BundleError};
pub use bundle_reader::{Bundle, Bundled};
pub use bundled_storage::BundledStorage;
pub use place::{Source, SourceTextError};
pub use source_error::SourceError;
pub use staging::{Staged, StagingError};
pub use web_address::{AddressError, WebAddress};
