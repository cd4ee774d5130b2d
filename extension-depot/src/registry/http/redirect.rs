//! Redirects, which lead only to where a registry may send us.

use std::net::IpAddr;

use core_types::without_brackets;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, Response, Url};

use crate::registry::auth::session::Authorization;
use crate::registry::error::RegistryError;
use crate::registry::http::clients::Clients;
use crate::registry::http::response::status_error;
use crate::registry::settings::{Settings, is_loopback};

/// The redirects of one request: registries redirect once, to a store of blobs.
const MAX_REDIRECTS: usize = 5;
/// Why a redirect is not followed that only a setting of the registry can allow.
const INTO_PRIVATE: &str = "which is an address of this machine or network";

/// Requests that are redirected only where a registry may send us to.
pub(crate) struct Follow<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) clients: &'a Clients,
    pub(crate) registry: &'a str,
}

impl Follow<'_> {
    /// Follows redirects as far as they lead to places that a registry may send us to. The
    /// authorization is only sent to the first origin.
    pub(crate) async fn send(
        &self,
        method: Method,
        start: &Url,
        accept: &str,
        authorization: Option<&Authorization>,
    ) -> Result<Response, RegistryError> {
        let mut url = start.clone();
        for _ in 0..=MAX_REDIRECTS {
            let client = self.clients.for_url(&url, self.registry)?;
            let mut request = client.request(method.clone(), url.clone()).header("Accept", accept);
            if let Some(authorization) = authorization.filter(|_| url.origin() == start.origin()) {
                request = request.header("Authorization", authorization.header.clone());
            }
            let sending =
                tokio::time::timeout(self.settings.timeouts_of(self.registry).idle, request.send());
            let timeout = |_| RegistryError::Timeout { registry: self.registry.to_owned() };
            let response = sending.await.map_err(timeout)?;
            let response =
                response.map_err(|source| RegistryError::network(self.registry, source))?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            url = self.redirected(start, &url, response.headers())?;
        }
        Err(self.redirect_error(&url, "and that is one redirect too many"))
    }

    /// Starts the download of a file, without a login.
    pub(crate) async fn file(&self, url: &Url) -> Result<Response, RegistryError> {
        let response = self.send(Method::GET, url, "*/*", None).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(status_error(response, self.registry, self.settings.timeouts_of(self.registry)).await)
    }

    pub(crate) fn redirected(
        &self,
        start: &Url,
        from: &Url,
        headers: &HeaderMap,
    ) -> Result<Url, RegistryError> {
        let location =
            headers.get(LOCATION).and_then(|location| location.to_str().ok()).unwrap_or_default();
        let to = from
            .join(location)
            .map_err(|_| self.redirect_error(from, "which is not an address"))?;
        let reason = match to.scheme() {
            "https" => None,
            "http" if from.scheme() == "http" => None,
            "http" => Some("which is not secure"),
            _ => Some("which is not a web address"),
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

/// Returns whether an address is this machine or network by its own account. Names other than
/// `localhost` are not looked up.
fn is_private(url: &Url) -> bool {
    let host = without_brackets(url.host_str().unwrap_or_default());
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
    use super::*;
    use crate::registry::settings::RegistrySettings;

    #[test]
    fn redirects_keep_security() {
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
        let allowed = ["10.0.0.1:9000", "127.0.0.1"]
            .map(|host| host.to_owned().try_into().expect(host))
            .to_vec();
        let own = RegistrySettings { allow_redirect_to: allowed, ..Default::default() };
        let settings =
            Settings { registries: [("ghcr.io".to_owned(), own)].into(), ..Default::default() };
        let leads_for = |registry: &str, to: &str| {
            let follow = Follow { settings: &settings, clients: &clients, registry };
            let headers = HeaderMap::from_iter([(LOCATION, to.parse().expect("a header"))]);
            let from = Url::parse(public).expect(public);
            follow.redirected(&from, &from, &headers).is_ok()
        };
        assert!(
            leads_for("ghcr.io", "https://10.0.0.1:9000/x?s=1")
                && leads_for("ghcr.io", "https://127.0.0.1/x")
        );
        for to in [
            "https://10.0.0.1/x",
            "https://10.0.0.2:9000/x",
            "https://127.0.0.1:1/x",
            "http://10.0.0.1:9000/x",
        ] {
            assert!(!leads_for("ghcr.io", to), "{to}");
        }
        assert!(!leads_for("quay.io", "https://10.0.0.1:9000/x"), "another registry");
        let own = "http://127.0.0.1:5000/v2/a/b/blobs/x";
        assert!(
            leads(own, "http://127.0.0.1:5001/x").is_some(),
            "this machine may send us around on this machine"
        );
        assert!(leads(own, "file:///etc/passwd").is_none());
    }

    /// Addresses of this machine and network are known.
    #[test]
    fn private_addresses_are_known() {
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
