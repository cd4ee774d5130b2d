//! Checks whether a registry has an upload.

use std::time::Duration;

use bytes::Bytes;
use core_types::Digest;
use reqwest::header::{CONTENT_LENGTH, HeaderMap};
use reqwest::{Method, Response, StatusCode};

use crate::registry::auth::demand::Access;
use crate::registry::auth::session::Authorization;
use crate::registry::error::RegistryError;
use crate::registry::http::connection::{Connection, Target};
use crate::registry::http::retry::pause_before_retry;

/// The pauses before a missing upload is looked for again: some registries answer from another
/// machine than the one that took the upload.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// Something that was sent to a registry, or is about to be.
pub(crate) struct Sent<'a> {
    pub(crate) target: Target<'a>,
    /// The media type that is asked for.
    pub(crate) accept: &'a str,
    pub(crate) digest: &'a Digest,
    pub(crate) bytes: &'a Bytes,
}

impl Connection<'_> {
    /// Checks that the registry has an upload.
    ///
    /// # Errors
    /// [`RegistryError::NotKept`] when it does not, even a moment later.
    pub(crate) async fn ensure_kept(&self, sent: &Sent<'_>) -> Result<(), RegistryError> {
        for pause in PAUSES {
            if self.has(sent).await? {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
        }
        if self.has(sent).await? {
            return Ok(());
        }
        Err(RegistryError::NotKept { registry: self.registry().to_owned(), digest: *sent.digest })
    }

    /// Returns whether the registry has these bytes.
    pub(crate) async fn has(&self, sent: &Sent<'_>) -> Result<bool, RegistryError> {
        let mut attempt = 0;
        loop {
            match self.has_now(sent).await {
                Ok(is_there) => return Ok(is_there),
                Err(error) => pause_before_retry(&mut attempt, error).await?,
            }
        }
    }

    /// Returns the same, asked once.
    pub(crate) async fn has_now(&self, sent: &Sent<'_>) -> Result<bool, RegistryError> {
        let url = self.url(&sent.target);
        let look = async |authorization: Option<&Authorization>| {
            self.redirects().send(Method::HEAD, &url, sent.accept, authorization).await
        };
        let response = self.authenticated(Access::Pull, look).await?;
        let is_elsewhere = response.url().origin() != self.base.origin();
        if response.status() == StatusCode::NOT_FOUND && !is_elsewhere {
            return Ok(false);
        }
        // The store that a registry sends us to does not know digests.
        if states_size(&response, sent)
            && (is_elsewhere || states_digest(response.headers(), sent.digest))
        {
            return Ok(true);
        }
        self.has_by_get(sent).await
    }

    /// Fetches the bytes and compares them, where the headers do not say enough.
    async fn has_by_get(&self, sent: &Sent<'_>) -> Result<bool, RegistryError> {
        let mut body = match self.get(&sent.target, sent.accept).await {
            Ok(body) => body.until(tokio::time::Instant::now() + self.timeouts().total),
            Err(RegistryError::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut rest = &sent.bytes[..];
        while let Some(chunk) = body.chunk().await? {
            let Some(after) = rest.strip_prefix(&chunk[..]) else { return Ok(false) };
            rest = after;
        }
        Ok(rest.is_empty())
    }
}

fn states_size(response: &Response, sent: &Sent<'_>) -> bool {
    let size =
        response.headers().get(CONTENT_LENGTH).and_then(|size| size.to_str().ok()?.parse().ok());
    response.status().is_success() && size == Some(sent.bytes.len())
}

fn states_digest(headers: &HeaderMap, digest: &Digest) -> bool {
    headers
        .get("docker-content-digest")
        .is_some_and(|stated| stated.as_bytes() == digest.to_string().as_bytes())
}
