//! The documents and blobs that artifacts consist of, as the [OCI image
//! specification](https://github.com/opencontainers/image-spec) has them.
//!
//! Everything here comes from untrusted hands: documents are bounded as they are parsed, layers are
//! chosen by media type and content, and bytes count only once their digest was checked.

pub(crate) mod artifact;
pub(crate) mod artifact_kind;
pub(crate) mod attachment;
pub(crate) mod binary;
pub(crate) mod blob;
pub(crate) mod bounded_json;
pub(crate) mod descriptor;
pub(crate) mod document;
pub(crate) mod image;
pub(crate) mod image_error;
mod layer_choice;
pub mod media_type;
pub(crate) mod publication;

pub use artifact::{Artifact, ArtifactError};
pub use attachment::Attachment;
pub use binary::Binary;
pub use blob::{BlobError, digest_of, read_blob};
pub use descriptor::{CREATED, Descriptor, MAX_BLOB, VERSION};
pub use image::ImageManifest;
pub use image_error::ImageError;
pub use publication::{Description, Publication};
