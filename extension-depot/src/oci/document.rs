//! Reads the documents that a tag or digest leads to.

use serde::Deserialize;

use crate::oci::image::{ImageIndex, ImageManifest};
use crate::oci::image_error::ImageError;
use crate::oci::media_type;
use crate::oci::media_type::{is_index_type, oci_form};

/// The deepest nesting of a document: real ones have about five levels, and a parser of JSON
/// recurses.
const MAX_DEPTH: usize = 64;

/// A document that a tag or digest leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Document {
    Manifest(Box<ImageManifest>),
    Index(ImageIndex),
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

/// The keys that tell a manifest from an index. Keys that stand there twice are refused.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: u32,
    media_type: Option<String>,
    config: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
    manifests: Option<serde::de::IgnoredAny>,
}

/// Returns whether JSON is nested deeper than that. Brackets in strings do not count.
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

/// The media types with which registries declare documents; some only declare JSON.
const KINDS: [&str; 4] = [
    media_type::MANIFEST,
    media_type::INDEX,
    media_type::DOCKER_MANIFEST,
    media_type::DOCKER_INDEX,
];

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

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
