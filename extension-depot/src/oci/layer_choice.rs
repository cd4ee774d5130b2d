//! Chooses the layer or entry of a document that leads to the binary.

use crate::archives::file_kind::is_tar_type;
use crate::oci::artifact_kind::{IMAGE, kind_of_artifact, kind_of_layer, kind_of_whole};
#[cfg(feature = "registry")]
use crate::oci::descriptor::MAX_REFERRED;
use crate::oci::descriptor::{Descriptor, MAX_BLOB, MAX_MANIFEST};
use crate::oci::image::{ImageIndex, ImageManifest};
use crate::oci::image_error::ImageError;
use crate::oci::media_type;
use crate::oci::media_type::is_index_type;

/// How the media types of a WebAssembly binary begin that is packed by itself, such as
/// `application/wasm+gzip`.
const PACKED_WASM: &str = "application/wasm+";
/// The most bytes of all blobs of one artifact together: the largest binary and as much beside it.
const MAX_ARTIFACT: u64 = 128 << 20;
/// The most layers of an artifact: images of containers have some ten.
const MAX_LAYERS: usize = 64;

impl ImageManifest {
    /// Returns the layer with the WebAssembly binary, chosen by its media type and never by its
    /// position. Nothing when no media type says WebAssembly and the bytes of the layers have to be
    /// looked at.
    ///
    /// # Errors
    /// When there are several, or the media types say that there is none; when a blob is too large
    /// or lies elsewhere.
    pub(crate) fn wasm_layer(&self) -> Result<Option<&Descriptor>, ImageError> {
        let is_wasm =
            |layer: &&Descriptor| media_type::WASM_LAYERS.contains(&layer.media_type.as_str());
        let wasm: Vec<_> = self.layers.iter().filter(is_wasm).collect();
        match wasm.as_slice() {
            [layer] => self.check_blobs().map(|()| Some(*layer)),
            [] => self.check_undeclared().map(|()| None),
            several => Err(ImageError::several(several)),
        }
    }

    /// Checks an artifact whose binary only its bytes can tell.
    fn check_undeclared(&self) -> Result<(), ImageError> {
        // The kind of other artifacts is reported whatever their size is.
        match kind_of_artifact(self) {
            Some(kind) => Err(self.no_wasm(&kind)),
            None => self.check_blobs().map_err(|error| self.as_image(error)),
        }
    }

    /// Names a container image as such where one of its archives is too large.
    fn as_image(&self, error: ImageError) -> ImageError {
        let is_large =
            |layer: &&Descriptor| is_tar_type(&layer.media_type) && layer.size > MAX_BLOB;
        match (error, self.layers.iter().find(is_large)) {
            (ImageError::TooLarge { .. }, Some(layer)) if kind_of_whole(self) == IMAGE => {
                ImageError::LargeImage { digest: layer.digest, size: layer.size, most: MAX_BLOB }
            }
            (error, _) => error,
        }
    }

    fn check_blobs(&self) -> Result<(), ImageError> {
        self.blobs().try_for_each(Descriptor::check)?;
        let size = self.blobs().fold(0_u64, |size, blob| size.saturating_add(blob.size));
        if size > MAX_ARTIFACT {
            return Err(ImageError::Malformed {
                reason: format!("its blobs have {size} bytes; the limit is {MAX_ARTIFACT}"),
            });
        }
        self.check_layer_count()
    }

    fn check_layer_count(&self) -> Result<(), ImageError> {
        if self.layers.len() > MAX_LAYERS {
            return Err(ImageError::Malformed {
                reason: format!("it has {} layers", self.layers.len()),
            });
        }
        Ok(())
    }

    /// Returns the layers that could be the binary or have it packed in them, where no media type
    /// says which. A type that says something else, such as a list of components, is believed.
    pub(crate) fn possible_layers(&self) -> impl Iterator<Item = &Descriptor> {
        // `application/wasm+gzip`, and what else is packed by itself.
        let is_packed_wasm = |layer: &&Descriptor| layer.media_type.starts_with(PACKED_WASM);
        let is_only_it = self.layers.iter().filter(is_packed_wasm).count() == 1;
        let is_other = |layer: &Descriptor| {
            layer.media_type == media_type::DOCS || kind_of_layer(&layer.media_type).is_some()
        };
        let is_possible =
            move |layer: &&Descriptor| !is_other(layer) && (!is_only_it || is_packed_wasm(layer));
        self.layers.iter().filter(is_possible)
    }

    /// Returns the error for an artifact that is not an extension, with its media types. `what`
    /// names its kind.
    pub(crate) fn no_wasm(&self, what: &str) -> ImageError {
        ImageError::NoWasm { found: format!("{what} ({})", self.description()) }
    }

    /// Checks that it can be fetched as something that refers to an artifact.
    ///
    /// # Errors
    /// When a blob is too large or lies elsewhere, or there are too many.
    #[cfg(feature = "registry")]
    pub(crate) fn check_referrer(&self) -> Result<(), ImageError> {
        self.blobs().try_for_each(Descriptor::check)?;
        self.check_layer_count()?;
        self.blobs().try_for_each(|blob| blob.check_size(MAX_REFERRED))
    }

    /// Returns the layer with a list of extensions.
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
    fn check(&self) -> Result<(), ImageError> {
        if !self.urls.is_empty() {
            return Err(ImageError::ForeignUrls { digest: self.digest });
        }
        self.check_size(MAX_BLOB)
    }

    fn check_size(&self, most: u64) -> Result<(), ImageError> {
        if self.size > most {
            return Err(ImageError::TooLarge { digest: self.digest, size: self.size, most });
        }
        Ok(())
    }
}

impl ImageIndex {
    /// Returns the entry for WebAssembly, or the only one there is. An index inside an index is not
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
                entry.check_size(MAX_MANIFEST)?;
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
