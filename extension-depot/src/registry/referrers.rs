//! What refers to an artifact: signatures, attestations and the like.

use core_types::{Digest, OciReference};

use super::error::RegistryError;
use super::http::{Connection, Target};
use super::paging::{Reader, read_all};
use super::{Registry, fetch_document};
use crate::attachment::Attachment;
use crate::blob::check;
use crate::image::{
    CREATED, Descriptor, Document, ImageError, ImageIndex, ImageManifest, MAX_REFERRED, REF_NAME,
    media_type,
};
use crate::signature::{PREDICATE_OF_BUNDLE, Verifier};
use crate::signature_state::SignatureState;

/// The most things that are fetched for one artifact.
const MOST: usize = 64;
/// The annotation that says what the statement in an attestation is, by cosign's layers.
const PREDICATE: &str = "predicateType";
/// The endings of the tags under which cosign keeps signatures, attestations and bills of materials
/// (<https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>).
const TAG_ENDINGS: [&str; 3] = ["sig", "att", "sbom"];

impl Registry {
    /// Everything that refers to the artifact that a reference is pinned to: by the registry's list of
    /// [referrers](https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers), or the tag that
    /// stands for it in older registries, and by cosign's tags. Nothing of it is believed yet.
    ///
    /// # Errors
    /// When the registry cannot be reached or sends something else. That nothing refers to it is no error.
    pub async fn referrers(&self, pinned: &OciReference) -> Result<Vec<Attachment>, RegistryError> {
        let Some(digest) = pinned.pinned_digest().map_err(RegistryError::Pin)? else { return Ok(Vec::new()) };
        self.at_each(pinned, async |connection| all(connection, &digest, Which::All).await).await
    }

    /// The kinds of what refers to the artifact that a reference is pinned to, such as signatures, bills of materials and
    /// attestations: what an attestation says that it states, else a media type.
    ///
    /// # Errors
    /// As [`Registry::referrers`].
    pub async fn referrer_types(&self, pinned: &OciReference) -> Result<Vec<String>, RegistryError> {
        let Some(digest) = pinned.pinned_digest().map_err(RegistryError::Pin)? else { return Ok(Vec::new()) };
        let found = self.at_each(pinned, async |connection| all(connection, &digest, Which::Manifests).await).await?;
        let kind = |ImageManifest { artifact_type, layers, mut annotations, .. }: ImageManifest| {
            let of_layer = || {
                layers
                    .into_iter()
                    .next()
                    .map(|mut layer| layer.annotations.remove(PREDICATE).unwrap_or(layer.media_type))
            };
            annotations.remove(PREDICATE_OF_BUNDLE).or(artifact_type).or_else(of_layer)
        };
        Ok(found.into_iter().filter_map(|attachment| kind(attachment.manifest)).collect())
    }

    /// The archive of the documentation that refers to the artifact that a reference is pinned to: of several, what was made
    /// last. Only that one is fetched.
    pub(crate) async fn docs_archive(&self, pinned: &OciReference) -> Result<Option<Vec<u8>>, RegistryError> {
        let Some(digest) = pinned.pinned_digest().map_err(RegistryError::Pin)? else { return Ok(None) };
        self.at_each(pinned, async |connection| newest_docs(connection, &digest).await).await
    }

    /// What is known of who signed the artifact that a reference is pinned to, where these signers are trusted.
    pub async fn signature(&self, pinned: &OciReference, signers: &[Verifier]) -> SignatureState {
        let Ok(Some(digest)) = pinned.pinned_digest() else { return SignatureState::of(pinned, &[], signers) };
        match self.at_each(pinned, async |connection| all(connection, &digest, Which::Signatures).await).await {
            Ok(attachments) => SignatureState::of(pinned, &attachments, signers),
            Err(error) => SignatureState::Unchecked { reason: error.to_string() },
        }
    }
}

/// The referrers of an artifact that are known, and by whom they are listed.
pub(crate) struct ReferrerList {
    pub(crate) entries: Vec<Descriptor>,
    /// Whether the registry lists them by itself.
    pub(crate) is_listed_by_registry: bool,
}

impl Registry {
    /// What the registry itself, or the index under the tag that stands for it, has as referrers of a digest: whoever adds to
    /// the list must not begin with a mirror's.
    pub(crate) async fn referrer_list(
        &self,
        reference: &OciReference,
        digest: &Digest,
    ) -> Result<ReferrerList, RegistryError> {
        list(&self.connect(reference)?, digest).await
    }
}

/// The manifest of the signatures under a tag, if there is one.
pub(crate) async fn find_signature(
    connection: &Connection<'_>,
    tag: &str,
) -> Result<Option<ImageManifest>, RegistryError> {
    Ok(tagged(connection, tag, Which::Manifests).await?.map(|attachment| attachment.manifest))
}

/// What a tag leads to, if it is there.
async fn tagged(connection: &Connection<'_>, tag: &str, which: Which) -> Result<Option<Attachment>, RegistryError> {
    match attachment(connection, tag, None, Some(tag.to_owned()), which).await {
        Ok(attachment) => Ok(Some(attachment)),
        Err(RegistryError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What of all that refers to an artifact is fetched whole.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    /// Of everything else no more than the manifest.
    Signatures,
    /// Nothing but manifests.
    Manifests,
}

async fn newest_docs(connection: &Connection<'_>, digest: &Digest) -> Result<Option<Vec<u8>>, RegistryError> {
    let is_docs = |entry: &&Descriptor| entry.artifact_type.as_deref() == Some(media_type::DOCS_ARTIFACT);
    let entries = list(connection, digest).await?.entries;
    let mut newest: Option<ImageManifest> = None;
    // The order of the list means nothing; the time does, which not every registry puts into its list.
    for entry in entries.iter().rev().filter(is_docs).take(MOST) {
        let name = entry.digest.to_string();
        let found = attachment(connection, &name, Some(&entry.digest), None, Which::Manifests).await?.manifest;
        if newest.as_ref().is_none_or(|newest| newest.annotations.get(CREATED) < found.annotations.get(CREATED)) {
            newest = Some(found);
        }
    }
    let Some(newest) = newest else { return Ok(None) };
    let Some(layer) = newest.layers.iter().find(|layer| layer.media_type == media_type::DOCS) else {
        return Ok(None);
    };
    let (bytes, _) = connection.get_bytes(&Target::Blob(&layer.digest), "*/*", MAX_REFERRED).await?;
    check(&bytes, &layer.digest).map_err(RegistryError::Blob)?;
    Ok(Some(bytes))
}

async fn all(connection: &Connection<'_>, digest: &Digest, which: Which) -> Result<Vec<Attachment>, RegistryError> {
    let mut found = Vec::new();
    let entries = list(connection, digest).await?.entries;
    if entries.len() > MOST {
        return Err(too_many(connection));
    }
    for descriptor in entries {
        let name = descriptor.digest.to_string();
        found.push(attachment(connection, &name, Some(&descriptor.digest), None, which).await?);
    }
    let endings = match which {
        Which::Signatures => &TAG_ENDINGS[..1],
        Which::All | Which::Manifests => &TAG_ENDINGS[..],
    };
    for ending in endings {
        found.extend(tagged(connection, &format!("sha256-{}.{ending}", digest.hex()), which).await?);
    }
    Ok(found)
}

/// The registry's list, else the index under the tag that stands for it, else nothing.
async fn list(connection: &Connection<'_>, digest: &Digest) -> Result<ReferrerList, RegistryError> {
    let tag = format!("sha256-{}", digest.hex());
    for (target, is_listed_by_registry) in [(Target::Referrers(digest), true), (Target::Manifest(&tag), false)] {
        match read_all(connection, &target, &READER).await {
            Ok(entries) => return Ok(ReferrerList { entries, is_listed_by_registry }),
            Err(RegistryError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(ReferrerList { entries: Vec::new(), is_listed_by_registry: false })
}

/// Each page is an index.
const READER: Reader<Descriptor> =
    Reader { accept: media_type::INDEX, parse, key: |entry| entry.digest.to_string() };

fn parse(bytes: &[u8]) -> Result<Vec<Descriptor>, RegistryError> {
    let index: ImageIndex = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    Ok(index.manifests)
}

fn too_many(connection: &Connection<'_>) -> RegistryError {
    let reason = format!("it has more than {MOST} referrers, which are not all fetched");
    RegistryError::Incomplete { registry: connection.registry().to_owned(), reason }
}

fn malformed(error: &serde_json::Error) -> RegistryError {
    RegistryError::Image(ImageError::Malformed { reason: format!("the list of referrers: {error}") })
}

fn is_signature(blob: &Descriptor) -> bool {
    blob.media_type == crate::signature::CLASSIC || blob.media_type.starts_with(crate::signature::BUNDLE)
}

/// A manifest with its blobs.
async fn attachment(
    connection: &Connection<'_>,
    name: &str,
    expected: Option<&Digest>,
    tag: Option<String>,
    which: Which,
) -> Result<Attachment, RegistryError> {
    let (digest, bytes, declared) = fetch_document(connection, name, expected).await?;
    let Document::Manifest(manifest) = Document::parse(&bytes, declared.as_deref())? else {
        return Err(RegistryError::Image(ImageError::Malformed { reason: "an index refers to it".to_owned() }));
    };
    manifest.check_referrer()?;
    let mut blobs = Vec::new();
    let is_wanted = |blob: &&Descriptor| match which {
        Which::All => true,
        Which::Signatures => is_signature(blob),
        Which::Manifests => false,
    };
    for blob in manifest.blobs().filter(is_wanted).take(MOST) {
        let (bytes, _) = connection.get_bytes(&Target::Blob(&blob.digest), "*/*", MAX_REFERRED).await?;
        check(&bytes, &blob.digest).map_err(RegistryError::Blob)?;
        blobs.push((blob.digest, bytes));
    }
    let mut descriptor = Descriptor::of(media_type::MANIFEST, &bytes);
    descriptor.artifact_type.clone_from(&manifest.artifact_type);
    if let Some(tag) = tag {
        descriptor.annotations.insert(REF_NAME.to_owned(), tag);
    }
    blobs.push((digest, bytes));
    Ok(Attachment { descriptor, manifest: *manifest, blobs })
}
