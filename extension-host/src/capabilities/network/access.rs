//! Certificates and proxies of granted requests.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use core_types::ProxyExceptions;
use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

/// Certificates and proxies for granted requests. The default is the system's certificates without
/// a proxy. Nothing is read before a request needs it.
///
/// A proxy gets the names of hosts and resolves them itself. Where a name can be resolved here, its
/// addresses are checked all the same before the proxy gets it.
///
/// The address of a proxy can contain a password, so that this type has no `Debug`. It can be made:
/// ```
/// let _ = extension_host::HttpAccess::default();
/// ```
/// and not be printed:
/// ```compile_fail,E0277
/// format!("{:?}", extension_host::HttpAccess::default());
/// ```
#[derive(Default)]
pub struct HttpAccess {
    /// Files with certificate authorities (PEM) that are trusted beside the system's.
    pub authorities: Vec<PathBuf>,
    /// The proxy for plain HTTP, as an address.
    pub http_proxy: Option<String>,
    /// The proxy for HTTPS, as an address.
    pub https_proxy: Option<String>,
    /// Hosts that are reached directly, as in the variable `NO_PROXY`. This machine always is.
    pub no_proxy: Option<String>,
    /// The variables that name the proxies for plain HTTP and for HTTPS, for messages.
    pub proxy_variables: [String; 2],
    tls: OnceLock<Arc<ClientConfig>>,
}

/// A proxy of an unsupported scheme. Its address can contain a password and is not shown.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the proxy of the scheme `{}` that `{variable}` names", scheme.escape_debug())]
pub(crate) struct UnusableProxy {
    variable: String,
    scheme: String,
}

impl HttpAccess {
    /// Sends requests through these proxies, and trusts these authorities too.
    pub fn new(
        authorities: Vec<PathBuf>,
        http_proxy: Option<String>,
        https_proxy: Option<String>,
    ) -> Self {
        Self { authorities, http_proxy, https_proxy, ..Self::default() }
    }

    /// Reaches these hosts directly.
    pub fn except(mut self, no_proxy: Option<String>) -> Self {
        self.no_proxy = no_proxy;
        self
    }

    /// Names the variables of the proxies, for messages.
    pub fn named(mut self, proxy_variables: [String; 2]) -> Self {
        self.proxy_variables = proxy_variables;
        self
    }

    /// Returns the proxy for an address, if it has one.
    ///
    /// # Errors
    /// When the proxy of the address has an unsupported scheme: the address is never reached
    /// without it.
    pub(crate) fn proxy(&self, to: &Uri) -> Result<Option<Intercept>, UnusableProxy> {
        let is_tls = to.scheme_str() == Some("https");
        let proxy = if is_tls { &self.https_proxy } else { &self.http_proxy };
        let Some(proxy) = proxy else { return Ok(None) };
        let exceptions = ProxyExceptions::parse(self.no_proxy.as_deref().unwrap_or_default());
        let port = to.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        if exceptions.covers(to.host().unwrap_or_default(), port) {
            return Ok(None);
        }
        let through = Matcher::builder().all(proxy.as_str()).build().intercept(to);
        // Only plain HTTP is spoken to proxies here.
        let usable = through.filter(|way| way.uri().scheme_str() == Some("http"));
        usable.map(Some).ok_or_else(|| UnusableProxy {
            variable: self.proxy_variables[usize::from(is_tls)].clone(),
            scheme: proxy.split_once("://").map_or("", |(scheme, _)| scheme).to_owned(),
        })
    }

    /// Returns the TLS configuration, made by the first request that needs it.
    pub(crate) fn tls(&self) -> io::Result<Arc<ClientConfig>> {
        if let Some(made) = self.tls.get() {
            return Ok(made.clone());
        }
        let config = Arc::new(self.make_tls()?);
        Ok(self.tls.get_or_init(|| config).clone())
    }

    fn make_tls(&self) -> io::Result<ClientConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = Vec::new();
        for path in &self.authorities {
            let certificates = CertificateDer::pem_file_iter(path).map_err(io::Error::other)?;
            for certificate in certificates {
                roots.push(certificate.map_err(io::Error::other)?);
            }
        }
        let verifier =
            Verifier::new_with_extra_roots(roots, provider.clone()).map_err(io::Error::other)?;
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        Ok(config.with_no_client_auth())
    }
}
