//! Fetching artifacts from a registry.

use core_types::{Digest, OciReference};
use futures_util::StreamExt;

use crate::oci::artifact::Artifact;
use crate::oci::blob::{BlobError, check, digest_of};
use crate::oci::descriptor::{Descriptor, MAX_MANIFEST};
use crate::oci::document::Document;
use crate::oci::image::ImageManifest;
use crate::oci::media_type;
use crate::registry::auth::session::Sessions;
use crate::registry::error::RegistryError;
use crate::registry::http::clients::Clients;
use crate::registry::http::connection::{Connection, Target};
use crate::registry::http::retry;
use crate::registry::settings::Settings;
use crate::source::staging::{Staged, Staging};
use crate::store::depot::Depot;

/// The configuration that says nothing
/// (<https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidance-for-an-empty-descriptor>).
const EMPTY: &[u8] = b"{}";
/// The artifacts that are fetched at a time: more do not fill a line better, and registries limit
/// rates.
const AT_ONCE: usize = 8;
/// The largest list of extensions, in bytes, as for a manifest.
const MAX_LIST: u64 = 1 << 20;

/// The progress of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The reference leads to an artifact with so many bytes to come.
    Resolved {
        /// The digest that it is pinned to from now on.
        digest: Digest,
        /// Bytes to come.
        bytes: u64,
    },
    /// So many more bytes have come.
    Received(u64),
    /// Everything has to come again from the start of a blob: so many bytes do not count.
    Restarted(u64),
}

/// Fetches artifacts. Nothing is looked up or connected before it is needed.
pub struct Registry {
    pub(crate) settings: Settings,
    pub(crate) clients: Clients,
    sessions: Sessions,
}

/// A resolved reference. Only documents have been fetched.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The artifact.
    pub artifact: Artifact,
    /// The reference, pinned.
    pub reference: OciReference,
    /// The documents that lead there, with their digests.
    documents: Vec<(Digest, Vec<u8>)>,
}

impl Registry {
    /// Creates a client with these settings.
    pub fn new(settings: Settings) -> Self {
        Self { clients: Clients::new(&settings), sessions: Sessions::default(), settings }
    }

    /// Returns whether a reference is fetched over TLS from each place that may have it.
    pub fn is_secure(&self, reference: &OciReference) -> bool {
        self.settings
            .places(reference)
            .iter()
            .all(|place| self.settings.scheme(place.registry()) == "https")
    }

    /// Follows a reference to its artifact. The tag is looked at once; from then on the digest
    /// counts.
    ///
    /// # Errors
    /// When the registry does not have it, cannot be reached, or sends something else than an
    /// extension.
    pub async fn resolve(&self, reference: &OciReference) -> Result<Resolved, RegistryError> {
        let pin = reference.pinned_digest().map_err(RegistryError::Pin)?;
        let resolved = self
            .at_each(reference, async |connection| resolve_with(connection, reference, pin).await)
            .await;
        self.with_nearest_tags(reference, resolved).await
    }

    /// Fetches an artifact into the depot's staging area and verifies every byte of it.
    ///
    /// # Errors
    /// As [`Registry::resolve`], and when bytes are not what their digests say.
    pub async fn stage(
        &self,
        depot: &Depot,
        resolved: &Resolved,
        progress: &dyn Fn(Progress),
    ) -> Result<Staged, RegistryError> {
        let staging = depot.staging()?;
        for (digest, bytes) in &resolved.documents {
            staging.put(digest, bytes).map_err(RegistryError::Blob)?;
        }
        let blobs: Vec<_> = resolved.artifact.manifest.blobs().cloned().collect();
        let bytes = blobs.iter().map(|blob| blob.size).sum();
        progress(Progress::Resolved { digest: resolved.artifact.digest, bytes });
        let fetch_all = async |connection: &Connection<'_>| {
            for blob in &blobs {
                if blob.digest == digest_of(EMPTY) {
                    // Most producers configure nothing, and everybody knows how that is written.
                    staging.put(&blob.digest, EMPTY).map_err(RegistryError::Blob)?;
                    progress(Progress::Received(EMPTY.len() as u64));
                    continue;
                }
                fetch_blob(connection, &staging, blob, progress).await?;
            }
            Ok(())
        };
        self.at_each(&resolved.reference, fetch_all).await?;
        Ok(Staged::new(staging, resolved.artifact.clone(), resolved.reference.clone())?)
    }

    /// Follows and fetches several references, some at a time. `progress` and `arrived` are told of
    /// each by its place among the references. Results are in input order. A failure does not stop
    /// the others.
    pub async fn stage_all(
        &self,
        depot: &Depot,
        references: &[OciReference],
        progress: &dyn Fn(usize, Progress),
        arrived: &dyn Fn(usize, &Staged),
    ) -> Vec<Result<Staged, RegistryError>> {
        let stage = async |(place, reference): (usize, &OciReference)| {
            let resolved = self.resolve(reference).await?;
            let report = |its| progress(place, its);
            let staged = self.stage(depot, &resolved, &report).await?;
            arrived(place, &staged);
            Ok(staged)
        };
        futures_util::stream::iter(references.iter().enumerate().map(stage))
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    /// Returns a list of extensions that is published as an artifact: its text, and the reference
    /// pinned to its bytes.
    ///
    /// # Errors
    /// When the registry does not have it, cannot be reached, or sends something else than a list.
    pub async fn list(
        &self,
        reference: &OciReference,
    ) -> Result<(OciReference, String), RegistryError> {
        let pin = reference.pinned_digest().map_err(RegistryError::Pin)?;
        let list = self
            .at_each(reference, async |connection| list_with(connection, reference, pin).await)
            .await;
        self.with_nearest_tags(reference, list).await
    }

    /// Resolves a reference to something that can be signed: an extension, or a published list of
    /// extensions.
    ///
    /// # Errors
    /// As [`Registry::resolve`].
    pub async fn resolve_signable(
        &self,
        reference: &OciReference,
    ) -> Result<OciReference, RegistryError> {
        self.signable(reference).await.map(|(pinned, _)| pinned)
    }

    pub(crate) async fn signable(
        &self,
        reference: &OciReference,
    ) -> Result<(OciReference, Descriptor), RegistryError> {
        let pin = reference.pinned_digest().map_err(RegistryError::Pin)?;
        let look =
            async |connection: &Connection<'_>| list_document(connection, reference, pin).await;
        match self.resolve(reference).await {
            Ok(resolved) => Ok((resolved.reference, resolved.artifact.document())),
            // An artifact without an extension may be a list.
            Err(error @ RegistryError::Image(_)) => match self.at_each(reference, look).await {
                Ok((document, _)) => Ok((reference.pinned_to(document.digest), document)),
                Err(_) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Checks that a registry answers, whether it lets strangers in or not.
    ///
    /// # Errors
    /// When it cannot be reached or answers with an error.
    pub async fn reach(&self, reference: &OciReference) -> Result<(), RegistryError> {
        self.connect(reference)?.reach().await
    }

    /// Asks each place that may have a reference, until one has.
    pub(crate) async fn at_each<T>(
        &self,
        reference: &OciReference,
        mut ask: impl AsyncFnMut(&Connection<'_>) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let mut places = self.settings.places(reference);
        let itself = places.pop().unwrap_or_else(|| reference.clone());
        for mirror in &places {
            if let Ok(answer) = ask(&self.connect(mirror)?).await {
                return Ok(answer);
            }
        }
        ask(&self.connect(&itself)?).await
    }

    pub(crate) fn connect(
        &self,
        reference: &OciReference,
    ) -> Result<Connection<'_>, RegistryError> {
        if self.settings.offline {
            return Err(RegistryError::Offline { registry: reference.registry().to_owned() });
        }
        let session = self.sessions.of(&self.settings, reference.registry());
        Connection::new(&self.settings, &self.clients, session, reference)
    }
}

async fn resolve_with(
    connection: &Connection<'_>,
    reference: &OciReference,
    pin: Option<Digest>,
) -> Result<Resolved, RegistryError> {
    let (digest, bytes, declared) = match pin {
        Some(digest) => {
            match fetch_document(connection, &digest.to_string(), Some(&digest)).await {
                Err(error @ RegistryError::NotFound { .. }) => {
                    return Err(explain_missing_pin(connection, reference, digest, error).await);
                }
                other => other?,
            }
        }
        None => fetch_document(connection, reference.revision(), None).await?,
    };
    let mut documents = vec![(digest, bytes)];
    let artifact = match Document::parse(&documents[0].1, declared.as_deref())? {
        Document::Manifest(manifest) => Artifact::new(digest, &documents[0].1, *manifest)?,
        Document::Index(index) => {
            let entry = index.wasm_entry()?;
            let (child, bytes, _) =
                fetch_document(connection, &entry.digest.to_string(), Some(&entry.digest)).await?;
            let artifact =
                Artifact::of_index((digest, documents[0].1.len() as u64), entry, &bytes)?;
            documents.push((child, bytes));
            artifact
        }
    };
    Ok(Resolved { artifact, reference: reference.pinned_to(digest), documents })
}

async fn list_with(
    connection: &Connection<'_>,
    reference: &OciReference,
    pin: Option<Digest>,
) -> Result<(OciReference, String), RegistryError> {
    let (document, manifest) = list_document(connection, reference, pin).await?;
    let layer = manifest.list_layer()?;
    let text = connection.blob(&layer.digest, MAX_LIST).await?;
    let text = String::from_utf8(text)
        .map_err(|_| RegistryError::malformed("the list of extensions is not text"))?;
    Ok((reference.pinned_to(document.digest), text))
}

/// Fetches the manifest of a published list, with its descriptor.
async fn list_document(
    connection: &Connection<'_>,
    reference: &OciReference,
    pin: Option<Digest>,
) -> Result<(Descriptor, ImageManifest), RegistryError> {
    let name = pin.map_or_else(|| reference.revision().to_owned(), |digest| digest.to_string());
    let (digest, bytes, declared) = fetch_document(connection, &name, pin.as_ref()).await?;
    let Document::Manifest(manifest) = Document::parse(&bytes, declared.as_deref())? else {
        return Err(RegistryError::malformed("it is an index and no list of extensions"));
    };
    manifest.list_layer()?;
    Ok((Descriptor::new(media_type::MANIFEST, digest, bytes.len() as u64), *manifest))
}

/// Explains a missing manifest: the reference may be pinned to the digest of a layer.
async fn explain_missing_pin(
    connection: &Connection<'_>,
    reference: &OciReference,
    pin: Digest,
    not_found: RegistryError,
) -> RegistryError {
    let Ok((digest, bytes, _)) = fetch_document(connection, reference.revision(), None).await
    else {
        return not_found;
    };
    match Document::parse(&bytes, None) {
        Ok(Document::Manifest(manifest)) if manifest.blobs().any(|blob| blob.digest == pin) => {
            RegistryError::LayerPinned { given: pin, manifest: digest }
        }
        _ => not_found,
    }
}

/// Returns a document by tag or digest: its digest, its bytes and the media type that it came with.
pub(crate) async fn fetch_document(
    connection: &Connection<'_>,
    name: &str,
    expected: Option<&Digest>,
) -> Result<(Digest, Vec<u8>, Option<String>), RegistryError> {
    const ACCEPT: &[&str] = &[
        media_type::MANIFEST,
        media_type::INDEX,
        media_type::DOCKER_MANIFEST,
        media_type::DOCKER_INDEX,
    ];
    let target = Target::Manifest(name);
    let (bytes, headers) = connection.get_bytes(&target, &ACCEPT.join(", "), MAX_MANIFEST).await?;
    let digest = digest_of(&bytes);
    if let Some(expected) = expected {
        check(&bytes, expected).map_err(RegistryError::Blob)?;
    }
    check_header(headers.digest.as_deref(), digest)?;
    let declared = headers
        .content_type
        .map(without_parameters)
        .filter(|kind| kind.starts_with("application/vnd."));
    Ok((digest, bytes, declared))
}

/// Returns a media type as `; charset=utf-8` leaves it.
fn without_parameters(media_type: String) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_owned()
}

/// Checks the digest that a registry states: a registry that states the digest of other bytes is
/// broken or lies. Digests of other algorithms are not compared.
fn check_header(stated: Option<&str>, found: Digest) -> Result<(), RegistryError> {
    match stated.filter(|stated| stated.starts_with("sha256:")) {
        Some(stated) if stated != found.to_string() => match stated.parse() {
            Ok(expected) => Err(RegistryError::Blob(BlobError::Digest { expected, found })),
            Err(_) => Err(RegistryError::malformed(format!(
                "it came with the digest `{}`",
                stated.escape_debug()
            ))),
        },
        _ => Ok(()),
    }
}

async fn fetch_blob(
    connection: &Connection<'_>,
    staging: &Staging,
    blob: &Descriptor,
    progress: &dyn Fn(Progress),
) -> Result<(), RegistryError> {
    let mut attempt = 0;
    loop {
        let mut received = 0;
        match fetch_blob_once(connection, staging, blob, &mut received, progress).await {
            Ok(()) => return Ok(()),
            Err(error) => {
                retry::pause_before_retry(&mut attempt, error).await?;
                progress(Progress::Restarted(received));
            }
        }
    }
}

async fn fetch_blob_once(
    connection: &Connection<'_>,
    staging: &Staging,
    blob: &Descriptor,
    received: &mut u64,
    progress: &dyn Fn(Progress),
) -> Result<(), RegistryError> {
    let mut body = connection.get(&Target::Blob(&blob.digest), "*/*").await?;
    let mut writer = staging.writer(blob).map_err(RegistryError::Blob)?;
    while let Some(chunk) = body.chunk().await? {
        writer.write(&chunk).map_err(RegistryError::Blob)?;
        *received += chunk.len() as u64;
        progress(Progress::Received(chunk.len() as u64));
    }
    writer.finish(&blob.digest).map_err(RegistryError::Blob)
}
