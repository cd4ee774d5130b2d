//! How granted requests reach the web: whom TLS trusts, and which proxies stand in between.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

/// The way of granted requests to the web, in the words of whoever offers it. The default is the system's certificates and no
/// proxy. Nothing is read before a request needs it.
///
/// A proxy is told the names of hosts and resolves them itself. What a name leads to on this machine is looked at all the
/// same before it is told, where the name can be resolved here.
///
/// The address of a proxy can have a password in it, so that this is not shown, not even for debugging. It can be made:
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
    tls: OnceLock<Arc<ClientConfig>>,
}

impl HttpAccess {
    /// The way through these, and with these authorities trusted.
    pub fn new(authorities: Vec<PathBuf>, http_proxy: Option<String>, https_proxy: Option<String>) -> Self {
        Self { authorities, http_proxy, https_proxy, ..Self::default() }
    }

    /// The same way, on which these hosts are reached directly.
    pub fn except(mut self, no_proxy: Option<String>) -> Self {
        self.no_proxy = no_proxy;
        self
    }

    /// The proxy that stands before an address, if one does.
    pub(crate) fn proxy(&self, to: &Uri) -> Option<Intercept> {
        let text = |proxy: &Option<String>| proxy.clone().unwrap_or_default();
        let direct = format!("localhost,127.0.0.0/8,::1,{}", text(&self.no_proxy));
        let matcher = Matcher::builder().http(text(&self.http_proxy)).https(text(&self.https_proxy)).no(direct).build();
        matcher.intercept(to)
    }

    /// TLS as it is trusted here. Made by the first request that needs it.
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
        let verifier = Verifier::new_with_extra_roots(roots, provider.clone()).map_err(io::Error::other)?;
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(io::Error::other)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        Ok(config.with_no_client_auth())
    }
}
