//! Requests that answer the challenges of their responses, and those that write.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, HeaderMap};
use reqwest::{Method, Response, StatusCode, Url};

use super::auth::{Access, Attempts, Authorization, Demand};
use super::error::RegistryError;
use super::http::{Connection, Target, challenge_of};
use super::refusal::explain;

/// The slowest upload that is waited for, in bytes per second: a poor connection of a phone.
const SLOWEST_UPLOAD: u64 = 32 * 1024;

/// A request with a body.
pub(super) struct Sending {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

impl Connection<'_> {
    /// Sends a request, and again with what its challenge asks for.
    ///
    /// # Errors
    /// When it is refused with everything that can be tried.
    pub(super) async fn authenticated(
        &self,
        access: Access,
        send: impl AsyncFn(Option<&Authorization>) -> Result<Response, RegistryError>,
    ) -> Result<Response, RegistryError> {
        let mut used = self.session.known(&self.reference, access);
        let mut attempts = Attempts::default();
        loop {
            let response = send(used.as_ref()).await?;
            // What a blob's store elsewhere refuses is not for a login of the registry to change.
            if !is_refused(&response) || response.url().origin() != self.base.origin() {
                return Ok(response);
            }
            let demand = Demand { settings: self.settings, clients: self.clients, reference: &self.reference, access };
            let mut challenge = challenge_of(response.headers());
            if challenge.is_empty() && used.is_none() && access == Access::Push {
                // Some registries refuse without a word and explain themselves at their root.
                challenge = challenge_of(self.probe(None).await?.headers());
            }
            let next = self.session.next(&demand, &challenge, used.as_ref(), &mut attempts).await;
            used = Some(match next {
                Ok(authorization) => authorization,
                Err(error) => return Err(explain(error, response, self.registry(), self.patience()).await),
            });
        }
    }

    /// Sends a request that writes, or looks for what was written. No redirect is followed.
    pub(super) async fn send(&self, access: Access, sending: &Sending) -> Result<Response, RegistryError> {
        let once = async |authorization: Option<&Authorization>| self.send_once(sending, authorization).await;
        self.authenticated(access, once).await
    }

    async fn send_once(
        &self,
        sending: &Sending,
        authorization: Option<&Authorization>,
    ) -> Result<Response, RegistryError> {
        let Sending { method, url, headers, body } = sending;
        let client = self.clients.for_upload(url, self.registry())?;
        let mut request = client.request(method.clone(), url.clone());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if *method != Method::HEAD {
            request = request.header(CONTENT_LENGTH, body.len()).body(body.clone());
        }
        if let Some(authorization) = authorization.filter(|_| url.origin() == self.base.origin()) {
            request = request.header("Authorization", &authorization.header);
        }
        let patience = self.patience().idle + Duration::from_secs(body.len() as u64 / SLOWEST_UPLOAD);
        let response = tokio::time::timeout(patience, request.send()).await;
        let response = response.map_err(|_| RegistryError::Timeout { registry: self.registry().to_owned() })?;
        response.map_err(|source| RegistryError::network(self.registry(), source))
    }

    /// Whether the registry has these bytes under their digest. Where it states another size, they are fetched.
    pub(super) async fn has(&self, target: &Target<'_>, accept: &str, bytes: &Bytes) -> Result<bool, RegistryError> {
        let headers = vec![("Accept", accept.to_owned())];
        let look = Sending { method: Method::HEAD, url: self.url(target), headers, body: Bytes::new() };
        let response = self.send(Access::Pull, &look).await?;
        let status = response.status();
        let is_elsewhere = status.is_redirection();
        if status == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        let states_size = size(response.headers()) == Some(bytes.len() as u64);
        if is_elsewhere || (status.is_success() && states_size) {
            return Ok(true);
        }
        self.has_by_get(target, accept, bytes).await
    }

    async fn has_by_get(&self, target: &Target<'_>, accept: &str, bytes: &Bytes) -> Result<bool, RegistryError> {
        match self.get_bytes(target, accept, bytes.len() as u64).await {
            Ok((found, _)) => Ok(found == *bytes),
            Err(RegistryError::NotFound { .. } | RegistryError::TooLarge { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn is_refused(response: &Response) -> bool {
    matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

fn size(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
