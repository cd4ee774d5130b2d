//! Downloads of single files, as registries are talked to: the same proxies, certificates,
//! redirects and bounds.

use core_types::Digest;
use reqwest::Url;

use crate::oci::blob::{BlobError, check};
use crate::oci::descriptor::MAX_BLOB;
use crate::registry::client::{Progress, Registry};
use crate::registry::error::RegistryError;
use crate::registry::http::connection::Body;
use crate::registry::http::redirect::Follow;
use crate::registry::http::retry::pause_before_retry;
use crate::source::web_address::WebAddress;

/// Why a file cannot be had from the web.
#[derive(Debug, thiserror::Error)]
#[error("cannot download `{address}`")]
pub struct DownloadError {
    /// Where it would be.
    pub address: Box<WebAddress>,
    /// What went wrong.
    pub source: RegistryError,
}

impl Registry {
    /// Downloads a file whose digest is known before. Nothing is kept of other bytes.
    ///
    /// # Errors
    /// When it is not there, cannot be reached, is too large, or has other bytes than the digest
    /// says.
    pub async fn download(
        &self,
        address: &WebAddress,
        digest: &Digest,
        progress: &dyn Fn(Progress),
    ) -> Result<Vec<u8>, DownloadError> {
        let downloaded = self.download_again(address, digest, progress).await;
        downloaded.map_err(|source| DownloadError { address: Box::new(address.clone()), source })
    }

    async fn download_again(
        &self,
        address: &WebAddress,
        digest: &Digest,
        progress: &dyn Fn(Progress),
    ) -> Result<Vec<u8>, RegistryError> {
        let host = address.host();
        if self.settings.offline {
            return Err(RegistryError::Offline { registry: host.to_owned() });
        }
        let is_allowed = address.scheme() == "https" || self.settings.scheme(host) == "http";
        let url = Url::parse(&address.url()).ok().filter(|_| is_allowed);
        let url = url.ok_or_else(|| RegistryError::PlainHttp { registry: host.to_owned() })?;
        let deadline = tokio::time::Instant::now() + self.settings.timeouts_of(host).total;
        let download = Download {
            follow: Follow { settings: &self.settings, clients: &self.clients, registry: host },
            url,
            deadline,
        };
        let mut attempt = 0;
        loop {
            let mut bytes = Vec::new();
            match download.fetch(&mut bytes, (attempt == 0).then_some(digest), progress).await {
                Ok(()) => {
                    return check(&bytes, digest).map(|()| bytes).map_err(RegistryError::Blob);
                }
                Err(error) => {
                    pause_before_retry(&mut attempt, error).await?;
                    progress(Progress::Restarted(bytes.len() as u64));
                }
            }
        }
    }
}

/// A file that is being downloaded.
struct Download<'a> {
    follow: Follow<'a>,
    url: Url,
    deadline: tokio::time::Instant,
}

impl Download<'_> {
    /// Fetches the file from its start. `announced` is the digest when its size was not reported
    /// yet.
    async fn fetch(
        &self,
        bytes: &mut Vec<u8>,
        announced: Option<&Digest>,
        progress: &dyn Fn(Progress),
    ) -> Result<(), RegistryError> {
        let response = self.follow.file(&self.url).await?;
        let size = response.content_length().unwrap_or_default();
        ensure_takeable(size)?;
        if let Some(digest) = announced {
            progress(Progress::Resolved { digest: *digest, bytes: size });
        }
        let mut body = Body::new(response, self.follow.registry, self.deadline);
        while let Some(chunk) = body.chunk().await? {
            bytes.extend_from_slice(&chunk);
            ensure_takeable(bytes.len() as u64)?;
            progress(Progress::Received(chunk.len() as u64));
        }
        Ok(())
    }
}

fn ensure_takeable(size: u64) -> Result<(), RegistryError> {
    let is_small_enough = size <= MAX_BLOB;
    if is_small_enough {
        Ok(())
    } else {
        Err(RegistryError::Blob(BlobError::TooLarge { size, most: MAX_BLOB }))
    }
}
