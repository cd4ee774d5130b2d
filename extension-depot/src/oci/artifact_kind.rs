//! What artifacts are that are not extensions, told by the media types of their parts.

use crate::archives::file_kind::{EMPTY_TAR, is_tar_type};
use crate::oci::descriptor::{Descriptor, TITLE};
use crate::oci::image::ImageManifest;
use crate::oci::media_type;

/// Parts of media types, and the kind of an artifact with one. The first that fits counts: the
/// signature of a chart is a signature.
const KINDS: &[(&str, &str)] = &[
    ("vnd.dev.cosign.simplesigning", "a signature"),
    ("vnd.dev.sigstore.bundle", "a signature"),
    ("vnd.cncf.notary.signature", "a signature"),
    ("vnd.dev.cosign", "a file of cosign"),
    ("vnd.dsse.envelope", "an attestation"),
    ("vnd.in-toto", "an attestation"),
    ("spdx", "a list of components (SBOM)"),
    ("cyclonedx", "a list of components (SBOM)"),
    ("vnd.syft", "a list of components (SBOM)"),
    ("sbom", "a list of components (SBOM)"),
    ("vnd.cncf.helm", "a Helm chart"),
    ("vnd.cncf.flux", "a source of Flux"),
    ("vnd.cncf.openpolicyagent", "a policy of Open Policy Agent"),
    ("vnd.ollama", "a language model"),
    ("vnd.cncf.model", "a machine learning model"),
    ("vnd.docker.ai", "a machine learning model"),
    ("vnd.docker.plugin", "a plugin of Docker"),
    (media_type::DOCS_ARTIFACT, "the documentation of an extension"),
    (media_type::EXTENSION_LIST, "a list of extensions"),
];

/// What most artifacts are.
pub(crate) const IMAGE: &str = "a container image";

/// Returns the kind of an artifact that cannot be an extension; nothing where its bytes have to
/// tell.
pub(crate) fn kind_of_artifact(manifest: &ImageManifest) -> Option<String> {
    let layers = manifest.layers.iter().map(|layer| layer.media_type.as_str());
    let kinds = manifest
        .artifact_type
        .iter()
        .map(String::as_str)
        .chain([manifest.config.media_type.as_str()]);
    let types: Vec<_> = kinds.chain(layers).map(str::to_ascii_lowercase).collect();
    let fits = |part: &str| types.iter().any(|media_type| media_type.contains(part));
    if let Some((_, what)) = KINDS.iter().find(|(part, _)| fits(part)) {
        return Some((*what).to_owned());
    }
    if manifest.possible_layers().next().is_none() {
        return Some(format!("{} without WebAssembly", kind_of_whole(manifest)));
    }
    // A plain push calls a single file a tar as well, and gives it a title.
    let is_archive = |layer: &&Descriptor| is_tar_type(&layer.media_type) && layer.size > EMPTY_TAR;
    let archives = manifest.layers.iter().filter(is_archive).count();
    let has_titles = manifest.layers.iter().any(|layer| layer.annotations.contains_key(TITLE));
    let is_of_several = archives > 1 && !has_titles && kind_of_whole(manifest) == IMAGE;
    is_of_several.then(|| several_archives(manifest, archives))
}

/// Returns the kind of an artifact, by its configuration.
pub(crate) fn kind_of_whole(manifest: &ImageManifest) -> &'static str {
    let is_image = [media_type::IMAGE_CONFIG, media_type::DOCKER_CONFIG]
        .contains(&manifest.config.media_type.as_str());
    if is_image { IMAGE } else { "an artifact" }
}

/// Describes an artifact with several archives that are not empty.
pub(crate) fn several_archives(manifest: &ImageManifest, several: usize) -> String {
    format!("{} of {several} archives, where one is expected", kind_of_whole(manifest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(config: &str, layers: &[&str]) -> Option<String> {
        let layers = layers.iter().map(|layer| Descriptor::of(layer, &[0; 100])).collect();
        kind_of_artifact(&ImageManifest::new(Descriptor::of(config, b"{}"), layers))
    }

    #[test]
    fn known_kinds_are_named() {
        let cases = [
            (
                "application/vnd.cncf.helm.config.v1+json",
                "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
                "Helm",
            ),
            (
                media_type::IMAGE_CONFIG,
                "application/vnd.dev.cosign.simplesigning.v1+json",
                "signature",
            ),
            (media_type::EMPTY, "application/vnd.dev.sigstore.bundle.v0.3+json", "signature"),
            (media_type::IMAGE_CONFIG, "application/vnd.in-toto+json", "attestation"),
            (media_type::EMPTY, "application/spdx+json", "SBOM"),
            (media_type::EMPTY, "application/vnd.CycloneDX+json", "SBOM"),
        ];
        for (config, layer, expected) in cases {
            let found = kind(config, &[layer]).unwrap_or_default();
            assert!(found.contains(expected), "{layer}: {found}");
        }
    }

    #[test]
    fn unknown_kinds_judged_by_bytes() {
        let tar = "application/vnd.oci.image.layer.v1.tar+gzip";
        for layers in
            [&["application/octet-stream"][..], &[tar], &["application/x", "text/plain", tar]]
        {
            assert_eq!(kind(media_type::IMAGE_CONFIG, layers), None, "{layers:?}");
        }
        assert!(
            kind(media_type::IMAGE_CONFIG, &[tar, tar])
                .expect("several")
                .contains("image of 2 archives")
        );
        assert_eq!(
            kind(media_type::EMPTY, &[tar, tar]),
            None,
            "a plain push calls every file a tar"
        );
        assert!(kind(media_type::IMAGE_CONFIG, &[]).expect("none").contains("without WebAssembly"));
    }
}
