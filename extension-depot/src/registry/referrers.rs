//! Referrers of artifacts: signatures, attestations and others.

use std::collections::HashSet;

use core_types::{Digest, OciReference};
use futures_util::future::{join, join_all};

use crate::oci::attachment::Attachment;
use crate::oci::descriptor::{CREATED, Descriptor, MAX_REFERRED, REF_NAME};
use crate::oci::document::Document;
use crate::oci::image::{ImageIndex, ImageManifest};
use crate::oci::media_type;
use crate::registry::client::{Registry, fetch_document};
use crate::registry::error::RegistryError;
use crate::registry::http::connection::{Connection, Target};
use crate::registry::http::paging::{Reader, read_all};
use crate::trust::signature::bundle::PREDICATE_OF_BUNDLE;
use crate::trust::signature::forms::{MAX_REFERRERS, is_signature, says_signature};
use crate::trust::signature::verifier::Verifier;
use crate::trust::signature_state::SignatureState;

/// The annotation for the type of a statement, in cosign's layers.
const PREDICATE: &str = "predicateType";
/// The endings of the tags under which cosign keeps signatures, attestations and bills of materials
/// (<https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>).
const TAG_ENDINGS: [&str; 3] = ["sig", "att", "sbom"];

impl Registry {
    /// Everything that refers to the artifact that a reference is pinned to: by the registry's list
    /// of
    /// [referrers](https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers),
    /// or the tag that stands for it in older registries, and by cosign's tags. Nothing of it is
    /// believed yet.
    ///
    /// # Errors
    /// When nothing is found and the registry cannot be reached or sends something else, or when
    /// there is too much. That nothing refers to it is not an error.
    pub async fn referrers(&self, pinned: &OciReference) -> Result<Vec<Attachment>, RegistryError> {
        let Some(digest) = pinned.pinned_digest().map_err(RegistryError::Pin)? else {
            return Ok(Vec::new());
        };
        self.at_each(pinned, async |connection| all(connection, &digest, Which::All).await.any())
            .await
    }

    /// Returns the kinds of an artifact's referrers, such as signatures, bills of materials and
    /// attestations: the predicate of an attestation, else a media type.
    ///
    /// # Errors
    /// As [`Registry::referrers`].
    pub async fn referrer_types(
        &self,
        pinned: &OciReference,
    ) -> Result<Vec<String>, RegistryError> {
        let Some(digest) = pinned.pinned_digest().map_err(RegistryError::Pin)? else {
            return Ok(Vec::new());
        };
        let look = async |connection: &Connection<'_>| {
            all(connection, &digest, Which::Manifests).await.any()
        };
        let found = self.at_each(pinned, look).await?;
        let kind = |ImageManifest { artifact_type, layers, mut annotations, .. }: ImageManifest| {
            let of_layer = || {
                layers.into_iter().next().map(|mut layer| {
                    layer.annotations.remove(PREDICATE).unwrap_or(layer.media_type)
                })
            };
            annotations.remove(PREDICATE_OF_BUNDLE).or(artifact_type).or_else(of_layer)
        };
        Ok(found.into_iter().filter_map(|attachment| kind(attachment.manifest)).collect())
    }

    /// Returns the archive of the documentation that refers to the artifact that a reference is
    /// pinned to: of several, the newest. Only that one is fetched.
    pub(crate) async fn docs_archive(
        &self,
        pinned: &OciReference,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let Some(digest) = pinned.pinned_digest().map_err(RegistryError::Pin)? else {
            return Ok(None);
        };
        self.at_each(pinned, async |connection| newest_docs(connection, &digest).await).await
    }

    /// Fetches and verifies the signatures of a pinned artifact, where these signers are trusted. A
    /// signature counts wherever it is found; what cannot be looked at matters only where there is
    /// none.
    pub async fn signature(&self, pinned: &OciReference, signers: &[Verifier]) -> SignatureState {
        let Ok(Some(digest)) = pinned.pinned_digest() else {
            return SignatureState::of(pinned, &[], signers);
        };
        let look = async |connection: &Connection<'_>| {
            let Found { attachments, broken } = all(connection, &digest, Which::Signatures).await;
            match (SignatureState::of(pinned, &attachments, signers), broken) {
                (SignatureState::Unsigned, Some(error)) => Err(error),
                (state, _) => Ok(state),
            }
        };
        let looked = self.at_each(pinned, look).await;
        looked.unwrap_or_else(|error| SignatureState::Unchecked { reason: error.to_string() })
    }
}

impl Registry {
    /// Returns whether the registry itself lists a referrer of a digest. Registries without such
    /// lists answer anything at all, and some answer an empty list.
    pub(crate) async fn lists_referrer(
        &self,
        reference: &OciReference,
        digest: &Digest,
        referrer: &Digest,
    ) -> Result<bool, RegistryError> {
        let listed = list_of_registry(&self.connect(reference)?, digest).await;
        let is_it = |entry: &Descriptor| entry.digest == *referrer;
        Ok(listed.is_ok_and(|entries| entries.is_some_and(|entries| entries.iter().any(is_it))))
    }

    /// Fetches the referrers of a digest from the index under the tag that stands for the list:
    /// whoever adds to it must not begin with a mirror's.
    pub(crate) async fn referrers_under_tag(
        &self,
        reference: &OciReference,
        digest: &Digest,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        Ok(list_under_tag(&self.connect(reference)?, digest).await?.unwrap_or_default())
    }
}

/// Returns the manifest of the signatures under a tag, if there is one.
pub(crate) async fn find_signature(
    connection: &Connection<'_>,
    tag: &str,
) -> Result<Option<ImageManifest>, RegistryError> {
    Ok(tagged(connection, tag, Which::Manifests).await?.map(|attachment| attachment.manifest))
}

/// Fetches the artifact under a tag, if it is there.
async fn tagged(
    connection: &Connection<'_>,
    tag: &str,
    which: Which,
) -> Result<Option<Attachment>, RegistryError> {
    if_there(attachment(connection, tag, None, Some(tag.to_owned()), which).await)
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

/// The referrers that were found, and the first problem.
#[derive(Default)]
struct Found {
    attachments: Vec<Attachment>,
    broken: Option<RegistryError>,
}

impl Found {
    /// Keeps an error. That there is more than was found counts most.
    fn note<T>(&mut self, result: Result<T, RegistryError>) -> Option<T> {
        match result {
            Ok(found) => return Some(found),
            Err(error) if self.broken.is_none() || is_incomplete(&error) => {
                self.broken = Some(error)
            }
            Err(_) => {}
        }
        None
    }

    /// Everything, where anything was found. A list that is known to be incomplete is an error.
    fn any(self) -> Result<Vec<Attachment>, RegistryError> {
        match self.broken {
            Some(error) if self.attachments.is_empty() || is_incomplete(&error) => Err(error),
            _ => Ok(self.attachments),
        }
    }

    /// Returns the entries of both lists of referrers, each once.
    fn entries(
        &mut self,
        lists: [Result<Option<Vec<Descriptor>>, RegistryError>; 2],
    ) -> Vec<Descriptor> {
        let mut known = HashSet::new();
        let entries = lists.into_iter().filter_map(|list| self.note(list).flatten()).flatten();
        entries.filter(|entry| known.insert(entry.digest)).collect()
    }

    /// Fetches entries. A registry that fails by itself is not asked for the others, for each would
    /// be waited for.
    async fn fetch(&mut self, connection: &Connection<'_>, entries: &[Descriptor], which: Which) {
        for entry in entries {
            let name = entry.digest.to_string();
            let fetched = attachment(connection, &name, Some(&entry.digest), None, which).await;
            let has_failed =
                fetched.as_ref().is_err_and(|error| error.is_transient() || is_timeout(error));
            let fetched = self.note(fetched);
            self.attachments.extend(fetched);
            if has_failed {
                break;
            }
        }
    }
}

async fn newest_docs(
    connection: &Connection<'_>,
    digest: &Digest,
) -> Result<Option<Vec<u8>>, RegistryError> {
    let is_docs =
        |entry: &&Descriptor| entry.artifact_type.as_deref() == Some(media_type::DOCS_ARTIFACT);
    let mut found = Found::default();
    let lists =
        [list_of_registry(connection, digest).await, list_under_tag(connection, digest).await];
    let entries = found.entries(lists);
    let mut newest: Option<ImageManifest> = None;
    // The order of the list means nothing; the time does, which not every registry puts into its
    // list.
    for entry in entries.iter().rev().filter(is_docs).take(MAX_REFERRERS) {
        let name = entry.digest.to_string();
        let found = attachment(connection, &name, Some(&entry.digest), None, Which::Manifests)
            .await?
            .manifest;
        if newest
            .as_ref()
            .is_none_or(|newest| newest.annotations.get(CREATED) < found.annotations.get(CREATED))
        {
            newest = Some(found);
        }
    }
    if let (None, Some(error)) = (&newest, found.broken) {
        return Err(error);
    }
    let Some(newest) = newest else { return Ok(None) };
    let Some(layer) = newest.layers.iter().find(|layer| layer.media_type == media_type::DOCS)
    else {
        return Ok(None);
    };
    connection.blob(&layer.digest, MAX_REFERRED).await.map(Some)
}

/// Looks for everything in the lists of referrers and under cosign's tags. One that cannot be
/// looked at stops no other.
async fn all(connection: &Connection<'_>, digest: &Digest, which: Which) -> Found {
    let mut found = Found::default();
    // The first request has logged in where that is wanted. The others wait at the same time, for a
    // registry that is silent.
    let by_registry = list_of_registry(connection, digest).await;
    let (under_tag, tags) =
        join(list_under_tag(connection, digest), of_tags(connection, digest, which)).await;
    let mut entries = found.entries([by_registry, under_tag]);
    entries.sort_by_key(|entry| which == Which::Signatures && !says_signature(entry));
    if entries.len() > MAX_REFERRERS {
        found.note(Err::<(), _>(too_many(connection)));
    }
    entries.truncate(MAX_REFERRERS);
    found.fetch(connection, &entries, which).await;
    for tagged in tags {
        let tagged = found.note(tagged).flatten();
        found.attachments.extend(tagged);
    }
    found
}

/// What cosign's tags lead to, each by itself.
async fn of_tags(
    connection: &Connection<'_>,
    digest: &Digest,
    which: Which,
) -> Vec<Result<Option<Attachment>, RegistryError>> {
    let endings = match which {
        Which::Signatures => &TAG_ENDINGS[..1],
        Which::All | Which::Manifests => &TAG_ENDINGS[..],
    };
    let look = async |ending: &&str| {
        tagged(connection, &format!("sha256-{}.{ending}", digest.hex()), which).await
    };
    join_all(endings.iter().map(look)).await
}

fn is_incomplete(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Incomplete { .. })
}

fn is_timeout(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Timeout { .. })
}

/// Returns the registry's own list of referrers, if it has such lists.
async fn list_of_registry(
    connection: &Connection<'_>,
    digest: &Digest,
) -> Result<Option<Vec<Descriptor>>, RegistryError> {
    let reader = Reader { accept: media_type::INDEX, parse: parse_list, key };
    if_there(read_all(connection, &Target::Referrers(digest), &reader).await)
}

/// Returns the index under the tag that stands for such a list.
async fn list_under_tag(
    connection: &Connection<'_>,
    digest: &Digest,
) -> Result<Option<Vec<Descriptor>>, RegistryError> {
    const ACCEPT: &str =
        "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";
    let reader = Reader { accept: ACCEPT, parse: parse_tagged, key };
    if_there(
        read_all(connection, &Target::Manifest(&format!("sha256-{}", digest.hex())), &reader).await,
    )
}

fn if_there<T>(result: Result<T, RegistryError>) -> Result<Option<T>, RegistryError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(RegistryError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn key(entry: &Descriptor) -> String {
    entry.digest.to_string()
}

/// Parses a page of the registry's list.
fn parse_list(bytes: &[u8]) -> Result<Vec<Descriptor>, RegistryError> {
    let malformed = |error| RegistryError::malformed(format!("the list of referrers: {error}"));
    let index: ImageIndex = serde_json::from_slice(bytes).map_err(malformed)?;
    Ok(index.manifests)
}

/// Parses the document under the tag. Older tools put a referrer itself there.
fn parse_tagged(bytes: &[u8]) -> Result<Vec<Descriptor>, RegistryError> {
    match Document::parse(bytes, None) {
        Ok(Document::Manifest(_)) => Ok(vec![Descriptor::of(media_type::MANIFEST, bytes)]),
        _ => parse_list(bytes),
    }
}

fn too_many(connection: &Connection<'_>) -> RegistryError {
    let reason = format!("it has more than {MAX_REFERRERS} referrers, which are not all fetched");
    RegistryError::Incomplete { registry: connection.registry().to_owned(), reason }
}

/// Returns a manifest with its blobs.
async fn attachment(
    connection: &Connection<'_>,
    name: &str,
    expected: Option<&Digest>,
    tag: Option<String>,
    which: Which,
) -> Result<Attachment, RegistryError> {
    let (digest, bytes, declared) = fetch_document(connection, name, expected).await?;
    let Document::Manifest(manifest) = Document::parse(&bytes, declared.as_deref())? else {
        return Err(RegistryError::malformed("an index refers to it"));
    };
    manifest.check_referrer()?;
    let mut blobs = Vec::new();
    let is_wanted = |blob: &&Descriptor| match which {
        Which::All => true,
        Which::Signatures => is_signature(blob),
        Which::Manifests => false,
    };
    for blob in manifest.blobs().filter(is_wanted).take(MAX_REFERRERS) {
        blobs.push((blob.digest, connection.blob(&blob.digest, MAX_REFERRED).await?));
    }
    let mut descriptor = Descriptor::of(media_type::MANIFEST, &bytes);
    descriptor.artifact_type.clone_from(&manifest.artifact_type);
    if let Some(tag) = tag {
        descriptor.annotations.insert(REF_NAME.to_owned(), tag);
    }
    blobs.push((digest, bytes));
    Ok(Attachment { descriptor, manifest: *manifest, blobs })
}
