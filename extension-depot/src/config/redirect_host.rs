//! Hosts to which a registry may redirect.

use std::net::{IpAddr, Ipv6Addr};

use core_types::without_brackets;
use serde::Deserialize;

/// A host with or without a port, as in the address of a web server.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RedirectHost {
    /// The name or address: lower case, without brackets.
    host: String,
    port: Option<u16>,
}

/// A text does not have the form `host` or `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` does not have the form `host` or `host:port`", .0.escape_debug())]
pub struct RedirectHostError(String);

impl RedirectHost {
    /// Returns whether it is this host, at this port. Where either omits the port, it is the
    /// default one of the scheme.
    #[cfg(feature = "registry")]
    pub(crate) fn is(&self, host: &str, port: Option<u16>, default_port: u16) -> bool {
        self.host == plain_host(host)
            && self.port.unwrap_or(default_port) == port.unwrap_or(default_port)
    }
}

impl TryFrom<String> for RedirectHost {
    type Error = RedirectHostError;

    fn try_from(text: String) -> Result<Self, RedirectHostError> {
        let is_bracketed = text.starts_with('[');
        let (host, port) =
            match text.rsplit_once(':').filter(|(host, _)| !is_bracketed || host.ends_with(']')) {
                Some((host, port)) => (host, port.parse().ok().map(Some)),
                None => (text.as_str(), Some(None)),
            };
        let is_host_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let is_host = if is_bracketed {
            without_brackets(host).parse::<Ipv6Addr>().is_ok()
        } else {
            !host.is_empty() && host.bytes().all(is_host_byte)
        };
        match port.filter(|_| is_host) {
            Some(port) => Ok(Self { host: plain_host(host), port }),
            None => Err(RedirectHostError(text)),
        }
    }
}

/// One form of a host for comparing.
fn plain_host(host: &str) -> String {
    let host = without_brackets(host).trim_end_matches('.').to_ascii_lowercase();
    host.parse::<IpAddr>().map_or(host, |address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RedirectHost, RedirectHostError> {
        text.to_owned().try_into()
    }

    #[test]
    fn host_is_compared_in_one_form() {
        let is = |text: &str, host: &str, port| parse(text).expect(text).is(host, port, 443);
        assert!(is("MinIO.internal.:9000", "minio.internal", Some(9000)));
        assert!(is("10.0.0.1", "10.0.0.1", Some(443)) && is("10.0.0.1:443", "10.0.0.1", None));
        assert!(is("[::1]:9000", "[0:0::1]", Some(9000)));
        assert!(!is("10.0.0.1", "10.0.0.1", Some(9000)) && !is("10.0.0.1:9000", "10.0.0.1", None));
        assert!(!is("minio.internal:9000", "minio.internal.evil", Some(9000)));
    }

    #[test]
    fn other_text_is_not_a_host() {
        for text in [
            "", ":1", "a:", "a:x", "a:99999", "http://a", "a/b", "::1", "[::1", "[a]:1", "*.a",
            "a b",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
