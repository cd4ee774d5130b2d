//! Reads bundles.
//!
//! The maker of a bundle can write any origin into it. So the origin of an entry is a claim, and
//! the entry is known by its bytes until a registry, a trusted signer or a pinned manifest confirms
//! the claim.

use std::path::Path;

use core_types::event::{AuthorEvents, EventTables};
use core_types::{Digest, ExtensionName, OciReference, ReferenceError, parse_toml};

use crate::oci::descriptor::{Descriptor, ORIGIN, REF_NAME, SCHEDULES};
use crate::oci::image_error::ImageError;
use crate::oci::media_type::STORAGE;
use crate::source::layout_source::LayoutSource;
use crate::source::source_error::SourceError;
use crate::source::staging::Staged;
use crate::store::depot::Depot;

/// The most extensions of a bundle: more than users have, and few enough that an import comes to an
/// end.
const MAX_EXTENSIONS: usize = 1_000;

/// An opened bundle. Its blobs are read on demand.
pub struct Bundle {
    pub(super) layout: LayoutSource,
    extensions: Vec<Bundled>,
    /// The entries of the data that extensions keep.
    pub(super) storages: Vec<Descriptor>,
    /// Its other entries.
    #[cfg(feature = "registry")]
    others: signatures::Others,
}

/// One extension of a bundle, as the bundle says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundled {
    /// Its name.
    pub name: ExtensionName,
    /// Where it came from, pinned. The bytes are checked against the pin; that they came from there
    /// is a claim.
    pub claimed: OciReference,
    /// The digest that it is pinned to.
    pub digest: Digest,
    /// The schedules of the user who made the bundle. They grant nothing.
    pub schedules: EventTables,
}

impl Bundled {
    /// Reads an entry of the index; nothing for one that is not an extension.
    ///
    /// # Errors
    /// When its schedules cannot be understood whole. Without a part of them it would be woken at other
    /// times.
    fn read(entry: &Descriptor) -> Result<Option<Self>, ImageError> {
        let Some((name, claimed)) = named(entry) else { return Ok(None) };
        let schedules = schedules(entry).map_err(|problem| ImageError::Malformed {
            reason: format!("the schedules of `{name}`: {problem}"),
        })?;
        Ok(Some(Self { name, claimed, digest: entry.digest, schedules }))
    }

    /// Returns the reference that it is known by while nothing confirms its origin:
    /// `local/bundle/NAME:TAG@DIGEST`.
    ///
    /// # Errors
    /// When that is not a reference.
    pub fn own_reference(&self) -> Result<OciReference, ReferenceError> {
        Ok(OciReference::local_bundle(&self.name, self.claimed.revision())?.pinned_to(self.digest))
    }
}

/// Returns the name of an extension, and the reference that is said to be its own.
fn named(entry: &Descriptor) -> Option<(ExtensionName, OciReference)> {
    let claimed: OciReference = entry.annotations.get(ORIGIN)?.parse().ok()?;
    let is_pinned_to_it = claimed.pinned_digest() == Ok(Some(entry.digest));
    let name = entry.annotations.get(REF_NAME)?.parse().ok()?;
    is_pinned_to_it.then_some((name, claimed))
}

/// Reads the schedules of an entry. They come from others, so that they have no setting that belongs to
/// the user alone.
fn schedules(entry: &Descriptor) -> Result<EventTables, String> {
    let Some(text) = entry.annotations.get(SCHEDULES) else { return Ok(EventTables::default()) };
    let parsed = parse_toml::<AuthorEvents>(text);
    let parsed = parsed.map_err(|problem| format!("line {}: {}", problem.line, problem.message))?;
    let tables = parsed.value.into_tables();
    match parsed.unknown_keys.first() {
        Some(unknown) => Err(format!("`{}` is unknown", unknown.path)),
        None if tables.schedules() != tables => Err("they have other settings".to_owned()),
        None => Ok(tables),
    }
}

impl Bundle {
    /// Opens a bundle. Entries of its index that are not extensions may be referrers.
    ///
    /// # Errors
    /// When it is not a layout, has too many extensions, or schedules that cannot be understood.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let layout = LayoutSource::open(path)?;
        let (storages, entries): (Vec<_>, Vec<_>) =
            layout.index()?.manifests.into_iter().partition(|entry| entry.media_type == STORAGE);
        let read = entries.iter().filter_map(|entry| Bundled::read(entry).transpose());
        let extensions = read.collect::<Result<Vec<_>, _>>()?;
        if extensions.len() > MAX_EXTENSIONS {
            let reason =
                format!("it has {} extensions; the limit is {MAX_EXTENSIONS}", extensions.len());
            return Err(ImageError::Malformed { reason }.into());
        }
        Ok(Self {
            layout,
            extensions,
            storages,
            #[cfg(feature = "registry")]
            others: signatures::Others::of(entries),
        })
    }

    /// Returns the extensions in it, in the order in which it names them.
    pub fn extensions(&self) -> &[Bundled] {
        &self.extensions
    }
}

impl Depot {
    /// Stages an extension of a bundle under the reference that the bundle says it came from.
    ///
    /// # Errors
    /// When its bytes are not there or not what their digests say.
    pub fn stage_bundled(&self, bundle: &Bundle, bundled: &Bundled) -> Result<Staged, SourceError> {
        self.stage_entry(&bundle.layout, bundled.digest, bundled.claimed.clone())
    }
}

#[cfg(feature = "registry")]
mod signatures {
    use std::cell::OnceCell;
    use std::collections::HashMap;

    use core_types::{Digest, OciReference};
    use serde::Deserialize;

    use super::Bundle;
    use crate::oci::attachment::Attachment;
    use crate::oci::descriptor::{Descriptor, MAX_MANIFEST, MAX_REFERRED, ORIGIN, REF_NAME};
    use crate::oci::document::Document;
    use crate::oci::image_error::ImageError;
    use crate::source::source_error::SourceError;
    use crate::trust::signature::forms::{MAX_REFERRERS, is_signature, says_signature};

    /// The most bytes of all signatures of one extension together, with their documents. A
    /// signature has some kilobytes, and all of them are in memory at once.
    const MAX_SIGNATURES: u64 = 16 << 20;

    /// The entries of a bundle that are not extensions, some of which may be referrers.
    pub(crate) struct Others {
        entries: Vec<Descriptor>,
        /// The places of the entries, by their subject.
        attached: OnceCell<HashMap<Digest, Vec<usize>>>,
    }

    impl Others {
        /// Those among the entries of a bundle's index.
        pub(crate) fn of(mut entries: Vec<Descriptor>) -> Self {
            entries.retain(|entry| !entry.annotations.contains_key(ORIGIN));
            Self { entries, attached: OnceCell::new() }
        }
    }

    /// The subject of a manifest.
    #[derive(Deserialize)]
    struct Referrer {
        subject: Option<Subject>,
    }

    #[derive(Deserialize)]
    struct Subject {
        digest: Digest,
    }

    /// Returns the digest in a tag `sha256-HEX.sig`.
    fn digest_of_tag(tag: &str) -> Option<Digest> {
        let hex = tag.strip_prefix("sha256-")?.strip_suffix(".sig")?;
        Digest::from_hex(hex)
    }

    impl Bundle {
        /// Returns the referrers in the bundle that could be a signature of an extension, with the
        /// same bounds as in a registry.
        ///
        /// # Errors
        /// When bytes are not there or not what their digests say, or there are too many.
        pub fn signatures(&self, pinned: &OciReference) -> Result<Vec<Attachment>, SourceError> {
            let Ok(Some(digest)) = pinned.pinned_digest() else { return Ok(Vec::new()) };
            let mut entries = self.attached_to(&digest)?;
            entries.sort_by_key(|entry| !says_signature(entry));
            entries.truncate(MAX_REFERRERS);
            let (mut found, mut bytes) = (Vec::new(), 0);
            for entry in entries {
                found.extend(self.signature(entry, &mut bytes)?);
            }
            Ok(found)
        }

        /// Returns the referrers of a digest, found in one pass over all referrers.
        fn attached_to(&self, digest: &Digest) -> Result<Vec<&Descriptor>, SourceError> {
            let attached = match self.others.attached.get() {
                Some(attached) => attached,
                None => {
                    let found = self.find_attached()?;
                    self.others.attached.get_or_init(|| found)
                }
            };
            Ok(attached
                .get(digest)
                .into_iter()
                .flatten()
                .map(|at| &self.others.entries[*at])
                .collect())
        }

        fn find_attached(&self) -> Result<HashMap<Digest, Vec<usize>>, SourceError> {
            let mut attached: HashMap<Digest, Vec<usize>> = HashMap::new();
            // However often the index names a document, it is read once.
            let mut subjects = HashMap::new();
            for (at, entry) in self.others.entries.iter().enumerate() {
                let subject = match subjects.get(&entry.digest) {
                    Some(subject) => *subject,
                    None => {
                        let subject = self.subject(&entry.digest)?;
                        subjects.insert(entry.digest, subject);
                        subject
                    }
                };
                let by_tag = entry.annotations.get(REF_NAME).and_then(|tag| digest_of_tag(tag));
                if let Some(digest) = by_tag.or(subject) {
                    attached.entry(digest).or_default().push(at);
                }
            }
            Ok(attached)
        }

        /// Returns the subject of a document, if it has one.
        fn subject(&self, digest: &Digest) -> Result<Option<Digest>, SourceError> {
            let bytes = self.layout.blob(digest, MAX_MANIFEST)?;
            let referrer = serde_json::from_slice::<Referrer>(&bytes).ok();
            Ok(referrer.and_then(|referrer| referrer.subject).map(|subject| subject.digest))
        }

        /// Reads the blobs of an entry that could be signatures. `taken` is how many bytes were
        /// taken before.
        fn signature(
            &self,
            entry: &Descriptor,
            taken: &mut u64,
        ) -> Result<Option<Attachment>, SourceError> {
            let mut take = |digest: &Digest, most: u64| -> Result<Vec<u8>, SourceError> {
                let bytes = self.layout.blob(digest, most)?;
                *taken += bytes.len() as u64;
                if *taken <= MAX_SIGNATURES {
                    return Ok(bytes);
                }
                let reason = format!("its signatures have more than {MAX_SIGNATURES} bytes");
                Err(ImageError::Malformed { reason }.into())
            };
            let bytes = take(&entry.digest, MAX_MANIFEST)?;
            let Ok(Document::Manifest(manifest)) = Document::parse(&bytes, None) else {
                return Ok(None);
            };
            manifest.check_referrer()?;
            let mut blobs = Vec::new();
            for blob in manifest.blobs().filter(|blob| is_signature(blob)).take(MAX_REFERRERS) {
                blobs.push((blob.digest, take(&blob.digest, MAX_REFERRED)?));
            }
            blobs.push((entry.digest, bytes));
            Ok(Some(Attachment { descriptor: entry.clone(), manifest: *manifest, blobs }))
        }
    }
}
