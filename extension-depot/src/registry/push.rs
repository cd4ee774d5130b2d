//! Sending blobs and documents to a registry
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push>).

use bytes::Bytes;
use core_types::{Digest, OciReference};
use reqwest::header::LOCATION;
use reqwest::{Method, Response, Url};

use super::Registry;
use super::auth::Access;
use super::error::RegistryError;
use super::http::{Connection, Target, pause_before_retry, status_error};
use super::requests::Sending;
use crate::blob::digest_of;
use crate::signature::SecretKeyError;

/// The largest blob that is sent in one piece first, in bytes: hosted registries stand behind proxies that end at 100 MB.
const MAX_WHOLE: usize = 64 << 20;
/// The size of a chunk, in bytes. Object stores behind registries want at least 5 MiB.
const CHUNK: usize = 8 << 20;

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
    #[error("`{reference}` is there already, with other bytes: {there}, and these would be {new}")]
    Taken {
        /// Where to.
        reference: Box<OciReference>,
        /// What it leads to.
        there: Digest,
        /// What it would lead to.
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
enum Way {
    Whole,
    Chunks,
}

/// Publishes blobs and then the document that names them, and makes sure that the registry has them.
pub(crate) async fn push(registry: &Registry, reference: &OciReference, upload: Upload) -> Result<Digest, PushError> {
    let connection = registry.connect(reference)?;
    let pushed = push_all(&connection, reference.revision(), upload).await;
    pushed.map_err(|error| match error {
        RegistryError::Unauthorized { .. } => PushError::Registry(error),
        source => PushError::Push { reference: Box::new(reference.clone()), source: Box::new(source) },
    })
}

async fn push_all(connection: &Connection<'_>, tag: &str, upload: Upload) -> Result<Digest, RegistryError> {
    let blobs: Vec<_> = upload.blobs.into_iter().map(|blob| (digest_of(&blob), Bytes::from(blob))).collect();
    for (digest, bytes) in &blobs {
        push_blob(connection, digest, bytes).await?;
    }
    let (digest, manifest) = (digest_of(&upload.manifest), Bytes::from(upload.manifest));
    push_manifest(connection, tag, upload.media_type, &manifest).await?;
    let name = digest.to_string();
    ensure_kept(connection, &Target::Manifest(&name), upload.media_type, &digest, &manifest).await?;
    for (digest, bytes) in &blobs {
        ensure_kept(connection, &Target::Blob(digest), "*/*", digest, bytes).await?;
    }
    Ok(digest)
}

async fn push_blob(connection: &Connection<'_>, digest: &Digest, bytes: &Bytes) -> Result<(), RegistryError> {
    match connection.has(&Target::Blob(digest), "*/*", bytes).await {
        Ok(true) => return Ok(()),
        // Who may write is decided where it is written.
        Ok(false) | Err(RegistryError::Unauthorized { .. } | RegistryError::Status { .. }) => {}
        Err(error) => return Err(error),
    }
    let [first, second] = match bytes.len() {
        ..=MAX_WHOLE => [Way::Whole, Way::Chunks],
        _ => [Way::Chunks, Way::Whole],
    };
    let failure = match upload_patiently(connection, digest, bytes, first).await {
        Ok(()) => return Ok(()),
        Err(error @ (RegistryError::Status { .. } | RegistryError::NotKept { .. })) => error,
        Err(error) => return Err(error),
    };
    // What the first way met says more than that the registry does not know the second.
    upload_patiently(connection, digest, bytes, second).await.map_err(|_| failure)
}

async fn upload_patiently(
    connection: &Connection<'_>,
    digest: &Digest,
    bytes: &Bytes,
    method: Way,
) -> Result<(), RegistryError> {
    let mut attempt = 0;
    loop {
        match upload(connection, digest, bytes, method).await {
            Ok(()) => return Ok(()),
            Err(error) => pause_before_retry(&mut attempt, error).await?,
        }
    }
}

/// One upload: a session, the bytes, and the end of the session.
async fn upload(connection: &Connection<'_>, digest: &Digest, bytes: &Bytes, method: Way) -> Result<(), RegistryError> {
    let begin = connection.url(&Target::Upload);
    let response = written(connection, sending(Method::POST, begin.clone(), Vec::new(), Bytes::new())).await?;
    let no_location = || RegistryError::NoUploadLocation { registry: connection.registry().to_owned() };
    let location = location(connection, &begin, &response)?.ok_or_else(no_location)?;
    let (mut location, rest) = match method {
        Way::Whole => (location, bytes.clone()),
        Way::Chunks => (send_chunks(connection, location, bytes).await?, Bytes::new()),
    };
    location.query_pairs_mut().append_pair("digest", &digest.to_string());
    written(connection, sending(Method::PUT, location, Vec::new(), rest)).await?;
    ensure_kept(connection, &Target::Blob(digest), "*/*", digest, bytes).await
}

/// Sends the bytes piece by piece. Returns where the upload ends.
async fn send_chunks(connection: &Connection<'_>, start: Url, bytes: &Bytes) -> Result<Url, RegistryError> {
    let mut url = start;
    for begin in (0..bytes.len()).step_by(CHUNK) {
        let end = bytes.len().min(begin + CHUNK);
        let range = ("Content-Range", format!("{begin}-{}", end - 1));
        let patch = sending(Method::PATCH, url.clone(), vec![range], bytes.slice(begin..end));
        let response = written(connection, patch).await?;
        url = location(connection, &url, &response)?.unwrap_or(url);
    }
    Ok(url)
}

async fn push_manifest(
    connection: &Connection<'_>,
    tag: &str,
    media_type: &str,
    manifest: &Bytes,
) -> Result<(), RegistryError> {
    let mut attempt = 0;
    loop {
        let url = connection.url(&Target::Manifest(tag));
        let headers = vec![("Content-Type", media_type.to_owned())];
        let put = Sending { method: Method::PUT, url, headers, body: manifest.clone() };
        match written(connection, put).await {
            Ok(_) => return Ok(()),
            Err(error) => pause_before_retry(&mut attempt, error).await?,
        }
    }
}

fn sending(method: Method, url: Url, mut headers: Vec<(&'static str, String)>, body: Bytes) -> Sending {
    headers.push(("Content-Type", "application/octet-stream".to_owned()));
    Sending { method, url, headers, body }
}

/// Sends a request that has to succeed. Registries differ in the status by which they say so.
async fn written(connection: &Connection<'_>, sending: Sending) -> Result<Response, RegistryError> {
    let response = connection.send(Access::Push, &sending).await?;
    if response.status().is_success() {
        return Ok(response);
    }
    Err(status_error(response, connection.registry(), connection.patience()).await)
}

/// Where an upload goes on, if the registry says so: an address as registries may redirect to, relative or not.
fn location(connection: &Connection<'_>, from: &Url, response: &Response) -> Result<Option<Url>, RegistryError> {
    if !response.headers().contains_key(LOCATION) {
        return Ok(None);
    }
    connection.redirects().redirected(&connection.base, from, response.headers()).map(Some)
}

async fn ensure_kept(
    connection: &Connection<'_>,
    target: &Target<'_>,
    accept: &str,
    digest: &Digest,
    bytes: &Bytes,
) -> Result<(), RegistryError> {
    if connection.has(target, accept, bytes).await? {
        return Ok(());
    }
    Err(RegistryError::NotKept { registry: connection.registry().to_owned(), digest: *digest })
}
