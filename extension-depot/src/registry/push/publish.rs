//! Publishes artifacts and their referrers.

use std::collections::BTreeMap;

use core_types::{Digest, OciReference};

use crate::archives::docs::Docs;
use crate::oci::descriptor::{CREATED, Descriptor};
use crate::oci::image::{ImageIndex, ImageManifest};
use crate::oci::media_type;
use crate::oci::publication::Publication;
use crate::registry::client::{Registry, fetch_document};
use crate::registry::error::RegistryError;
use crate::registry::push::upload::{PushError, Upload, push};

/// What became of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The reference, pinned to the published artifact.
    pub reference: OciReference,
    /// Whether exactly this was there already.
    pub already: bool,
}

/// Something that refers to an artifact.
pub(crate) struct Referrer {
    /// Its kind.
    pub(crate) kind: &'static str,
    pub(crate) annotations: BTreeMap<String, String>,
    /// Its one layer.
    pub(crate) layer: (&'static str, Vec<u8>),
    /// The ending of the tag under which registries keep it that keep nothing without one.
    pub(crate) ending: &'static str,
}

impl Registry {
    /// Publishes an artifact under a tag. The same bytes again change nothing.
    ///
    /// # Errors
    /// [`PushError::Taken`] when other bytes are there and `overwrite` is not said; when the
    /// registry refuses or cannot be reached.
    pub async fn publish(
        &self,
        reference: &OciReference,
        publication: Publication,
        overwrite: bool,
    ) -> Result<Published, PushError> {
        let (new, there) = (publication.digest(), self.tagged_digest(reference).await?);
        let published = |already| Published { reference: reference.pinned_to(new), already };
        match there {
            Some(there) if there == new => return Ok(published(true)),
            Some(there) if !overwrite => {
                return Err(PushError::Taken {
                    reference: Box::new(reference.clone()),
                    there,
                    new,
                });
            }
            _ => {}
        }
        let Publication { manifest, config, mut layers } = publication;
        layers.push(config);
        push(self, reference, Upload { blobs: layers, manifest, media_type: media_type::MANIFEST })
            .await?;
        Ok(published(false))
    }

    /// Returns the digest under a tag at the registry itself; nothing where the tag is missing.
    async fn tagged_digest(
        &self,
        reference: &OciReference,
    ) -> Result<Option<Digest>, RegistryError> {
        match fetch_document(&self.connect(reference)?, reference.revision(), None).await {
            Ok((digest, ..)) => Ok(Some(digest)),
            Err(RegistryError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Publishes pages of documentation, packed by [`Docs::pack`], for a pinned artifact. The same
    /// pages again change nothing.
    ///
    /// # Errors
    /// When the registry refuses or cannot be reached.
    pub async fn publish_docs(
        &self,
        pinned: &OciReference,
        archive: Vec<u8>,
    ) -> Result<(), PushError> {
        if self.docs_archive(pinned).await?.is_some_and(|there| there == archive) {
            return Ok(());
        }
        let subject = self.resolve(pinned).await?.artifact.document();
        let referrer = Referrer {
            kind: media_type::DOCS_ARTIFACT,
            annotations: BTreeMap::from([(CREATED.to_owned(), jiff::Timestamp::now().to_string())]),
            layer: (media_type::DOCS, archive),
            ending: "docs",
        };
        self.attach(pinned, subject, referrer).await
    }

    /// Fetches the pages that were published for a pinned artifact, if there are any: those that
    /// came last.
    ///
    /// # Errors
    /// When the registry cannot be reached, or sends something other than an archive of pages.
    pub async fn docs(&self, pinned: &OciReference) -> Result<Option<Docs>, RegistryError> {
        let archive = self.docs_archive(pinned).await?;
        archive.map(|archive| Docs::unpack(&archive)).transpose().map_err(RegistryError::Docs)
    }

    /// Publishes something that refers to an artifact.
    pub(crate) async fn attach(
        &self,
        pinned: &OciReference,
        subject: Descriptor,
        referrer: Referrer,
    ) -> Result<(), PushError> {
        let Referrer { kind, annotations, layer: (layer_type, layer), ending } = referrer;
        let config = b"{}".to_vec();
        let digest = subject.digest;
        let manifest = ImageManifest {
            artifact_type: Some(kind.to_owned()),
            subject: Some(subject),
            annotations: annotations.clone(),
            ..ImageManifest::new(
                Descriptor::of(media_type::EMPTY, &config),
                vec![Descriptor::of(layer_type, &layer)],
            )
        };
        let bytes = serde_json::to_vec(&manifest)?;
        let entry = Descriptor {
            artifact_type: manifest.artifact_type,
            annotations,
            ..Descriptor::of(media_type::MANIFEST, &bytes)
        };
        // A tag of its own is what every registry takes; it is found by the list of referrers.
        let tag = format!("sha256-{}.{ending}", entry.digest.hex());
        let upload = Upload {
            blobs: vec![layer, config],
            manifest: bytes,
            media_type: media_type::MANIFEST,
        };
        push(self, &pinned.with_revision(&tag).map_err(not_a_tag)?, upload).await?;
        self.list_referrer(pinned, &digest, entry).await
    }

    /// Registries that do not list referrers by themselves have an index for it, which whoever adds
    /// one has to write
    /// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema>).
    async fn list_referrer(
        &self,
        pinned: &OciReference,
        digest: &Digest,
        entry: Descriptor,
    ) -> Result<(), PushError> {
        if self.lists_referrer(pinned, digest, &entry.digest).await? {
            return Ok(());
        }
        let mut manifests = self.referrers_under_tag(pinned, digest).await?;
        if manifests.iter().any(|other| other.digest == entry.digest) {
            return Ok(());
        }
        manifests.push(entry);
        let index = serde_json::to_vec(&ImageIndex::new(manifests))?;
        let upload = Upload { blobs: Vec::new(), manifest: index, media_type: media_type::INDEX };
        let tag = format!("sha256-{}", digest.hex());
        push(self, &pinned.with_revision(&tag).map_err(not_a_tag)?, upload).await.map(drop)
    }
}

pub(crate) fn not_a_tag(error: core_types::ReferenceError) -> PushError {
    PushError::Registry(RegistryError::malformed(error.to_string()))
}
