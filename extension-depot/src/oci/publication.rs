//! A publication: an artifact that is described and not sent yet. The same input makes the same
//! bytes.

use std::collections::BTreeMap;

use core_types::Digest;
use serde::Serialize;

use crate::oci::blob::digest_of;
use crate::oci::descriptor::{Descriptor, TITLE};
use crate::oci::image::ImageManifest;
use crate::oci::media_type;

/// Documents and blobs of a new artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    pub(crate) manifest: Vec<u8>,
    pub(crate) config: Vec<u8>,
    pub(crate) layers: Vec<Vec<u8>>,
}

/// The metadata of a binary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    /// The file's name for those who pull it with another tool.
    pub title: String,
    /// `org.opencontainers.image.*`, such as the version.
    pub annotations: BTreeMap<String, String>,
    /// When it was made, in seconds since 1970; 0 where that is unknown.
    pub created: u64,
    /// Its imports. Empty for a core module.
    pub imports: Vec<String>,
    /// Its exports.
    pub exports: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WasmConfig<'a> {
    created: String,
    architecture: &'static str,
    os: &'static str,
    layer_digests: [Digest; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<Component<'a>>,
}

#[derive(Serialize)]
struct Component<'a> {
    exports: &'a [String],
    imports: &'a [String],
}

impl Publication {
    /// Returns an artifact in the [form of the
    /// CNCF](https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/).
    ///
    /// # Errors
    /// When something of it cannot be written as JSON.
    pub fn cncf(binary: Vec<u8>, description: &Description) -> serde_json::Result<Self> {
        let wasm = titled(Descriptor::of(media_type::WASM, &binary), &description.title);
        // A component has a layer number where a core module has none.
        let is_component = binary.get(6) == Some(&1);
        let is_described = !description.exports.is_empty() || !description.imports.is_empty();
        let config = serde_json::to_vec(&WasmConfig {
            created: rfc3339(description.created),
            architecture: "wasm",
            os: if is_component { "wasip2" } else { "wasip1" },
            layer_digests: [wasm.digest],
            component: (is_component && is_described).then_some(Component {
                exports: &description.exports,
                imports: &description.imports,
            }),
        })?;
        let manifest = serde_json::to_vec(&ImageManifest {
            annotations: description.annotations.clone(),
            ..ImageManifest::new(Descriptor::of(media_type::WASM_CONFIG, &config), vec![wasm])
        })?;
        Ok(Self { manifest, config, layers: vec![binary] })
    }

    /// Returns an artifact in the form of [Suffiks](https://suffiks.com): a module, and an archive
    /// of pages if there are any. Its configuration has no meaning.
    ///
    /// # Errors
    /// When something of it cannot be written as JSON.
    pub fn suffiks(
        binary: Vec<u8>,
        title: &str,
        docs: Option<Vec<u8>>,
    ) -> serde_json::Result<Self> {
        let config = br#"{"architecture":"wasm","os":"wasip1"}"#.to_vec();
        let wasm = titled(Descriptor::of(media_type::SUFFIKS, &binary), title);
        let pages =
            docs.as_ref().map(|docs| titled(Descriptor::of(media_type::DOCS, docs), "docs.tar.gz"));
        let descriptors = std::iter::once(wasm).chain(pages).collect();
        let manifest = serde_json::to_vec(&ImageManifest::new(
            Descriptor::of(media_type::IMAGE_CONFIG, &config),
            descriptors,
        ))?;
        Ok(Self { manifest, config, layers: std::iter::once(binary).chain(docs).collect() })
    }

    /// Returns the image manifest as JSON.
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// Returns the digest that references are pinned to.
    pub fn digest(&self) -> Digest {
        digest_of(&self.manifest)
    }
}

fn titled(mut descriptor: Descriptor, title: &str) -> Descriptor {
    descriptor.annotations.insert(TITLE.to_owned(), title.to_owned());
    descriptor
}

/// Returns a time as text. One that cannot be written was not meant.
fn rfc3339(seconds: u64) -> String {
    let time =
        i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}
