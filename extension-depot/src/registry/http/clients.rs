//! HTTP clients, one for each set of proxies, certificates and timeouts.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use private_files::read_regular;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Proxy, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::registry::error::RegistryError;
use crate::registry::settings::{Settings, Timeouts};

/// What registries are told that we are.
const USER_AGENT: &str = concat!("sesame/", env!("CARGO_PKG_VERSION"));
/// The largest file of certificate authorities, in bytes: a system's whole bundle has some hundreds
/// of kilobytes.
const MAX_AUTHORITIES: u64 = 16 << 20;

/// The properties that tell one client from another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ClientKey {
    /// Whether it speaks TLS, with the server or with the proxy before it.
    is_secure: bool,
    /// The proxy that every request goes through.
    proxy: Option<Url>,
    /// The file of certificate authorities that it trusts beside those that all do.
    authorities: Option<PathBuf>,
    timeouts: Timeouts,
    /// Whether an answer that pauses is given up. Uploads do not end so.
    has_read_timeout: bool,
}

/// HTTP clients, made when they are needed: reading the system's certificates takes longer than a
/// whole download from a registry that does without.
pub(crate) struct Clients {
    settings: Settings,
    made: RefCell<BTreeMap<ClientKey, Client>>,
}

impl Clients {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone(), made: RefCell::default() }
    }

    /// Returns the client for an address, while this registry is talked to.
    pub(crate) fn for_url(&self, url: &Url, registry: &str) -> Result<Client, RegistryError> {
        self.client(url, registry, true)
    }

    /// Returns the same for uploads, in which the registry says nothing for as long as bytes go
    /// out.
    pub(crate) fn for_upload(&self, url: &Url, registry: &str) -> Result<Client, RegistryError> {
        self.client(url, registry, false)
    }

    fn client(
        &self,
        url: &Url,
        registry: &str,
        has_read_timeout: bool,
    ) -> Result<Client, RegistryError> {
        let proxy = self.settings.proxies.route(url)?;
        let is_secure = url.scheme() == "https"
            || proxy.as_ref().is_some_and(|proxy| proxy.scheme() == "https");
        let own = self.settings.authorities_of(registry).filter(|_| is_secure).map(Path::to_owned);
        let timeouts = self.settings.timeouts_of(registry);
        let key = ClientKey { is_secure, proxy, authorities: own, timeouts, has_read_timeout };
        if let Some(client) = self.made.borrow().get(&key) {
            return Ok(client.clone());
        }
        let authorities = is_secure.then(|| self.authorities(registry)).transpose()?;
        let client = self.build(authorities, &key)?;
        self.made.borrow_mut().insert(key, client.clone());
        Ok(client)
    }

    /// Returns a client that trusts these authorities and the system's, or one that speaks no TLS.
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
            .connect_timeout(key.timeouts.connect)
            .no_proxy();
        if key.has_read_timeout {
            builder = builder.read_timeout(key.timeouts.idle);
        }
        if let Some(proxy) = &key.proxy {
            builder = builder.proxy(Proxy::all(proxy.as_str()).map_err(setup)?);
        }
        builder = match authorities {
            Some(authorities) => {
                let certificates = authorities.iter().map(|der| Certificate::from_der(der));
                builder.tls_certs_merge(certificates.collect::<Result<Vec<_>, _>>().map_err(setup)?)
            }
            None => builder.tls_certs_only([]),
        };
        builder.build().map_err(setup)
    }

    /// Returns the certificate authorities that are trusted beside the system's while this registry
    /// is talked to.
    pub(crate) fn authorities(
        &self,
        registry: &str,
    ) -> Result<Vec<CertificateDer<'static>>, RegistryError> {
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
    let pem = read_regular(path, MAX_AUTHORITIES).map_err(|error| failed(error.to_string()))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() {
        Err(failed("there are none in it".to_owned()))
    } else {
        Ok(certificates)
    }
}

fn setup(error: reqwest::Error) -> RegistryError {
    RegistryError::Setup(error.into())
}
