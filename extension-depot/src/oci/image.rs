//! Image manifests and indexes as the [OCI image
//! specification](https://github.com/opencontainers/image-spec) has them, read with suspicion.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::oci::bounded_json;
use crate::oci::descriptor::Descriptor;
use crate::oci::media_type;

/// An image manifest: a configuration and layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageManifest {
    /// Always 2.
    pub schema_version: u32,
    /// [`media_type::MANIFEST`], where it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The kind of artifact, where it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration. Its bytes may be anything.
    pub config: Descriptor,
    /// The layers.
    #[serde(deserialize_with = "bounded_json::layers")]
    pub layers: Vec<Descriptor>,
    /// Its subject, such as the signed artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Whatever else is said of it.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "bounded_json::annotations"
    )]
    pub annotations: BTreeMap<String, String>,
}

/// An image index: several manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageIndex {
    pub(crate) schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    #[serde(deserialize_with = "bounded_json::null_as_default")]
    pub(crate) manifests: Vec<Descriptor>,
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "bounded_json::annotations"
    )]
    pub(crate) annotations: BTreeMap<String, String>,
}

impl ImageManifest {
    /// Creates a manifest of these layers, of no subject and no kind of its own.
    pub(crate) fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations: BTreeMap::new(),
        }
    }
}

impl ImageIndex {
    /// Creates an index of these manifests.
    pub(crate) fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(media_type::INDEX.to_owned()),
            manifests,
            annotations: BTreeMap::new(),
        }
    }
}
