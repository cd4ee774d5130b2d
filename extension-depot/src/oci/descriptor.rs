//! Descriptors, which point at blobs, and their annotations.

use std::collections::BTreeMap;

use core_types::Digest;
use serde::{Deserialize, Serialize};

use crate::oci::blob::digest_of;
use crate::oci::bounded_json;

/// The annotation for the version.
pub const VERSION: &str = "org.opencontainers.image.version";
/// The annotation for the description.
pub(crate) const DESCRIPTION: &str = "org.opencontainers.image.description";
/// The annotation that names a layer's file.
pub(crate) const TITLE: &str = "org.opencontainers.image.title";
/// The annotation by which BuildKit marks entries of an index that are not images.
const BUILDKIT_REFERENCE: &str = "vnd.docker.reference.type";
/// The annotation for the time at which something was made.
pub const CREATED: &str = "org.opencontainers.image.created";
/// The annotation that names an entry of a layout's index.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation that says where an entry of a bundle came from.
pub(crate) const ORIGIN: &str = "open-sesame.reference";
/// The annotation with the schedules of an entry of a bundle, as the user has them, in TOML.
pub(crate) const SCHEDULES: &str = "open-sesame.schedules";
/// The largest image manifest or index, in bytes, as registries themselves bound it.
pub(crate) const MAX_MANIFEST: u64 = 4 << 20;
/// The largest layer or configuration, in bytes: interpreters compiled to WebAssembly have some 40
/// MiB.
pub const MAX_BLOB: u64 = 64 << 20;
/// The largest blob of a referrer, in bytes.
#[cfg(feature = "registry")]
pub(crate) const MAX_REFERRED: u64 = 4 << 20;

/// Points at a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type of the blob.
    pub media_type: String,
    /// Its bytes' name.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// Places to fetch it from that are not the registry. Never followed; an artifact that needs
    /// them is refused.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "bounded_json::null_as_default"
    )]
    pub urls: Vec<String>,
    /// The kind of artifact, for entries of an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The platform, for entries of an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Whatever else is said of it.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "bounded_json::annotations"
    )]
    pub annotations: BTreeMap<String, String>,
}

/// The platform of an entry of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// Such as `wasm`.
    pub architecture: String,
    /// Such as `wasip2`.
    pub os: String,
}

impl Descriptor {
    /// Points at a blob of this digest and size.
    pub(crate) fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            urls: Vec::new(),
            artifact_type: None,
            platform: None,
            annotations: BTreeMap::new(),
        }
    }

    /// Describes some bytes.
    pub(crate) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self::new(media_type, digest_of(bytes), bytes.len() as u64)
    }

    /// Returns whether an entry of an index only says how another one was built, as
    /// [BuildKit](https://docs.docker.com/build/metadata/attestations/attestation-storage/) writes
    /// it.
    pub(crate) fn is_attestation(&self) -> bool {
        let is_unknown =
            |platform: &Platform| platform.os == "unknown" && platform.architecture == "unknown";
        self.annotations.contains_key(BUILDKIT_REFERENCE)
            || self.platform.as_ref().is_some_and(is_unknown)
    }
}
