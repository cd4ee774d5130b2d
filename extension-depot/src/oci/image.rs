//! Image manifests and indexes as the [OCI image
//! specification](https://github.com/opencontainers/image-spec) has them, read with suspicion.

use std::collections::BTreeMap;

use core_types::Digest;
use serde::{Deserialize, Serialize};

use crate::oci::artifact_kind::kind_of_artifact;
use crate::oci::blob::digest_of;
use crate::oci::bounded_json;

/// Media types that sesame knows.
pub mod media_type {
    /// An image manifest.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// An image index.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// An image manifest of Docker's.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// An image index of Docker's.
    pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// The configuration of a Wasm artifact, as the CNCF has it.
    pub const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
    /// A WebAssembly binary, as the CNCF has it.
    pub const WASM: &str = "application/wasm";
    /// Pages of documentation, as a layer: a gzipped tar of Markdown files, as Suffiks has it.
    pub const DOCS: &str = "application/vnd.com.suffiks.docs.layer.v1+tar";
    /// Pages of documentation that refer to an extension.
    pub const DOCS_ARTIFACT: &str = "application/vnd.open-sesame.docs.v1";
    /// A WebAssembly binary, as Suffiks has it.
    pub const SUFFIKS: &str = "application/vnd.com.suffiks.wasi.v1";
    /// A configuration of an image.
    pub const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// A configuration of an image of Docker's.
    pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
    /// A configuration that says nothing.
    pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    /// A list of extensions, as a layer.
    pub const EXTENSION_LIST: &str = "application/vnd.open-sesame.extension-list.v1+toml";
    /// The layers that hold a WebAssembly binary, by producer: the CNCF's tools, Open Sesame's
    /// guide, two older generations of tools, runwasi and Suffiks.
    pub const WASM_LAYERS: [&str; 6] = [
        WASM,
        "application/vnd.wasm.component.v1+wasm",
        "application/vnd.wasm.content.layer.v1+wasm",
        "application/vnd.module.wasm.content.layer.v1+wasm",
        "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
        SUFFIKS,
    ];
}

/// The annotation for the version.
pub(crate) const VERSION: &str = "org.opencontainers.image.version";
/// The annotation for the description.
pub(crate) const DESCRIPTION: &str = "org.opencontainers.image.description";
/// The annotation that names a layer's file.
pub(crate) const TITLE: &str = "org.opencontainers.image.title";
/// The annotation by which BuildKit tells what an entry of an index is that is not an image.
const BUILDKIT_REFERENCE: &str = "vnd.docker.reference.type";
/// How the media types of a WebAssembly binary begin that is packed by itself, such as
/// `application/wasm+gzip`.
const PACKED_WASM: &str = "application/wasm+";
/// The size in bytes of a packed tar that has nothing in it; with one file it has more. Container
/// tools write such a layer for an instruction that changes no file. Gzip makes 32 bytes of it,
/// Zstandard fewer.
pub(crate) const EMPTY_TAR: u64 = 40;
/// The annotation for when something was made.
#[cfg(feature = "registry")]
pub(crate) const CREATED: &str = "org.opencontainers.image.created";
/// The annotation that names an entry of a layout's index.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation that says where an entry of a bundle came from.
pub(crate) const ORIGIN: &str = "open-sesame.reference";

/// The largest image manifest or index, in bytes.
pub(crate) const MAX_MANIFEST: u64 = 4 << 20;
/// The largest layer or configuration, in bytes.
pub const MAX_BLOB: u64 = 64 << 20;
/// The largest blob of what refers to an artifact, in bytes.
#[cfg(feature = "registry")]
pub(crate) const MAX_REFERRED: u64 = 4 << 20;
/// The most bytes of all blobs of one artifact together.
const MAX_ARTIFACT: u64 = 128 << 20;
/// How deep a document may be nested.
const MAX_DEPTH: usize = 64;
/// The most layers that an artifact has.
const MAX_LAYERS: usize = 64;

/// Points at a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob is.
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

/// What an entry of an index is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// Such as `wasm`.
    pub architecture: String,
    /// Such as `wasip2`.
    pub os: String,
}

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
    /// What it refers to, such as the artifact that it is a signature of.
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

/// A document that a tag or digest leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Document {
    Manifest(Box<ImageManifest>),
    Index(ImageIndex),
}

/// Why a document is no artifact that sesame installs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// It cannot be understood, or could be understood in two ways.
    #[error("the image manifest cannot be understood: {reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
    /// It is an artifact without WebAssembly.
    #[error("not an extension: it is {found}")]
    NoWasm {
        /// What it is instead.
        found: String,
    },
    /// It has several WebAssembly layers.
    #[error("not an extension: {count} layers are WebAssembly{names}; one is expected")]
    SeveralWasm {
        /// How many.
        count: usize,
        /// The names of their files in brackets, where the layers have them.
        names: String,
    },
    /// One layer has several WebAssembly files packed in it.
    #[error("not an extension: its layer has several WebAssembly files, {names}; one is expected")]
    SeveralFiles {
        /// The names of the files.
        names: String,
    },
    /// A blob would come from elsewhere than the registry.
    #[error(
        "the blob {digest} would be fetched from a place outside the registry, which sesame does not do"
    )]
    ForeignUrls {
        /// The blob.
        digest: Digest,
    },
    /// A blob is larger than sesame takes.
    #[error("the blob {digest} has {size} bytes; the most is {most}")]
    TooLarge {
        /// The blob.
        digest: Digest,
        /// Its size.
        size: u64,
        /// The most that is taken.
        most: u64,
    },
    /// An index has no entry, or several, that could be meant.
    #[error(
        "not an extension: the image index does not have a single WebAssembly entry; it has {found}"
    )]
    AmbiguousIndex {
        /// Its entries.
        found: String,
    },
}

impl ImageManifest {
    /// A manifest of these layers, of no subject and no kind of its own.
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
    /// An index of these manifests.
    pub(crate) fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(media_type::INDEX.to_owned()),
            manifests,
            annotations: BTreeMap::new(),
        }
    }
}

impl Descriptor {
    /// Points at what has this digest and size.
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
}

impl Document {
    /// Reads a document. `declared` is the media type that it was delivered with, if any.
    pub(crate) fn parse(bytes: &[u8], declared: Option<&str>) -> Result<Self, ImageError> {
        let malformed = |reason: String| ImageError::Malformed { reason };
        if is_deeper_than(bytes, MAX_DEPTH) {
            return Err(malformed(format!("it is nested more than {MAX_DEPTH} levels deep")));
        }
        let shape: Shape =
            serde_json::from_slice(bytes).map_err(|error| malformed(describe(bytes, &error)))?;
        if shape.schema_version != 2 {
            return Err(malformed(format!(
                "schema version {} is not supported",
                shape.schema_version
            )));
        }
        let is_index =
            match (shape.manifests.is_some(), shape.config.is_some() || shape.layers.is_some()) {
                (true, false) => true,
                (false, true) => false,
                (true, true) => {
                    return Err(malformed("it is a manifest and an index at once".to_owned()));
                }
                (false, false) => {
                    return Err(malformed("it has neither layers nor manifests".to_owned()));
                }
            };
        if let (Some(written), Some(declared)) = (shape.media_type.as_deref(), declared)
            && KINDS.contains(&declared)
            && oci_form(written) != oci_form(declared)
        {
            let (written, declared) = (written.escape_debug(), declared.escape_debug());
            return Err(malformed(format!(
                "it says that it is `{written}` and came as `{declared}`"
            )));
        }
        for media_type in shape.media_type.as_deref().into_iter().chain(declared) {
            let fits =
                if is_index { is_index_type(media_type) } else { !is_index_type(media_type) };
            if !fits {
                return Err(malformed(format!(
                    "it says that it is `{}` and is not",
                    media_type.escape_debug()
                )));
            }
        }
        let document = if is_index {
            serde_json::from_slice(bytes).map(Self::Index)
        } else {
            serde_json::from_slice(bytes).map(Box::new).map(Self::Manifest)
        };
        document.map_err(|error| malformed(error.to_string()))
    }
}

/// Enough of a document to tell what it is. Keys that stand there twice are refused.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: u32,
    media_type: Option<String>,
    config: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
    manifests: Option<serde::de::IgnoredAny>,
}

/// Whether JSON is nested deeper than that. Brackets in strings do not count.
fn is_deeper_than(json: &[u8], most: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

/// What a registry can say that a document is and mean it; some say only that it is JSON.
const KINDS: [&str; 4] = [
    media_type::MANIFEST,
    media_type::INDEX,
    media_type::DOCKER_MANIFEST,
    media_type::DOCKER_INDEX,
];

/// The OCI media type for Docker's of the same form. Some registries deliver either as the other.
fn oci_form(media_type: &str) -> &str {
    match media_type {
        media_type::DOCKER_MANIFEST => media_type::MANIFEST,
        media_type::DOCKER_INDEX => media_type::INDEX,
        other => other,
    }
}

fn is_index_type(media_type: &str) -> bool {
    oci_form(media_type) == media_type::INDEX
}

fn describe(bytes: &[u8], error: &serde_json::Error) -> String {
    let start = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match start {
        Some(b'<') => {
            "it is a web page; is there a log-in page in front of the registry?".to_owned()
        }
        None => "it is empty".to_owned(),
        _ => error.to_string(),
    }
}

impl ImageManifest {
    /// The layer with the WebAssembly binary, chosen by its media type and never by its position.
    /// Nothing when no media type says WebAssembly and the bytes of the layers have to be looked
    /// at.
    ///
    /// # Errors
    /// When there are several, or the media types say that there is none; when a blob is too large
    /// or lies elsewhere.
    pub fn wasm_layer(&self) -> Result<Option<&Descriptor>, ImageError> {
        let is_wasm =
            |layer: &&Descriptor| media_type::WASM_LAYERS.contains(&layer.media_type.as_str());
        let wasm: Vec<_> = self.layers.iter().filter(is_wasm).collect();
        match wasm.as_slice() {
            [_] => {}
            // What is not an extension is said to be so however large it is.
            [] => kind_of_artifact(self).map_or(Ok(()), |kind| Err(self.no_wasm(&kind)))?,
            several => return Err(ImageError::several(several)),
        }
        self.check_blobs()?;
        Ok(wasm.first().copied())
    }

    fn check_blobs(&self) -> Result<(), ImageError> {
        self.blobs().try_for_each(Descriptor::check)?;
        let size = self.blobs().fold(0_u64, |size, blob| size.saturating_add(blob.size));
        if size > MAX_ARTIFACT {
            return Err(ImageError::Malformed {
                reason: format!("its blobs have {size} bytes; the most is {MAX_ARTIFACT}"),
            });
        }
        if self.layers.len() > MAX_LAYERS {
            return Err(ImageError::Malformed {
                reason: format!("it has {} layers", self.layers.len()),
            });
        }
        Ok(())
    }

    /// The layers that could be the binary or have it packed in them, where no media type says
    /// which.
    pub(crate) fn possible_layers(&self) -> impl Iterator<Item = &Descriptor> {
        // `application/wasm+gzip`, and what else is packed by itself.
        let is_packed_wasm = |layer: &&Descriptor| layer.media_type.starts_with(PACKED_WASM);
        let is_only_it = self.layers.iter().filter(is_packed_wasm).count() == 1;
        let is_possible = move |layer: &&Descriptor| {
            layer.media_type != media_type::DOCS && (!is_only_it || is_packed_wasm(layer))
        };
        self.layers.iter().filter(is_possible)
    }

    /// What it is instead of an extension, with the media types that say so. `what` is in the words
    /// of people.
    pub(crate) fn no_wasm(&self, what: &str) -> ImageError {
        ImageError::NoWasm { found: format!("{what} ({})", self.description()) }
    }

    /// Makes sure that it can be fetched as something that refers to an artifact.
    ///
    /// # Errors
    /// When a blob is too large or lies elsewhere, or there are too many.
    #[cfg(feature = "registry")]
    pub(crate) fn check_referrer(&self) -> Result<(), ImageError> {
        self.blobs().try_for_each(Descriptor::check)?;
        if self.layers.len() > MAX_LAYERS {
            return Err(ImageError::Malformed {
                reason: format!("it has {} layers", self.layers.len()),
            });
        }
        let large = self.blobs().find(|blob| blob.size > MAX_REFERRED);
        large.map_or(Ok(()), |blob| {
            Err(ImageError::TooLarge { digest: blob.digest, size: blob.size, most: MAX_REFERRED })
        })
    }

    /// The layer with a list of extensions.
    ///
    /// # Errors
    /// When there is none or several.
    #[cfg(feature = "registry")]
    pub(crate) fn list_layer(&self) -> Result<&Descriptor, ImageError> {
        self.blobs().try_for_each(Descriptor::check)?;
        let is_list = |layer: &&Descriptor| layer.media_type == media_type::EXTENSION_LIST;
        match self.layers.iter().filter(is_list).collect::<Vec<_>>().as_slice() {
            [layer] => Ok(layer),
            _ => Err(ImageError::Malformed {
                reason: format!("not a list of extensions but {}", self.description()),
            }),
        }
    }

    /// Everything that belongs to the artifact beside the manifest itself.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        std::iter::once(&self.config).chain(&self.layers)
    }

    fn description(&self) -> String {
        let kind = self.artifact_type.as_deref().unwrap_or(&self.config.media_type);
        let layers: Vec<_> = self
            .layers
            .iter()
            .take(3)
            .map(|layer| format!("`{}`", layer.media_type.escape_debug()))
            .collect();
        let layers = if layers.is_empty() { "none".to_owned() } else { layers.join(", ") };
        format!("`{}` with the layers {layers}", kind.escape_debug())
    }
}

impl Descriptor {
    /// Whether an entry of an index only says how another one was built, as
    /// [BuildKit](https://docs.docker.com/build/metadata/attestations/attestation-storage/) writes
    /// it.
    fn is_attestation(&self) -> bool {
        let is_unknown =
            |platform: &Platform| platform.os == "unknown" && platform.architecture == "unknown";
        self.annotations.contains_key(BUILDKIT_REFERENCE)
            || self.platform.as_ref().is_some_and(is_unknown)
    }

    fn check(&self) -> Result<(), ImageError> {
        if !self.urls.is_empty() {
            return Err(ImageError::ForeignUrls { digest: self.digest });
        }
        if self.size > MAX_BLOB {
            return Err(ImageError::TooLarge {
                digest: self.digest,
                size: self.size,
                most: MAX_BLOB,
            });
        }
        Ok(())
    }
}

impl ImageIndex {
    /// The entry for WebAssembly, or the only one there is. An index inside an index is not
    /// followed, and what attests how another entry was built does not count.
    pub(crate) fn wasm_entry(&self) -> Result<&Descriptor, ImageError> {
        let is_manifest =
            |entry: &&Descriptor| !is_index_type(&entry.media_type) && !entry.is_attestation();
        let is_wasm = |entry: &&Descriptor| {
            entry.platform.as_ref().is_some_and(|platform| {
                platform.architecture == "wasm" || platform.os.starts_with("wasi")
            })
        };
        let entries: Vec<_> = self.manifests.iter().filter(is_manifest).collect();
        let wasm: Vec<_> = entries.iter().copied().filter(|entry| is_wasm(entry)).collect();
        match (wasm.as_slice(), entries.as_slice()) {
            ([entry], _) | ([], [entry]) => {
                if entry.size > MAX_MANIFEST {
                    return Err(ImageError::TooLarge {
                        digest: entry.digest,
                        size: entry.size,
                        most: MAX_MANIFEST,
                    });
                }
                entry.check().map(|()| *entry)
            }
            _ => Err(ImageError::AmbiguousIndex { found: self.description() }),
        }
    }

    fn description(&self) -> String {
        let entry = |entry: &Descriptor| match &entry.platform {
            Some(platform) => {
                format!("`{}/{}`", platform.os.escape_debug(), platform.architecture.escape_debug())
            }
            None => format!("`{}`", entry.media_type.escape_debug()),
        };
        let others = self.manifests.iter().filter(|entry| !entry.is_attestation());
        let entries: Vec<_> = others.take(5).map(entry).collect();
        if entries.is_empty() { "none at all".to_owned() } else { entries.join(", ") }
    }
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
