//! The reasons why a document is not an artifact that sesame installs.

use core_types::Digest;

use crate::oci::descriptor::{Descriptor, TITLE};

/// Why a document is not an artifact that sesame installs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// It cannot be understood, or could be understood in two ways.
    #[error("the image manifest cannot be understood: {reason}")]
    Malformed {
        /// The problem.
        reason: String,
    },
    /// It is an artifact without WebAssembly.
    #[error("not an extension: it is {found}")]
    NoWasm {
        /// Its kind.
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
    #[error("the blob {digest} has {size} bytes; the limit is {most}")]
    TooLarge {
        /// The blob.
        digest: Digest,
        /// Its size.
        size: u64,
        /// The most that is taken.
        most: u64,
    },
    /// A container image has a layer that is larger than sesame takes.
    #[error(
        "too large for an extension: a container image whose layer {digest} has {size} bytes, where the limit is {most}; an extension is an image with one WebAssembly file: `FROM scratch` and one `COPY`"
    )]
    LargeImage {
        /// The layer.
        digest: Digest,
        /// Its size.
        size: u64,
        /// The most that is taken.
        most: u64,
    },
    /// An index does not have exactly one entry that could be meant.
    #[error(
        "not an extension: the image index does not have a single WebAssembly entry; it has {found}"
    )]
    AmbiguousIndex {
        /// Its entries.
        found: String,
    },
}

impl ImageError {
    /// Several layers are WebAssembly, with the names of files where the layers have them.
    pub(crate) fn several(layers: &[&Descriptor]) -> Self {
        let titles = layers.iter().filter_map(|layer| layer.annotations.get(TITLE));
        let titles: Vec<_> =
            titles.take(5).map(|title| format!("`{}`", title.escape_debug())).collect();
        let names =
            if titles.is_empty() { String::new() } else { format!(" ({})", titles.join(", ")) };
        Self::SeveralWasm { count: layers.len(), names }
    }
}
