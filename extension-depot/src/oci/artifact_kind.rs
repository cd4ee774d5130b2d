//! What artifacts are that are not extensions, told by the media types of their parts.

use crate::archives::file_kind::is_filled_tar;
use crate::oci::descriptor::{Descriptor, MAX_BLOB, TITLE};
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
/// The way to build an image with one archive.
const COPY_ALONE: &str = "; build it `FROM scratch` with one `COPY` of the WebAssembly file alone";

/// Returns the kind of an artifact that cannot be an extension; nothing where its bytes have to
/// tell.
pub(crate) fn kind_of_artifact(manifest: &ImageManifest) -> Option<String> {
    let by_layers = kind_by_layers(manifest);
    let Some(kind) = known_kind(manifest) else { return by_layers };
    let is_other = kind_of_types(types_of_whole(manifest)).is_some();
    let is_taken = manifest.possible_layers().any(|layer| layer.size <= MAX_BLOB);
    (is_other || by_layers.is_some() || !is_taken).then(|| kind.to_owned())
}

/// Returns the kind that any type of an artifact tells, such as that of one layer.
pub(crate) fn known_kind(manifest: &ImageManifest) -> Option<&'static str> {
    let layers = manifest.layers.iter().map(|layer| layer.media_type.as_str());
    kind_of_types(types_of_whole(manifest).chain(layers))
}

/// Returns the kind that a media type of a layer tells, such as that of a list of components.
pub(crate) fn kind_of_layer(media_type: &str) -> Option<&'static str> {
    kind_of_types(std::iter::once(media_type))
}

fn kind_of_types<'a>(types: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    let types: Vec<_> = types.map(str::to_ascii_lowercase).collect();
    let fits = |part: &str| types.iter().any(|media_type| media_type.contains(part));
    KINDS.iter().find(|(part, _)| fits(part)).map(|(_, what)| *what)
}

/// Returns the types of an artifact as a whole.
fn types_of_whole(manifest: &ImageManifest) -> impl Iterator<Item = &str> {
    manifest.artifact_type.as_deref().into_iter().chain([manifest.config.media_type.as_str()])
}

/// Returns the kind of an artifact without a layer for a binary, or with several large archives.
fn kind_by_layers(manifest: &ImageManifest) -> Option<String> {
    if manifest.possible_layers().next().is_none() {
        return Some(format!("{} without WebAssembly", kind_of_whole(manifest)));
    }
    // A plain push calls a single file a tar as well, and gives it a title.
    let is_archive = |layer: &&Descriptor| is_filled_tar(&layer.media_type, layer.size);
    let archives = manifest.possible_layers().filter(is_archive).count();
    let has_titles = manifest.layers.iter().any(|layer| layer.annotations.contains_key(TITLE));
    let is_of_several = archives > 1 && !has_titles && kind_of_whole(manifest) == IMAGE;
    is_of_several.then(|| several_archives(manifest))
}

/// Returns the kind of an artifact, by its configuration.
pub(crate) fn kind_of_whole(manifest: &ImageManifest) -> &'static str {
    let is_image = [media_type::IMAGE_CONFIG, media_type::DOCKER_CONFIG]
        .contains(&manifest.config.media_type.as_str());
    if is_image { IMAGE } else { "an artifact" }
}

/// Describes an artifact with several archives that are not empty.
pub(crate) fn several_archives(manifest: &ImageManifest) -> String {
    let whole = kind_of_whole(manifest);
    let fix = if whole == IMAGE { COPY_ALONE } else { "" };
    format!("{whole} with files in several archives, where one is expected{fix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What publishers push beside a binary.
    const SIDE_LAYERS: [&str; 5] = [
        "application/spdx+json",
        "application/vnd.cyclonedx+json",
        "application/vnd.in-toto+json",
        "application/vnd.dev.cosign.simplesigning.v1+json",
        "application/vnd.cncf.helm.chart.provenance.v1.prov",
    ];

    /// Returns the kind of an artifact whose layers have 100 bytes each.
    fn kind(config: &str, layers: &[&str]) -> Option<String> {
        kind_of_sizes(config, &layers.iter().map(|layer| (*layer, 100)).collect::<Vec<_>>())
    }

    fn kind_of_sizes(config: &str, layers: &[(&str, u64)]) -> Option<String> {
        let layer = |(media_type, size): &(&str, u64)| {
            Descriptor::new(media_type, crate::oci::blob::digest_of(b""), *size)
        };
        let layers = layers.iter().map(layer).collect();
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
        let plain_tar = "application/vnd.oci.image.layer.v1.tar";
        for layers in [
            &["application/octet-stream"][..],
            &[tar],
            &["application/x", "text/plain", tar],
            // Of 100 bytes, all but one can be of directories alone.
            &[plain_tar, tar, tar],
        ] {
            assert_eq!(kind(media_type::IMAGE_CONFIG, layers), None, "{layers:?}");
        }
        let large = &[(tar, 2 << 20), (tar, 2 << 20)];
        assert!(
            kind_of_sizes(media_type::IMAGE_CONFIG, large)
                .expect("several")
                .starts_with("a container image with files in several archives")
        );
        assert_eq!(
            kind_of_sizes(media_type::EMPTY, large),
            None,
            "a plain push calls every file a tar"
        );
        assert!(kind(media_type::IMAGE_CONFIG, &[]).expect("none").contains("without WebAssembly"));
    }

    /// A known kind of one layer tells nothing of another, unless that one is not taken at all.
    #[test]
    fn side_layers_leave_it_to_bytes() {
        let unknown = "application/octet-stream";
        for side in SIDE_LAYERS {
            for config in [media_type::IMAGE_CONFIG, media_type::EMPTY] {
                assert_eq!(kind(config, &[side, unknown]), None, "{side}");
                assert_eq!(kind(config, &[unknown, side]), None, "{side}");
            }
            let alone = kind(media_type::EMPTY, &[side]);
            assert!(alone.is_some() && kind(media_type::EMPTY, &[side, side]) == alone);
            let large = kind_of_sizes(media_type::EMPTY, &[(unknown, MAX_BLOB + 1), (side, 100)]);
            assert_eq!(large, alone, "{side}");
            let chart = kind("application/vnd.cncf.helm.config.v1+json", &[unknown, side]);
            assert!(chart.is_some(), "the configuration is that of the whole: {side}");
        }
    }
}
