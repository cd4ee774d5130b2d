//! Requests that answer the challenges of their responses, and those that write.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Method, Response, StatusCode, Url};

use crate::registry::auth::challenge::Challenges;
use crate::registry::auth::demand::{Access, Demand};
use crate::registry::auth::session::{Attempts, Authorization};
use crate::registry::error::RegistryError;
use crate::registry::http::connection::Connection;
use crate::registry::http::response::explain;

/// The slowest upload that is waited for, in bytes per second: a poor connection of a phone.
const SLOWEST_UPLOAD: u64 = 32 * 1024;

/// A request with a body.
pub(crate) struct Sending {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Connection<'_> {
    /// Sends a request, and again with an answer to its challenge.
    ///
    /// # Errors
    /// When it is refused with everything that can be tried.
    pub(crate) async fn authenticated(
        &self,
        access: Access,
        send: impl AsyncFn(Option<&Authorization>) -> Result<Response, RegistryError>,
    ) -> Result<Response, RegistryError> {
        let demand = Demand {
            settings: self.settings,
            clients: self.clients,
            reference: &self.reference,
            access,
        };
        let mut used = self.session.current(&demand).await;
        let mut attempts = Attempts::default();
        loop {
            let response = send(used.as_ref()).await?;
            // A refusal by a blob store elsewhere does not change with a login of the registry.
            if !is_refused(&response) || response.url().origin() != self.base.origin() {
                return Ok(response);
            }
            let mut challenges = Challenges::of(response.headers());
            if challenges.text().is_empty() && used.is_none() && access != Access::Login {
                // Some registries refuse without a word and explain themselves at their root.
                let root = self.probe(None).await;
                challenges =
                    root.map(|root| Challenges::of(root.headers()).of_root()).unwrap_or_default();
            }
            let next = self.session.next(&demand, &challenges, used.as_ref(), &mut attempts).await;
            used = Some(match next {
                Ok(authorization) => authorization,
                Err(error) => {
                    return Err(explain(error, response, self.registry(), self.timeouts()).await);
                }
            });
        }
    }

    /// Sends a request that writes. No redirect is followed.
    pub(crate) async fn send(&self, sending: &Sending) -> Result<Response, RegistryError> {
        let once = async |authorization: Option<&Authorization>| {
            self.send_once(sending, authorization).await
        };
        self.authenticated(Access::Push, once).await
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
        request = request.header(CONTENT_LENGTH, body.len()).body(body.clone());
        if let Some(authorization) = authorization.filter(|_| url.origin() == self.base.origin()) {
            request = request.header("Authorization", &authorization.header);
        }
        let timeouts =
            self.timeouts().idle + Duration::from_secs(body.len() as u64 / SLOWEST_UPLOAD);
        let response = tokio::time::timeout(timeouts, request.send()).await;
        let response = response
            .map_err(|_| RegistryError::Timeout { registry: self.registry().to_owned() })?;
        response.map_err(|source| RegistryError::network(self.registry(), source))
    }
}

fn is_refused(response: &Response) -> bool {
    matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}
