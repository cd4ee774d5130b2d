//! Sending blobs and documents to a registry
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push>).

use std::time::Duration;

use bytes::Bytes;
use core_types::{Digest, OciReference};
use reqwest::header::LOCATION;
use reqwest::{Method, Response, Url};

use crate::oci::blob::digest_of;
use crate::oci::descriptor::MAX_MANIFEST;
use crate::registry::client::Registry;
use crate::registry::error::RegistryError;
use crate::registry::http::connection::{Connection, Target};
use crate::registry::http::requests::Sending;
use crate::registry::http::response::status_error;
use crate::registry::http::retry::pause_before_retry;
use crate::registry::push::kept::Sent;
use crate::trust::signature::secret_key::SecretKeyError;

/// The largest blob that is sent in one piece first, in bytes: hosted registries stand behind
/// proxies that end at 100 MB.
const MAX_WHOLE: usize = 64 << 20;
/// The size of a chunk, in bytes. Object stores behind registries want at least 5 MiB.
const CHUNK: usize = 8 << 20;
/// The smallest chunk that is tried where larger ones are refused, in bytes: proxies are set up to
/// let 1 MiB pass at least.
const MIN_CHUNK: usize = 128 << 10;

/// The pause before a tag that leads elsewhere is looked at again: caches of registries take about
/// as long.
const TAG_PAUSE: Duration = Duration::from_secs(1);

/// Why something cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The registry before anything was sent.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The registry while it was sent.
    #[error("cannot push to `{reference}`")]
    Push {
        /// Where to.
        reference: Box<OciReference>,
        /// What went wrong.
        source: Box<RegistryError>,
    },
    /// The tag leads to other bytes.
    #[error("`{reference}` already has other bytes: {there}, not {new}")]
    Taken {
        /// Where to.
        reference: Box<OciReference>,
        /// The digest under it.
        there: Digest,
        /// The digest of the upload.
        new: Digest,
    },
    /// The signature cannot be made.
    #[error("cannot sign the artifact")]
    Sign(#[from] SecretKeyError),
    /// The documents cannot be written.
    #[error("cannot describe the artifact")]
    Describe(#[from] serde_json::Error),
}

/// Something to publish under one tag.
pub(crate) struct Upload {
    pub(crate) blobs: Vec<Vec<u8>>,
    /// The manifest or index.
    pub(crate) manifest: Vec<u8>,
    pub(crate) media_type: &'static str,
}

/// How the bytes of a blob are sent.
#[derive(Clone, Copy)]
enum Transfer {
    Whole,
    /// In chunks of so many bytes.
    Chunks(usize),
}

/// Publishes blobs and then the document that names them, and checks that the registry has them.
pub(crate) async fn push(
    registry: &Registry,
    reference: &OciReference,
    upload: Upload,
) -> Result<Digest, PushError> {
    let connection = registry.connect(reference)?;
    let pushed = push_all(&connection, reference.revision(), upload).await;
    pushed.map_err(|error| match error {
        RegistryError::Unauthorized { .. } => PushError::Registry(error),
        source => {
            PushError::Push { reference: Box::new(reference.clone()), source: Box::new(source) }
        }
    })
}

async fn push_all(
    connection: &Connection<'_>,
    tag: &str,
    upload: Upload,
) -> Result<Digest, RegistryError> {
    let blobs: Vec<_> =
        upload.blobs.into_iter().map(|blob| (digest_of(&blob), Bytes::from(blob))).collect();
    for (digest, bytes) in &blobs {
        push_blob(connection, &blob(digest, bytes)).await?;
    }
    let (digest, bytes) = (digest_of(&upload.manifest), Bytes::from(upload.manifest));
    let tagged = Sent {
        target: Target::Manifest(tag),
        accept: upload.media_type,
        digest: &digest,
        bytes: &bytes,
    };
    push_manifest(connection, &tagged).await?;
    ensure_tagged(connection, tag, &tagged).await?;
    let name = digest.to_string();
    connection.ensure_kept(&Sent { target: Target::Manifest(&name), ..tagged }).await?;
    for (digest, bytes) in &blobs {
        connection.ensure_kept(&blob(digest, bytes)).await?;
    }
    Ok(digest)
}

fn blob<'a>(digest: &'a Digest, bytes: &'a Bytes) -> Sent<'a> {
    Sent { target: Target::Blob(digest), accept: "*/*", digest, bytes }
}

async fn push_blob(connection: &Connection<'_>, blob: &Sent<'_>) -> Result<(), RegistryError> {
    match connection.has(blob).await {
        Ok(true) => return Ok(()),
        Err(error @ (RegistryError::Network { .. } | RegistryError::Timeout { .. })) => {
            return Err(error);
        }
        // Who may write is decided where it is written.
        Ok(false) | Err(_) => {}
    }
    let mut ways = match blob.bytes.len() {
        ..=MAX_WHOLE => vec![Transfer::Chunks(CHUNK), Transfer::Whole],
        _ => vec![Transfer::Whole, Transfer::Chunks(CHUNK)],
    };
    let mut failure = None;
    while let Some(way) = ways.pop() {
        let error = match upload_with_retries(connection, blob, way).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        ways.extend(smaller(way, &error));
        let is_final = !depends_on_way(&error);
        // The error of the first way says more than that the registry does not know the second.
        failure.get_or_insert(error);
        if is_final {
            break;
        }
    }
    let no_location =
        || RegistryError::NoUploadLocation { registry: connection.registry().to_owned() };
    Err(failure.unwrap_or_else(no_location))
}

/// Smaller chunks, where these are too large for the registry or for what stands before it.
fn smaller(way: Transfer, error: &RegistryError) -> Option<Transfer> {
    let is_too_large = matches!(error, RegistryError::Status { status: 413, .. });
    match way {
        Transfer::Chunks(size) if is_too_large && size > MIN_CHUNK => {
            Some(Transfer::Chunks((size / 8).max(MIN_CHUNK)))
        }
        _ => None,
    }
}

/// Returns whether another way may work where this error came. A proxy that finds a request too
/// large may break the connection.
fn depends_on_way(error: &RegistryError) -> bool {
    match error {
        RegistryError::Status { status, .. } => *status != 429,
        RegistryError::NotKept { .. } | RegistryError::Network { .. } => true,
        _ => false,
    }
}

async fn upload_with_retries(
    connection: &Connection<'_>,
    blob: &Sent<'_>,
    way: Transfer,
) -> Result<(), RegistryError> {
    let mut attempt = 0;
    loop {
        let error = match upload(connection, blob, way).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        // A lost response does not tell whether the registry took the upload.
        if error.is_transient() && connection.has_now(blob).await.unwrap_or(false) {
            return Ok(());
        }
        pause_before_retry(&mut attempt, error).await?;
    }
}

/// One upload: a session, the bytes, and the end of the session.
async fn upload(
    connection: &Connection<'_>,
    blob: &Sent<'_>,
    way: Transfer,
) -> Result<(), RegistryError> {
    let begin = connection.url(&Target::Upload);
    let response =
        written(connection, sending(Method::POST, begin.clone(), Vec::new(), Bytes::new())).await?;
    let no_location =
        || RegistryError::NoUploadLocation { registry: connection.registry().to_owned() };
    let start = location(connection, &begin, &response)?.ok_or_else(no_location)?;
    let (mut end, rest) = match way {
        Transfer::Whole => (start, blob.bytes.clone()),
        Transfer::Chunks(size) => {
            let size = size.max(min_chunk(&response));
            (send_chunks(connection, start, blob.bytes, size).await?, Bytes::new())
        }
    };
    end.query_pairs_mut().append_pair("digest", &blob.digest.to_string());
    written(connection, sending(Method::PUT, end, Vec::new(), rest)).await?;
    connection.ensure_kept(blob).await
}

/// Returns the smallest chunk that a registry takes, in bytes.
fn min_chunk(response: &Response) -> usize {
    let stated = response
        .headers()
        .get("oci-chunk-min-length")
        .and_then(|size| size.to_str().ok()?.trim().parse().ok());
    stated.unwrap_or_default()
}

/// Sends the bytes piece by piece. Returns where the upload ends.
async fn send_chunks(
    connection: &Connection<'_>,
    start: Url,
    bytes: &Bytes,
    size: usize,
) -> Result<Url, RegistryError> {
    let mut url = start;
    for begin in (0..bytes.len()).step_by(size) {
        let end = bytes.len().min(begin.saturating_add(size));
        let range = ("Content-Range", format!("{begin}-{}", end - 1));
        let patch = sending(Method::PATCH, url.clone(), vec![range], bytes.slice(begin..end));
        let response = written(connection, patch).await?;
        url = location(connection, &url, &response)?.unwrap_or(url);
    }
    Ok(url)
}

async fn push_manifest(
    connection: &Connection<'_>,
    manifest: &Sent<'_>,
) -> Result<(), RegistryError> {
    let mut attempt = 0;
    loop {
        let url = connection.url(&manifest.target);
        let headers = vec![("Content-Type", manifest.accept.to_owned())];
        let put = Sending { method: Method::PUT, url, headers, body: manifest.bytes.clone() };
        let error = match written(connection, put).await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        if error.is_transient() && leads_to(connection, manifest).await.unwrap_or(false) {
            return Ok(());
        }
        pause_before_retry(&mut attempt, error).await?;
    }
}

/// Checks that a tag leads to the document that was pushed: some registries take a push and leave
/// the tag as it is.
async fn ensure_tagged(
    connection: &Connection<'_>,
    tag: &str,
    manifest: &Sent<'_>,
) -> Result<(), RegistryError> {
    if leads_to(connection, manifest).await? {
        return Ok(());
    }
    tokio::time::sleep(TAG_PAUSE).await;
    if leads_to(connection, manifest).await? {
        return Ok(());
    }
    let registry = connection.registry().to_owned();
    Err(RegistryError::NotTagged { registry, tag: tag.to_owned(), digest: *manifest.digest })
}

/// Returns whether a tag leads to exactly this document.
async fn leads_to(connection: &Connection<'_>, manifest: &Sent<'_>) -> Result<bool, RegistryError> {
    match connection.get_bytes(&manifest.target, manifest.accept, MAX_MANIFEST).await {
        Ok((found, _)) => Ok(found == *manifest.bytes),
        Err(RegistryError::NotFound { .. } | RegistryError::TooLarge { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn sending(
    method: Method,
    url: Url,
    mut headers: Vec<(&'static str, String)>,
    body: Bytes,
) -> Sending {
    headers.push(("Content-Type", "application/octet-stream".to_owned()));
    Sending { method, url, headers, body }
}

/// Sends a request that has to succeed. Registries differ in the status by which they say so.
async fn written(connection: &Connection<'_>, sending: Sending) -> Result<Response, RegistryError> {
    let response = connection.send(&sending).await?;
    if response.status().is_success() {
        return Ok(response);
    }
    Err(status_error(response, connection.registry(), connection.timeouts()).await)
}

/// Returns where an upload goes on, if the registry says so: an address as registries may redirect
/// to, relative or not.
fn location(
    connection: &Connection<'_>,
    from: &Url,
    response: &Response,
) -> Result<Option<Url>, RegistryError> {
    if !response.headers().contains_key(LOCATION) {
        return Ok(None);
    }
    connection.redirects().redirected(&connection.base, from, response.headers()).map(Some)
}
