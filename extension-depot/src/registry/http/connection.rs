//! Requests to one repository, and their responses.

use std::rc::Rc;

use bytes::Bytes;
use core_types::{Digest, OciReference};
use reqwest::header::{HeaderValue, LINK};
use reqwest::{Method, Response, StatusCode, Url};

use crate::oci::blob::check;
use crate::registry::auth::demand::Access;
use crate::registry::auth::session::{Authorization, Session};
use crate::registry::error::RegistryError;
use crate::registry::http::clients::Clients;
use crate::registry::http::redirect::Follow;
use crate::registry::http::response::{explain, read_capped, status_error};
use crate::registry::http::retry::pause_before_retry;
use crate::registry::settings::{Settings, Timeouts, api_host};

/// A resource of a repository.
pub(crate) enum Target<'a> {
    /// A manifest or index by tag or digest.
    Manifest(&'a str),
    /// A blob by digest.
    Blob(&'a Digest),
    /// A new upload of a blob.
    Upload,
    /// The referrers of a digest.
    Referrers(&'a Digest),
    /// The first tags, and how many of them.
    Tags { most: usize },
    /// A further page of a list, at the registry itself.
    Page(&'a Url),
}

/// A repository that is being talked to.
pub(crate) struct Connection<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) clients: &'a Clients,
    pub(crate) reference: OciReference,
    pub(crate) base: Url,
    pub(crate) session: Rc<Session>,
    deadline: tokio::time::Instant,
}

/// A body that is arriving.
pub(crate) struct Body<'a> {
    response: Response,
    registry: &'a str,
    deadline: tokio::time::Instant,
}

/// The headers of a document that matter.
pub(crate) struct DocumentHeaders {
    pub(crate) content_type: Option<String>,
    pub(crate) digest: Option<String>,
    /// The headers `Link`, which name the next page of a list.
    pub(crate) links: Vec<HeaderValue>,
    /// Where it came from, to which links are relative.
    pub(crate) url: Url,
}

impl<'a> Connection<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        clients: &'a Clients,
        session: Rc<Session>,
        reference: &OciReference,
    ) -> Result<Self, RegistryError> {
        let registry = reference.registry();
        let base = format!(
            "{}://{}/v2/{}/",
            settings.scheme(registry),
            api_host(registry),
            reference.repository()
        );
        let base = Url::parse(&base).map_err(|_| RegistryError::NotFound {
            reference: Box::new(reference.clone()),
            source: None,
        })?;
        let deadline = tokio::time::Instant::now() + settings.timeouts_of(registry).total;
        Ok(Self { settings, clients, reference: reference.clone(), base, session, deadline })
    }

    pub(crate) fn registry(&self) -> &str {
        self.reference.registry()
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        self.settings.timeouts_of(self.registry())
    }

    /// Returns the address of the repository.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// Returns when everything has to be there.
    pub(crate) fn deadline(&self) -> tokio::time::Instant {
        self.deadline
    }

    pub(crate) fn url(&self, target: &Target<'_>) -> Url {
        let path = match target {
            Target::Manifest(name) => format!("manifests/{name}"),
            Target::Blob(digest) => format!("blobs/{digest}"),
            Target::Upload => "blobs/uploads/".to_owned(),
            Target::Referrers(digest) => format!("referrers/{digest}"),
            Target::Tags { most } => format!("tags/list?n={most}"),
            Target::Page(url) => return (*url).clone(),
        };
        // A digest's colon must not look like a scheme.
        self.base.join(&format!("./{path}")).unwrap_or_else(|_| self.base.clone())
    }

    /// Fetches something small, again if the registry has a weak moment.
    pub(crate) async fn get_bytes(
        &self,
        target: &Target<'_>,
        accept: &str,
        most: u64,
    ) -> Result<(Vec<u8>, DocumentHeaders), RegistryError> {
        let mut attempt = 0;
        loop {
            match self.get_bytes_once(target, accept, most).await {
                Ok(answer) => return Ok(answer),
                Err(error) => pause_before_retry(&mut attempt, error).await?,
            }
        }
    }

    /// Fetches a blob of at most so many bytes, and compares its digest.
    pub(crate) async fn blob(&self, digest: &Digest, most: u64) -> Result<Vec<u8>, RegistryError> {
        let (bytes, _) = self.get_bytes(&Target::Blob(digest), "*/*", most).await?;
        check(&bytes, digest).map_err(RegistryError::Blob)?;
        Ok(bytes)
    }

    async fn get_bytes_once(
        &self,
        target: &Target<'_>,
        accept: &str,
        most: u64,
    ) -> Result<(Vec<u8>, DocumentHeaders), RegistryError> {
        let Body { response, .. } = self.get(target, accept).await?;
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let headers = DocumentHeaders {
            content_type: header("content-type"),
            digest: header("docker-content-digest"),
            links: response.headers().get_all(LINK).iter().cloned().collect(),
            url: response.url().clone(),
        };
        let reading = read_capped(response, self.registry(), most);
        let timeout = || RegistryError::Timeout { registry: self.registry().to_owned() };
        let bytes = tokio::time::timeout(self.timeouts().idle * 2, reading)
            .await
            .map_err(|_| timeout())??;
        Ok((bytes, headers))
    }

    /// Starts a download, authenticating if the registry asks for it.
    pub(crate) async fn get(
        &self,
        target: &Target<'_>,
        accept: &str,
    ) -> Result<Body<'_>, RegistryError> {
        let url = self.url(target);
        let send = async |authorization: Option<&Authorization>| {
            self.follow(url.clone(), accept, authorization).await
        };
        let response = self.authenticated(Access::Pull, send).await?;
        let response = self.check_status(response).await?;
        Ok(Body { response, registry: self.registry(), deadline: self.deadline })
    }

    async fn follow(
        &self,
        start: Url,
        accept: &str,
        authorization: Option<&Authorization>,
    ) -> Result<Response, RegistryError> {
        self.redirects().send(Method::GET, &start, accept, authorization).await
    }

    pub(crate) fn redirects(&self) -> Follow<'_> {
        Follow { settings: self.settings, clients: self.clients, registry: self.registry() }
    }

    pub(crate) async fn check_status(&self, response: Response) -> Result<Response, RegistryError> {
        match response.status() {
            status if status.is_success() => Ok(response),
            StatusCode::NOT_FOUND => {
                let error = RegistryError::NotFound {
                    reference: Box::new(self.reference.clone()),
                    source: None,
                };
                Err(explain(error, response, self.registry(), self.timeouts()).await)
            }
            _ => Err(status_error(response, self.registry(), self.timeouts()).await),
        }
    }

    /// Requests the root of the API.
    pub(crate) async fn probe(
        &self,
        authorization: Option<&Authorization>,
    ) -> Result<Response, RegistryError> {
        let mut probe = self.base.clone();
        probe.set_path("/v2/");
        self.follow(probe, "*/*", authorization).await
    }

    /// Checks that the registry answers.
    pub(crate) async fn reach(&self) -> Result<(), RegistryError> {
        let response = self.probe(None).await?;
        let is_closed =
            matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        if is_closed { Ok(()) } else { self.check_status(response).await.map(drop) }
    }
}

impl<'a> Body<'a> {
    pub(crate) fn new(
        response: Response,
        registry: &'a str,
        deadline: tokio::time::Instant,
    ) -> Self {
        Self { response, registry, deadline }
    }

    /// Returns the same body with another time by which it has to be there.
    pub(crate) fn until(self, deadline: tokio::time::Instant) -> Self {
        Self { deadline, ..self }
    }

    /// Returns the next bytes, or nothing at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, RegistryError> {
        let next = tokio::time::timeout_at(self.deadline, self.response.chunk()).await;
        let chunk =
            next.map_err(|_| RegistryError::Timeout { registry: self.registry.to_owned() })?;
        chunk.map_err(|source| RegistryError::network(self.registry, source))
    }
}
