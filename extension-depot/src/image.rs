//! Image manifests and indexes as the
//! [OCI image specification](https://github.com/opencontainers/image-spec) has them, read with suspicion.

use std::collections::BTreeMap;

use core_types::Digest;
use serde::{Deserialize, Serialize};

use crate::blob::digest_of;

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
    /// A configuration that says nothing.
    pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    /// A list of extensions, as a layer.
    pub const EXTENSION_LIST: &str = "application/vnd.open-sesame.extension-list.v1+toml";
    /// The layers that hold a WebAssembly binary, by producer: the CNCF's tools, Open Sesame's guide, two older
    /// generations of tools, runwasi and Suffiks.
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
    /// Places to fetch it from that are not the registry. Never followed; an artifact that needs them is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// The kind of artifact, for entries of an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The platform, for entries of an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Whatever else is said of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
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
    pub layers: Vec<Descriptor>,
    /// What it refers to, such as the artifact that it is a signature of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Whatever else is said of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// An image index: several manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageIndex {
    pub(crate) schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    pub(crate) manifests: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
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
    /// It is an image manifest without a WebAssembly layer.
    #[error("this is no extension: no layer is WebAssembly; {found}")]
    NoWasm {
        /// What it is instead.
        found: String,
    },
    /// It has several WebAssembly layers.
    #[error("this is no extension: {count} layers are WebAssembly, and one is expected")]
    SeveralWasm {
        /// How many.
        count: usize,
    },
    /// A blob would come from elsewhere than the registry.
    #[error("the blob {digest} would be fetched from a place outside the registry, which sesame does not do")]
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
    #[error("the image index has no single WebAssembly entry; it has {found}")]
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
        let shape: Shape = serde_json::from_slice(bytes).map_err(|error| malformed(describe(bytes, &error)))?;
        if shape.schema_version != 2 {
            return Err(malformed(format!("schema version {} is not supported", shape.schema_version)));
        }
        let is_index = match (shape.manifests.is_some(), shape.config.is_some() || shape.layers.is_some()) {
            (true, false) => true,
            (false, true) => false,
            (true, true) => return Err(malformed("it is a manifest and an index at once".to_owned())),
            (false, false) => return Err(malformed("it has neither layers nor manifests".to_owned())),
        };
        if let (Some(written), Some(declared)) = (shape.media_type.as_deref(), declared)
            && KINDS.contains(&declared)
            && written != declared
        {
            let (written, declared) = (written.escape_debug(), declared.escape_debug());
            return Err(malformed(format!("it says that it is `{written}` and came as `{declared}`")));
        }
        for media_type in shape.media_type.as_deref().into_iter().chain(declared) {
            let fits = if is_index { is_index_type(media_type) } else { !is_index_type(media_type) };
            if !fits {
                return Err(malformed(format!("it says that it is `{}` and is not", media_type.escape_debug())));
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
const KINDS: [&str; 4] =
    [media_type::MANIFEST, media_type::INDEX, media_type::DOCKER_MANIFEST, media_type::DOCKER_INDEX];

fn is_index_type(media_type: &str) -> bool {
    media_type == media_type::INDEX || media_type == media_type::DOCKER_INDEX
}

fn describe(bytes: &[u8], error: &serde_json::Error) -> String {
    let start = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match start {
        Some(b'<') => "it is a web page; is there a log-in page in front of the registry?".to_owned(),
        None => "it is empty".to_owned(),
        _ => error.to_string(),
    }
}

impl ImageManifest {
    /// The layer with the WebAssembly binary: chosen by its media type, never by its position.
    ///
    /// # Errors
    /// When there is none or several, or a blob is too large or lies elsewhere.
    pub fn wasm_layer(&self) -> Result<&Descriptor, ImageError> {
        self.blobs().try_for_each(Descriptor::check)?;
        let size = self.blobs().fold(0_u64, |size, blob| size.saturating_add(blob.size));
        if size > MAX_ARTIFACT {
            return Err(ImageError::Malformed {
                reason: format!("its blobs have {size} bytes; the most is {MAX_ARTIFACT}"),
            });
        }
        if self.layers.len() > MAX_LAYERS {
            return Err(ImageError::Malformed { reason: format!("it has {} layers", self.layers.len()) });
        }
        let is_wasm = |layer: &&Descriptor| media_type::WASM_LAYERS.contains(&layer.media_type.as_str());
        let wasm: Vec<_> = self.layers.iter().filter(is_wasm).collect();
        match wasm.as_slice() {
            [layer] => Ok(layer),
            [] => Err(ImageError::NoWasm { found: self.description() }),
            several => Err(ImageError::SeveralWasm { count: several.len() }),
        }
    }

    /// Makes sure that it can be fetched as something that refers to an artifact.
    ///
    /// # Errors
    /// When a blob is too large or lies elsewhere, or there are too many.
    #[cfg(feature = "registry")]
    pub(crate) fn check_referrer(&self) -> Result<(), ImageError> {
        self.blobs().try_for_each(Descriptor::check)?;
        if self.layers.len() > MAX_LAYERS {
            return Err(ImageError::Malformed { reason: format!("it has {} layers", self.layers.len()) });
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
            _ => Err(ImageError::Malformed { reason: format!("it is no list of extensions; {}", self.description()) }),
        }
    }

    /// Everything that belongs to the artifact beside the manifest itself.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        std::iter::once(&self.config).chain(&self.layers)
    }

    fn description(&self) -> String {
        let kind = self.artifact_type.as_deref().unwrap_or(&self.config.media_type);
        let layers: Vec<_> =
            self.layers.iter().take(3).map(|layer| format!("`{}`", layer.media_type.escape_debug())).collect();
        let layers = if layers.is_empty() { "none".to_owned() } else { layers.join(", ") };
        format!("it is `{}` with the layers {layers}", kind.escape_debug())
    }
}

impl Descriptor {
    fn check(&self) -> Result<(), ImageError> {
        if !self.urls.is_empty() {
            return Err(ImageError::ForeignUrls { digest: self.digest });
        }
        if self.size > MAX_BLOB {
            return Err(ImageError::TooLarge { digest: self.digest, size: self.size, most: MAX_BLOB });
        }
        Ok(())
    }
}

impl ImageIndex {
    /// The entry for WebAssembly, or the only one there is. An index inside an index is not followed.
    pub(crate) fn wasm_entry(&self) -> Result<&Descriptor, ImageError> {
        let is_manifest = |entry: &&Descriptor| !is_index_type(&entry.media_type);
        let is_wasm = |entry: &&Descriptor| {
            entry
                .platform
                .as_ref()
                .is_some_and(|platform| platform.architecture == "wasm" || platform.os.starts_with("wasi"))
        };
        let entries: Vec<_> = self.manifests.iter().filter(is_manifest).collect();
        let wasm: Vec<_> = entries.iter().copied().filter(|entry| is_wasm(entry)).collect();
        match (wasm.as_slice(), entries.as_slice()) {
            ([entry], _) | ([], [entry]) => {
                if entry.size > MAX_MANIFEST {
                    return Err(ImageError::TooLarge { digest: entry.digest, size: entry.size, most: MAX_MANIFEST });
                }
                entry.check().map(|()| *entry)
            }
            _ => Err(ImageError::AmbiguousIndex { found: self.description() }),
        }
    }

    fn description(&self) -> String {
        let entry = |entry: &Descriptor| match &entry.platform {
            Some(platform) => format!("`{}/{}`", platform.os.escape_debug(), platform.architecture.escape_debug()),
            None => format!("`{}`", entry.media_type.escape_debug()),
        };
        let entries: Vec<_> = self.manifests.iter().take(5).map(entry).collect();
        if entries.is_empty() { "none at all".to_owned() } else { entries.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn descriptor(media_type: &str, extra: &str) -> String {
        format!(r#"{{"mediaType":"{media_type}","digest":"{DIGEST}","size":3{extra}}}"#)
    }

    fn manifest(layers: &[String]) -> String {
        let config = descriptor("application/vnd.oci.empty.v1+json", "");
        format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{}]}}"#, layers.join(","))
    }

    fn wasm_layer(text: &str) -> Result<String, String> {
        match Document::parse(text.as_bytes(), None).map_err(|error| error.to_string())? {
            Document::Manifest(manifest) => {
                manifest.wasm_layer().map(|layer| layer.media_type.clone()).map_err(|error| error.to_string())
            }
            Document::Index(index) => {
                index.wasm_entry().map(|entry| entry.media_type.clone()).map_err(|error| error.to_string())
            }
        }
    }

    #[test]
    fn every_producers_layer_is_found_wherever_it_stands() {
        for media_type in media_type::WASM_LAYERS {
            let docs = descriptor("application/vnd.com.suffiks.docs.layer.v1+tar", "");
            let text = manifest(&[docs, descriptor(media_type, "")]);
            assert_eq!(wasm_layer(&text).as_deref(), Ok(media_type));
        }
    }

    #[test]
    fn what_is_no_extension_is_said_to_be_what_it_is() {
        let error = |text: &str| wasm_layer(text).expect_err(text);
        let layer = |extra| descriptor("application/wasm", extra);
        insta::assert_snapshot!(error(&manifest(&[])), @"this is no extension: no layer is WebAssembly; it is `application/vnd.oci.empty.v1+json` with the layers none");
        insta::assert_snapshot!(error(&manifest(&[descriptor("application/vnd.oci.image.layer.v1.tar+gzip", "")])), @"this is no extension: no layer is WebAssembly; it is `application/vnd.oci.empty.v1+json` with the layers `application/vnd.oci.image.layer.v1.tar+gzip`");
        insta::assert_snapshot!(error(&manifest(&[layer(""), layer("")])), @"this is no extension: 2 layers are WebAssembly, and one is expected");
        insta::assert_snapshot!(error(&manifest(&[layer(r#","urls":["http://x"]"#)])), @"the blob sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 would be fetched from a place outside the registry, which sesame does not do");
        insta::assert_snapshot!(error(&manifest(&[layer("").replace(":3", ":999999999")])), @"the blob sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 has 999999999 bytes; the most is 67108864");
        insta::assert_snapshot!(error("<!doctype html>"), @"the image manifest cannot be understood: it is a web page; is there a log-in page in front of the registry?");
        insta::assert_snapshot!(error(""), @"the image manifest cannot be understood: it is empty");
        insta::assert_snapshot!(error(r#"{"schemaVersion":1,"layers":[]}"#), @"the image manifest cannot be understood: schema version 1 is not supported");
        insta::assert_snapshot!(error(r#"{"schemaVersion":2,"layers":[],"manifests":[]}"#), @"the image manifest cannot be understood: it is a manifest and an index at once");
        insta::assert_snapshot!(error(r#"{"schemaVersion":2}"#), @"the image manifest cannot be understood: it has neither layers nor manifests");
        insta::assert_snapshot!(error(r#"{"schemaVersion":2,"layers":[],"layers":[]}"#), @"the image manifest cannot be understood: duplicate field `layers` at line 1 column 39");
        insta::assert_snapshot!(error(r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","layers":[]}"#), @"the image manifest cannot be understood: it says that it is `application/vnd.oci.image.index.v1+json` and is not");
        insta::assert_snapshot!(error(r#"{"schemaVersion":2,"manifests":[]}"#), @"the image index has no single WebAssembly entry; it has none at all");
    }

    #[test]
    fn digests_and_sizes_that_are_none_are_refused() {
        for (from, to) in [
            (DIGEST, "sha256:../../../../tmp/x"),
            (DIGEST, "md5:d41d8cd98f00b204e9800998ecf8427e"),
            (DIGEST, &DIGEST.to_uppercase()),
            ("\"size\":3", "\"size\":-1"),
            ("\"size\":3", "\"size\":4611686018427387904000"),
            ("\"size\":3", "\"size\":1e3"),
            ("\"size\":3", "\"size\":\"3\""),
        ] {
            let text = manifest(&[descriptor("application/wasm", "")]).replace(from, to);
            assert!(wasm_layer(&text).is_err(), "{to} must be refused");
        }
    }

    #[test]
    fn an_index_gives_its_wasm_entry_or_its_only_one() {
        let entry = |os: &str, architecture: &str| {
            let platform = format!(r#","platform":{{"os":"{os}","architecture":"{architecture}"}}"#);
            descriptor(media_type::MANIFEST, &platform)
        };
        let index = |entries: &[String]| format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
        assert!(wasm_layer(&index(&[entry("linux", "amd64"), entry("wasip2", "wasm")])).is_ok());
        assert!(wasm_layer(&index(&[entry("linux", "amd64")])).is_ok());
        insta::assert_snapshot!(wasm_layer(&index(&[entry("linux", "amd64"), entry("linux", "arm64")])).expect_err("two"), @"the image index has no single WebAssembly entry; it has `linux/amd64`, `linux/arm64`");
        assert!(wasm_layer(&index(&[descriptor(media_type::INDEX, "")])).is_err(), "an index in an index");
    }

    #[test]
    fn what_the_schema_forbids_is_refused() {
        let good = manifest(&[descriptor("application/wasm", "")]);
        assert!(wasm_layer(&good).is_ok(), "{good}");
        let changes = [
            (r#""schemaVersion":2"#, r#""schemaVersion":"2""#),
            (r#""schemaVersion":2"#, r#""schemaVersion":null"#),
            (r#""schemaVersion":2"#, r#""schemaVersion":1"#),
            (r#""schemaVersion":2,"#, ""),
            (r#""size":3"#, r#""size":"3""#),
            (r#""size":3"#, r#""size":3.5"#),
            (r#""size":3"#, r#""size":-1"#),
            (r#""size":3"#, r#""size":18446744073709551616"#),
            (r#""size":3"#, r#""size":null"#),
            (r#","size":3"#, ""),
            (r#""digest":"sha256:e3"#, r#""digest":"sha256:E3"#),
            (r#""digest":"sha256:"#, r#""digest":"sha512:"#),
            (r#""mediaType":"application/wasm","#, ""),
            (r#""mediaType":"application/wasm""#, r#""mediaType":7"#),
            (r#""layers":["#, r#""layers":[7,"#),
            (r#""layers":["#, r#""layers":[null,"#),
            (r#"{"schemaVersion""#, r#"{"annotations":{"a":1},"schemaVersion""#),
            (r#"{"schemaVersion""#, r#"{"annotations":[],"schemaVersion""#),
            (r#"{"schemaVersion""#, r#"{"mediaType":{},"schemaVersion""#),
            (r#"{"schemaVersion""#, r#"{"subject":{},"schemaVersion""#),
            (r#"{"schemaVersion""#, r#"{"schemaVersion":2,"schemaVersion""#),
            (r#"{"schemaVersion""#, r#"{"config":{},"schemaVersion""#),
            (r#"{"schemaVersion""#, r#"{"layers":[],"schemaVersion""#),
        ];
        for (from, to) in changes {
            assert!(good.contains(from), "{from}");
            let changed = good.replacen(from, to, 1);
            assert!(wasm_layer(&changed).is_err(), "{changed}");
        }
        for part in [r#""config""#, r#""layers""#] {
            assert!(wasm_layer(&good.replace(part, r#""other""#)).is_err(), "without {part}");
        }
    }

    #[test]
    fn what_came_as_something_else_than_is_written_is_refused() {
        let written = manifest(&[]).replacen('{', &format!(r#"{{"mediaType":"{}","#, media_type::MANIFEST), 1);
        let parse = |text: &str, declared| Document::parse(text.as_bytes(), Some(declared));
        assert!(parse(&written, media_type::MANIFEST).is_ok() && parse(&written, "application/vnd.x+json").is_ok());
        for other in [media_type::DOCKER_MANIFEST, media_type::INDEX, media_type::DOCKER_INDEX] {
            assert!(parse(&written, other).is_err(), "{other}");
        }
        assert!(parse(&manifest(&[]), media_type::DOCKER_MANIFEST).is_ok(), "it says nothing itself");
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let good = manifest(&[descriptor("application/wasm", "")]);
        let broken = [
            "",
            " ",
            "{",
            "}",
            "[]",
            "null",
            "1",
            "\"x\"",
            "{]",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":1,}",
            "{\"a\":01}",
            "{\"a\":+1}",
            "{\"a\":.5}",
            "{\"a\":1.}",
            "{\"a\":NaN}",
            "{\"a\":Infinity}",
            "{\"a\":tru}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\ud800\"}",
            "{} {}",
            "//\n{}",
            "\u{feff}{}",
        ];
        for text in broken {
            assert!(Document::parse(text.as_bytes(), None).is_err(), "{text}");
        }
        for bytes in [b"{\"a\":\"\xff\"}".as_slice(), b"\xff\xfe{\0}\0", b"{\0}", b"\0"] {
            assert!(Document::parse(bytes, None).is_err());
        }
        for behind in ["x", "{}", "]", "\0"] {
            assert!(Document::parse(format!("{good}{behind}").as_bytes(), None).is_err(), "{behind}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error() {
        let whole = manifest(&[descriptor("application/wasm", "")]);
        let with = |levels: usize| {
            let value = ["[".repeat(levels), "]".repeat(levels)].concat();
            Document::parse(whole.replacen('{', &format!(r#"{{"x":{value},"y":"[[[\"[","#), 1).as_bytes(), None)
        };
        assert!(with(MAX_DEPTH - 1).is_ok());
        insta::assert_snapshot!(with(MAX_DEPTH).expect_err("deep"), @"the image manifest cannot be understood: it is nested more than 64 levels deep");
        assert!(with(200_000).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, cut in 0..400usize) {
            let _ = Document::parse(&bytes, None);
            let text = manifest(&[descriptor("application/wasm", "")]);
            let _ = Document::parse(&text.as_bytes()[..cut.min(text.len())], Some("x"));
        }
    }
}
