//! Requests to one repository: redirects, retries, bounds.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use core_types::{Digest, OciReference, canonical_registry};
use reqwest::header::{HeaderMap, HeaderValue, LINK, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, NoProxy, Proxy, Response, StatusCode, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::auth::{Access, Authorization, Session};
use super::error::RegistryError;
use super::refusal::explain;
use super::settings::{Patience, Settings, api_host, is_loopback};
use crate::blob::read_plain;

/// What registries are told that we are.
pub(crate) const USER_AGENT: &str = concat!("sesame/", env!("CARGO_PKG_VERSION"));
const MAX_REDIRECTS: usize = 5;
const MAX_ATTEMPTS: u32 = 4;
/// The longest wait that a registry can ask for, in seconds.
const MAX_RETRY_AFTER: u64 = 60;
/// The largest file of certificate authorities, in bytes.
const MAX_AUTHORITIES: u64 = 16 << 20;
/// Why a redirect is not followed that only a setting of the registry can allow.
const INTO_PRIVATE: &str = "which is an address of this machine or network";

/// What makes one client unlike another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ClientKey {
    /// Whether it speaks TLS.
    is_secure: bool,
    /// The file of certificate authorities that it trusts beside those that all do.
    authorities: Option<PathBuf>,
    patience: Patience,
    /// Whether an answer that pauses is given up. Uploads have no such end.
    has_read_timeout: bool,
}

/// HTTP clients, made when they are needed: reading the system's certificates takes longer than a whole download from
/// a registry that does without.
pub(crate) struct Clients {
    settings: Settings,
    made: RefCell<BTreeMap<ClientKey, Client>>,
    /// What is known of the authentication of each registry, for every connection to it, by scheme and name.
    sessions: RefCell<BTreeMap<(&'static str, String), Rc<Session>>>,
}

impl Clients {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone(), made: RefCell::default(), sessions: RefCell::default() }
    }

    /// However a registry is written, it has one session; what was had over TLS is not told over plain HTTP.
    fn session(&self, registry: &str) -> Rc<Session> {
        let key = (self.settings.scheme(registry), canonical_registry(registry));
        self.sessions.borrow_mut().entry(key).or_default().clone()
    }

    /// The client for an address, while this registry is talked to.
    pub(crate) fn for_url(&self, url: &Url, registry: &str) -> Result<Client, RegistryError> {
        self.client(url, registry, true)
    }

    /// The same for uploads, in which the registry says nothing for as long as bytes go out.
    pub(super) fn for_upload(&self, url: &Url, registry: &str) -> Result<Client, RegistryError> {
        self.client(url, registry, false)
    }

    fn client(&self, url: &Url, registry: &str, has_read_timeout: bool) -> Result<Client, RegistryError> {
        self.settings.proxies.check(url)?;
        let is_secure = url.scheme() == "https";
        let own = self.settings.authorities_of(registry).filter(|_| is_secure).map(Path::to_owned);
        let patience = self.settings.patience_of(registry);
        let key = ClientKey { is_secure, authorities: own, patience, has_read_timeout };
        if let Some(client) = self.made.borrow().get(&key) {
            return Ok(client.clone());
        }
        let authorities = is_secure.then(|| self.authorities(registry)).transpose()?;
        let client = self.build(authorities, &key)?;
        self.made.borrow_mut().insert(key, client.clone());
        Ok(client)
    }

    /// A client that trusts these authorities and the system's, or one that speaks no TLS.
    fn build(
        &self,
        authorities: Option<Vec<CertificateDer<'static>>>,
        key: &ClientKey,
    ) -> Result<Client, RegistryError> {
        // Another part of the program may have chosen a provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .connect_timeout(key.patience.connect)
            .no_proxy();
        if key.has_read_timeout {
            builder = builder.read_timeout(key.patience.idle);
        }
        for proxy in self.proxies()? {
            builder = builder.proxy(proxy);
        }
        builder = match authorities {
            Some(authorities) => {
                let certificates = authorities.iter().map(|der| Certificate::from_der(der));
                builder.tls_certs_merge(certificates.collect::<Result<Vec<_>, _>>().map_err(RegistryError::Setup)?)
            }
            None => builder.tls_certs_only([]),
        };
        builder.build().map_err(RegistryError::Setup)
    }

    fn proxies(&self) -> Result<Vec<Proxy>, RegistryError> {
        let proxies = &self.settings.proxies;
        let except = proxies.exceptions();
        let http = proxies.http.iter().map(|address| Proxy::http(address.as_str()));
        let https = proxies.https.iter().map(|address| Proxy::https(address.as_str()));
        let with_exceptions = |proxy: Proxy| proxy.no_proxy(NoProxy::from_string(&except));
        http.chain(https).map(|proxy| proxy.map(with_exceptions).map_err(RegistryError::Setup)).collect()
    }

    /// The certificate authorities that are trusted beside the system's while this registry is talked to.
    pub(crate) fn authorities(&self, registry: &str) -> Result<Vec<CertificateDer<'static>>, RegistryError> {
        let mut all = Vec::new();
        let own = self.settings.authorities_of(registry);
        for path in self.settings.authorities.iter().map(PathBuf::as_path).chain(own) {
            all.extend(read_authorities(path)?);
        }
        Ok(all)
    }
}

fn read_authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, RegistryError> {
    let failed = |reason: String| RegistryError::Certificates { path: path.to_owned(), reason };
    let pem = read_plain(path, MAX_AUTHORITIES).map_err(|error| failed(error.to_string()))?;
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() { Err(failed("there are none in it".to_owned())) } else { Ok(certificates) }
}

/// What can be fetched from a repository.
pub(crate) enum Target<'a> {
    /// A manifest or index by tag or digest.
    Manifest(&'a str),
    /// A blob by digest.
    Blob(&'a Digest),
    /// A new upload of a blob.
    Upload,
    /// What refers to a digest.
    Referrers(&'a Digest),
    /// The first tags, and how many of them.
    Tags { most: usize },
    /// A further page of a list, at the registry itself.
    Page(&'a Url),
}

/// A repository that is being talked to.
pub(crate) struct Connection<'a> {
    pub(super) settings: &'a Settings,
    pub(super) clients: &'a Clients,
    pub(super) reference: OciReference,
    pub(super) base: Url,
    pub(super) session: Rc<Session>,
    deadline: tokio::time::Instant,
}

/// A body that is arriving.
pub(crate) struct Body<'a> {
    response: Response,
    registry: &'a str,
    deadline: tokio::time::Instant,
}

/// Requests that are redirected only where a registry may send us to.
pub(super) struct Follow<'a> {
    pub(super) settings: &'a Settings,
    pub(super) clients: &'a Clients,
    pub(super) registry: &'a str,
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
        reference: &OciReference,
    ) -> Result<Self, RegistryError> {
        let registry = reference.registry();
        let base = format!("{}://{}/v2/{}/", settings.scheme(registry), api_host(registry), reference.repository());
        let base = Url::parse(&base)
            .map_err(|_| RegistryError::NotFound { reference: Box::new(reference.clone()), source: None })?;
        let deadline = tokio::time::Instant::now() + settings.patience_of(registry).total;
        let session = clients.session(registry);
        Ok(Self { settings, clients, reference: reference.clone(), base, session, deadline })
    }

    pub(crate) fn registry(&self) -> &str {
        self.reference.registry()
    }

    pub(super) fn patience(&self) -> Patience {
        self.settings.patience_of(self.registry())
    }

    /// The address of the repository.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// When everything has to be there.
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

    async fn get_bytes_once(
        &self,
        target: &Target<'_>,
        accept: &str,
        most: u64,
    ) -> Result<(Vec<u8>, DocumentHeaders), RegistryError> {
        let Body { response, .. } = self.get(target, accept).await?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let headers = DocumentHeaders {
            content_type: header("content-type"),
            digest: header("docker-content-digest"),
            links: response.headers().get_all(LINK).iter().cloned().collect(),
            url: response.url().clone(),
        };
        let reading = read_capped(response, self.registry(), most);
        let timeout = || RegistryError::Timeout { registry: self.registry().to_owned() };
        let bytes = tokio::time::timeout(self.patience().idle * 2, reading).await.map_err(|_| timeout())??;
        Ok((bytes, headers))
    }

    /// Starts a download, authenticating if the registry asks for it.
    pub(crate) async fn get(&self, target: &Target<'_>, accept: &str) -> Result<Body<'_>, RegistryError> {
        let url = self.url(target);
        let send = async |authorization: Option<&Authorization>| self.follow(url.clone(), accept, authorization).await;
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
        self.redirects().get(&start, accept, authorization).await
    }

    pub(super) fn redirects(&self) -> Follow<'_> {
        Follow { settings: self.settings, clients: self.clients, registry: self.registry() }
    }

    pub(super) async fn check_status(&self, response: Response) -> Result<Response, RegistryError> {
        match response.status() {
            status if status.is_success() => Ok(response),
            StatusCode::NOT_FOUND => {
                let error = RegistryError::NotFound { reference: Box::new(self.reference.clone()), source: None };
                Err(explain(error, response, self.registry(), self.patience()).await)
            }
            _ => Err(status_error(response, self.registry(), self.patience()).await),
        }
    }

    /// What the registry says when it is asked whether it is one.
    pub(super) async fn probe(&self, authorization: Option<&Authorization>) -> Result<Response, RegistryError> {
        let mut probe = self.base.clone();
        probe.set_path("/v2/");
        self.follow(probe, "*/*", authorization).await
    }

    /// Makes sure that the registry answers.
    pub(crate) async fn reach(&self) -> Result<(), RegistryError> {
        let response = self.probe(None).await?;
        let is_closed = matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        if is_closed { Ok(()) } else { self.check_status(response).await.map(drop) }
    }
}

impl Follow<'_> {
    /// Follows redirects as far as they lead to places that a registry may send us to. What is authorized is told to nobody
    /// but where it starts.
    async fn get(
        &self,
        start: &Url,
        accept: &str,
        authorization: Option<&Authorization>,
    ) -> Result<Response, RegistryError> {
        let mut url = start.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut request = self.clients.for_url(&url, self.registry)?.get(url.clone()).header("Accept", accept);
            if let Some(authorization) = authorization.filter(|_| url.origin() == start.origin()) {
                request = request.header("Authorization", authorization.header.clone());
            }
            let sending = tokio::time::timeout(self.settings.patience_of(self.registry).idle, request.send());
            let timeout = |_| RegistryError::Timeout { registry: self.registry.to_owned() };
            let response = sending.await.map_err(timeout)?;
            let response = response.map_err(|source| RegistryError::network(self.registry, source))?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            url = self.redirected(start, &url, response.headers())?;
        }
        Err(self.redirect_error(&url, "and that is one redirect too many"))
    }

    /// Starts the download of a file, to which nobody logs in.
    pub(super) async fn file(&self, url: &Url) -> Result<Response, RegistryError> {
        let response = self.get(url, "*/*", None).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(status_error(response, self.registry, self.settings.patience_of(self.registry)).await)
    }

    pub(super) fn redirected(&self, start: &Url, from: &Url, headers: &HeaderMap) -> Result<Url, RegistryError> {
        let location = headers.get(LOCATION).and_then(|location| location.to_str().ok()).unwrap_or_default();
        let to = from.join(location).map_err(|_| self.redirect_error(from, "which is no address"))?;
        let reason = match to.scheme() {
            "https" => None,
            "http" if from.scheme() == "http" => None,
            "http" => Some("which is not secure"),
            _ => Some("which is no web address"),
        };
        let is_allowed = || self.settings.allows_redirect(self.registry, &to);
        let into_private = is_private(&to) && !is_private(start) && !is_allowed();
        match reason.or(into_private.then_some(INTO_PRIVATE)) {
            None => Ok(to),
            Some(reason) => Err(self.redirect_error(&to, reason)),
        }
    }

    fn redirect_error(&self, to: &Url, reason: &'static str) -> RegistryError {
        let host = to.host_str().unwrap_or_default();
        let authority = to.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let private = (reason == INTO_PRIVATE).then_some(authority);
        let mut to = to.clone();
        to.set_query(None);
        let to = to.to_string().chars().take(200).collect();
        RegistryError::Redirect { registry: self.registry.to_owned(), to, reason, private }
    }
}

/// Returns the error for a status, with the error document of the response as its cause.
pub(super) async fn status_error(response: Response, registry: &str, patience: Patience) -> RegistryError {
    let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
    let error =
        RegistryError::Status { registry: registry.to_owned(), status, message: None, retry_after, source: None };
    explain(error, response, registry, patience).await
}

impl<'a> Body<'a> {
    pub(super) fn new(response: Response, registry: &'a str, deadline: tokio::time::Instant) -> Self {
        Self { response, registry, deadline }
    }

    /// The next bytes, or nothing at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, RegistryError> {
        let next = tokio::time::timeout_at(self.deadline, self.response.chunk()).await;
        let chunk = next.map_err(|_| RegistryError::Timeout { registry: self.registry.to_owned() })?;
        chunk.map_err(|source| RegistryError::network(self.registry, source))
    }
}

/// Reads a body that should be small.
pub(crate) async fn read_capped(mut response: Response, registry: &str, most: u64) -> Result<Vec<u8>, RegistryError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|source| RegistryError::network(registry, source))? {
        if (bytes.len() + chunk.len()) as u64 > most {
            return Err(RegistryError::TooLarge { registry: registry.to_owned(), most });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Waits before another attempt, or gives the error back when there is none to be made.
pub(crate) async fn pause_before_retry(attempt: &mut u32, error: RegistryError) -> Result<(), RegistryError> {
    *attempt += 1;
    if *attempt >= MAX_ATTEMPTS || !error.is_passing() {
        return Err(error);
    }
    let wait = match error {
        RegistryError::Status { retry_after: Some(seconds), .. } if seconds > MAX_RETRY_AFTER => return Err(error),
        RegistryError::Status { retry_after: Some(seconds), .. } => Duration::from_secs(seconds),
        _ => Duration::from_millis(100 << *attempt),
    };
    tokio::time::sleep(wait).await;
    Ok(())
}

pub(super) fn challenge_of(headers: &HeaderMap) -> String {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(", ")
}

/// The seconds of `Retry-After`. A date or nonsense counts as not said.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// Whether an address is this machine or network by its own account. Names other than `localhost` are not looked up.
fn is_private(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    is_loopback(host)
        || host.parse::<IpAddr>().is_ok_and(|address| match address {
            IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_unspecified(),
            IpAddr::V6(v6) => {
                v6.is_unspecified()
                    || v6.is_unique_local()
                    || v6.is_unicast_link_local()
                    || v6.to_ipv4_mapped().is_some()
            }
        })
}

#[cfg(test)]
mod tests {
    use super::super::settings::RegistrySettings;
    use super::*;

    #[test]
    fn redirects_go_to_what_is_as_secure_and_as_public() {
        let settings = Settings::default();
        let clients = Clients::new(&settings);
        let follow = Follow { settings: &settings, clients: &clients, registry: "ghcr.io" };
        let leads = |from: &str, to: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, to.parse().expect("a header"));
            let from = Url::parse(from).expect(from);
            follow.redirected(&from, &from, &headers).map(|url| url.to_string()).ok()
        };
        let public = "https://ghcr.io/v2/a/b/blobs/x";
        for (to, expected) in [
            ("https://cdn.example/x?signature=1", Some("https://cdn.example/x?signature=1")),
            ("/other", Some("https://ghcr.io/other")),
            ("//cdn.example/x", Some("https://cdn.example/x")),
            ("http://ghcr.io/x", None),
            ("http://cdn.example/x", None),
            ("https://127.0.0.1/x", None),
            ("https://[::1]/x", None),
            ("https://169.254.169.254/latest", None),
            ("https://10.0.0.1/x", None),
            ("https://localhost/x", None),
            ("file:///etc/passwd", None),
            ("ftp://cdn.example/x", None),
            ("data:text/plain,x", None),
            ("javascript:alert(1)", None),
            ("https://", None),
        ] {
            assert_eq!(leads(public, to).as_deref(), expected, "{to}");
        }
        let allowed = ["10.0.0.1:9000", "127.0.0.1"].map(|host| host.to_owned().try_into().expect(host)).to_vec();
        let own = RegistrySettings { allow_redirect_to: allowed, ..Default::default() };
        let settings = Settings { registries: [("ghcr.io".to_owned(), own)].into(), ..Default::default() };
        let leads_for = |registry: &str, to: &str| {
            let follow = Follow { settings: &settings, clients: &clients, registry };
            let headers = HeaderMap::from_iter([(LOCATION, to.parse().expect("a header"))]);
            let from = Url::parse(public).expect(public);
            follow.redirected(&from, &from, &headers).is_ok()
        };
        assert!(leads_for("ghcr.io", "https://10.0.0.1:9000/x?s=1") && leads_for("ghcr.io", "https://127.0.0.1/x"));
        for to in ["https://10.0.0.1/x", "https://10.0.0.2:9000/x", "https://127.0.0.1:1/x", "http://10.0.0.1:9000/x"] {
            assert!(!leads_for("ghcr.io", to), "{to}");
        }
        assert!(!leads_for("quay.io", "https://10.0.0.1:9000/x"), "another registry");
        let own = "http://127.0.0.1:5000/v2/a/b/blobs/x";
        assert!(leads(own, "http://127.0.0.1:5001/x").is_some(), "this machine may send us around on this machine");
        assert!(leads(own, "file:///etc/passwd").is_none());
    }

    #[test]
    fn retry_after_is_seconds_or_nothing() {
        let parse = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().expect("a header"));
            retry_after(&headers)
        };
        assert_eq!((parse("1"), parse(" 30 "), parse("999999999")), (Some(1), Some(30), Some(999_999_999)));
        assert_eq!((parse("-1"), parse("soon"), parse("Wed, 21 Oct 2026 07:28:00 GMT")), (None, None, None));
    }

    #[test]
    fn addresses_of_this_machine_and_network_are_known() {
        let private = |url: &str| is_private(&Url::parse(url).expect(url));
        for url in [
            "http://localhost/",
            "http://127.0.0.1:1/",
            "http://[::1]/",
            "http://169.254.169.254/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "http://[::ffff:127.0.0.1]/",
            "http://[fd00:ec2::254]/",
            "http://0x7f.1/",
        ] {
            assert!(private(url), "{url}");
        }
        for url in ["https://ghcr.io/", "https://1.1.1.1/", "https://localhost.example.com/"] {
            assert!(!private(url), "{url}");
        }
    }
}
