//! The target of a request, and the network budget of a call.

#[cfg(feature = "network")]
use std::sync::Arc;
#[cfg(feature = "network")]
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use core_types::Scheme;
#[cfg(feature = "network")]
use core_types::without_brackets;
use http::Uri;
use wasmtime_wasi_http::Error;

/// The maximum of all responses of one call, in bytes: the host buffers a part of each, and an
/// honest extension needs far less.
#[cfg(feature = "network")]
const MAX_RESPONSE_BYTES: u64 = 64 << 20;
/// The maximum of connections of one call: more is a scan or a flood.
#[cfg(feature = "network")]
const MAX_CONNECTIONS: u32 = 100;

pub(crate) type Body = wasmtime_wasi_http::WasiBody;
pub(crate) type Sending = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// The rest of a call's network budget. All clones count together.
#[cfg(feature = "network")]
#[derive(Clone)]
pub(crate) struct Budget {
    bytes: Arc<AtomicU64>,
    connections: Arc<AtomicU32>,
}

#[cfg(feature = "network")]
impl Default for Budget {
    fn default() -> Self {
        Self {
            bytes: Arc::new(AtomicU64::new(MAX_RESPONSE_BYTES)),
            connections: Arc::new(AtomicU32::new(MAX_CONNECTIONS)),
        }
    }
}

#[cfg(feature = "network")]
impl Budget {
    /// Counts one more connection.
    pub(crate) fn consume_connection(&self) -> Result<(), Error> {
        self.connections
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .map(drop)
            .map_err(|_| Error::ConnectionLimitReached)
    }

    /// Counts bytes of a response.
    pub(crate) fn consume_bytes(&self, bytes: u64) -> Result<(), Error> {
        self.bytes
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
            .map(drop)
            .map_err(|_| Error::HttpResponseBodySize(None))
    }
}

/// The target of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) scheme: Scheme,
    /// The host as the guest spells it.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Target {
    /// Returns the host without the brackets around an address.
    #[cfg(feature = "network")]
    pub(crate) fn bare_host(&self) -> &str {
        without_brackets(&self.host)
    }

    /// Reads the target of an address. A name in front of an `@` is refused: a reader could take it
    /// for the host.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Error> {
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let authority = authority.ok_or(Error::HttpRequestUriInvalid)?;
        let scheme = match uri.scheme_str() {
            Some("https") => Scheme::Https,
            Some("http") => Scheme::Http,
            _ => return Err(Error::HttpProtocolError),
        };
        let port = authority.port_u16().unwrap_or_else(|| scheme.default_port());
        Ok(Self { scheme, host: authority.host().to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_has_one_unambiguous_host() {
        let target = |uri: &str| Target::of(&uri.parse().expect(uri)).ok();
        let expected =
            |scheme, host: &str, port| Some(Target { scheme, host: host.to_owned(), port });
        assert_eq!(
            target("https://api.example.com/x"),
            expected(Scheme::Https, "api.example.com", 443)
        );
        assert_eq!(target("http://[::1]:8080/"), expected(Scheme::Http, "[::1]", 8080));
        for uri in
            ["https://api.example.com@evil.org/", "ftp://x/", "/only/a/path", "https://a:b@c/"]
        {
            assert_eq!(target(uri), None, "{uri}");
        }
    }
}
