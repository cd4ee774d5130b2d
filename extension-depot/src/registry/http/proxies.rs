//! Proxies between sesame and the web.

use std::fmt;

use core_types::ProxyExceptions;
use reqwest::Url;

use crate::registry::error::RegistryError;

/// Proxies by scheme of the target. Loopback addresses are always reached directly.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For plain HTTP.
    pub http: Option<String>,
    /// For HTTPS.
    pub https: Option<String>,
    /// Hosts that are reached directly, as in the variable `NO_PROXY`.
    pub except: Option<String>,
    /// The variables that name the proxies for plain HTTP and for HTTPS, for messages.
    pub variables: [String; 2],
}

/// The address of a proxy can have a password in it.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_set = |proxy: &Option<String>| proxy.as_ref().map(|_| "<redacted>");
        let mut shown = f.debug_struct("Proxies");
        shown.field("http", &is_set(&self.http)).field("https", &is_set(&self.https));
        shown.field("except", &self.except).finish()
    }
}

impl Proxies {
    /// Returns the address of the proxy that stands before a URL, if one does.
    ///
    /// # Errors
    /// When a proxy is configured for the URL that sesame cannot speak to: the URL is never reached
    /// without it.
    pub(crate) fn route(&self, url: &Url) -> Result<Option<Url>, RegistryError> {
        let is_tls = url.scheme() == "https";
        let Some(proxy) = (if is_tls { &self.https } else { &self.http }) else { return Ok(None) };
        let exceptions = ProxyExceptions::parse(self.except.as_deref().unwrap_or_default());
        let port = url.port_or_known_default().unwrap_or_default();
        if exceptions.covers(url.host_str().unwrap_or_default(), port) {
            return Ok(None);
        }
        usable(proxy).map(Some).ok_or_else(|| RegistryError::Proxy {
            variable: self.variables[usize::from(is_tls)].clone(),
            // Without its host, since a password may stand before it.
            scheme: proxy.split_once("://").map_or("", |(scheme, _)| scheme).to_owned(),
        })
    }
}

/// Returns the address of a proxy that can be spoken to. Without a scheme, plain HTTP is spoken to
/// it.
fn usable(proxy: &str) -> Option<Url> {
    let proxy = proxy.trim();
    let address = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    let is_usable = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    Url::parse(&address).ok().filter(is_usable)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An unusable proxy is an error where it counts.
    #[test]
    fn unusable_proxy_is_an_error() {
        let check = |proxy: &str, except: &str, url: &str| {
            let proxies = Proxies {
                https: Some(proxy.to_owned()),
                except: Some(except.to_owned()),
                variables: ["http_proxy", "ALL_PROXY"].map(str::to_owned),
                ..Proxies::default()
            };
            proxies.route(&Url::parse(url).expect(url)).map(drop).map_err(|error| error.to_string())
        };
        let url = "https://ghcr.io/v2/";
        for proxy in [
            "http://p:1",
            "HTTPS://p",
            "p:3128",
            "me:PASS@p:1",
            "http://me:PASS@p:1",
            " http://p:1 ",
        ] {
            assert_eq!(check(proxy, "", url), Ok(()), "{proxy}");
        }
        for proxy in [
            "socks://p:1",
            "socks5://p",
            "socks5h://p:1",
            "socks4://p",
            "ftp://p",
            "htp://me:PASS@p",
            "://",
            "http://",
        ] {
            let message = check(proxy, "", url).expect_err(proxy);
            assert!(message.contains("`ALL_PROXY`") && !message.contains("PASS"), "{message}");
            assert_eq!(check(proxy, "ghcr.io", url), Ok(()), "an exception: {proxy}");
            assert_eq!(check(proxy, "", "https://127.0.0.1/v2/"), Ok(()), "this machine: {proxy}");
            assert_eq!(
                check(proxy, "", "http://ghcr.io/v2/"),
                Ok(()),
                "no proxy for plain HTTP: {proxy}"
            );
        }
    }

    /// A host is reached without its proxy only where it is an exception, and at the port
    /// that the exception names.
    #[test]
    fn proxy_is_used_but_for_exceptions() {
        let is_direct = |except: &str, url: &str| {
            let (http, https) = (Some("http://p:1".to_owned()), Some("p:2".to_owned()));
            let proxies =
                Proxies { http, https, except: Some(except.to_owned()), ..Proxies::default() };
            proxies.route(&Url::parse(url).expect(url)).expect("usable").is_none()
        };
        for (except, url) in [
            ("ghcr.io", "https://ghcr.io/v2/"),
            ("GHCR.io:443", "https://ghcr.io/v2/"),
            ("r.example:5000", "http://r.example:5000/v2/"),
            ("10.0.0.0/8", "http://10.1.2.3:5000/v2/"),
            ("*", "https://ghcr.io/v2/"),
            ("", "http://127.0.0.1:5000/v2/"),
            ("", "http://[::1]:5000/v2/"),
        ] {
            assert!(is_direct(except, url), "{except} {url}");
        }
        for (except, url) in [
            ("", "https://ghcr.io/v2/"),
            ("ghcr.io:5000", "https://ghcr.io/v2/"),
            ("ghcr.io", "https://ghcr.io.evil.com/v2/"),
            ("10.0.0.0/8", "http://11.0.0.1/v2/"),
        ] {
            assert!(!is_direct(except, url), "{except} {url}");
        }
    }
}
