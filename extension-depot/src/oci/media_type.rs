//! Media types that sesame knows.

/// An image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An image manifest of Docker's.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// An image index of Docker's.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// The configuration of a Wasm artifact, as the CNCF has it.
pub(crate) const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// A WebAssembly binary, as the CNCF has it.
pub const WASM: &str = "application/wasm";
/// Pages of documentation, as a layer: a gzipped tar of Markdown files, as Suffiks has it.
pub(crate) const DOCS: &str = "application/vnd.com.suffiks.docs.layer.v1+tar";
/// Pages of documentation that refer to an extension.
pub(crate) const DOCS_ARTIFACT: &str = "application/vnd.open-sesame.docs.v1";
/// A WebAssembly binary, as Suffiks has it.
pub(crate) const SUFFIKS: &str = "application/vnd.com.suffiks.wasi.v1";
/// A configuration of an image.
pub const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// A configuration of an image of Docker's.
pub(crate) const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// A configuration that says nothing.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// The data that an extension keeps, in a bundle: the bytes of its storage file.
pub(crate) const STORAGE: &str = "application/vnd.open-sesame.storage.v1";
/// A list of extensions, as a layer.
pub(crate) const EXTENSION_LIST: &str = "application/vnd.open-sesame.extension-list.v1+toml";
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

/// Returns the OCI media type for Docker's of the same form. Some registries deliver either as the
/// other.
pub(crate) fn oci_form(media_type: &str) -> &str {
    match media_type {
        DOCKER_MANIFEST => MANIFEST,
        DOCKER_INDEX => INDEX,
        other => other,
    }
}

/// Returns whether a media type is that of an index.
pub(crate) fn is_index_type(media_type: &str) -> bool {
    oci_form(media_type) == INDEX
}
