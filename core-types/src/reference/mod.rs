//! Names and sources of extensions: references to OCI registries, the digests that pin them, and
//! the order of versions in tags.

mod digest;
mod identity;
mod name;
mod oci_reference;
mod provenance;
mod query;
mod reader;
mod reference_error;
mod registry_name;
mod version;

pub use digest::{Digest, DigestError};
pub use identity::Identity;
pub use name::{ExtensionName, NameError};
pub use oci_reference::OciReference;
pub use provenance::Provenance;
pub use query::{OciPrefix, OciQuery};
pub use reference_error::{ReferenceError, ReferenceProblem};
pub(crate) use registry_name::in_brackets;
pub use registry_name::{canonical_registry, without_brackets};
pub use version::{
    compare_tags, is_same_version, newer_tags, newest_tag, newest_tag_within, version_of_tag,
};
