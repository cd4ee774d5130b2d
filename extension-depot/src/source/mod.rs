//! Where extensions come from beside registries: files, OCI layouts, bundles and addresses.
//!
//! A [`Source`] is what a user names. Each kind stages its artifact as a registry does, so that
//! what is installed from a file is checked as what is downloaded.

pub(crate) mod bundle;
mod bundle_reader;
pub(crate) mod layout_source;
pub(crate) mod place;
pub(crate) mod web_address;

pub use bundle::BundleError;
pub use bundle_reader::{Bundle, Bundled};
pub use place::{Source, SourceError, SourceTextError};
pub use web_address::{AddressError, WebAddress};
