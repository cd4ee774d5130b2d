//! Names and sources of extensions: references to OCI registries, the digests that pin them, and
//! the order of versions in tags.

mod digest;
mod name;
mod oci_reference;
mod query;
mod registry_name;
mod version;

pub use digest::{Digest, DigestError};
pub use name::{ExtensionName, NameError};
pub use oci_reference::{Identity, OciReference, Provenance, ReferenceError, ReferenceProblem};
pub use query::{OciPrefix, OciQuery};
pub use registry_name::canonical_registry;
pub use version::{
    compare_tags, is_same_version, newer_tags, newest_tag, newest_tag_within, version_of_tag,
};
