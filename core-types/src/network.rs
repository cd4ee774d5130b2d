//! Which hosts an extension may talk to.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::serde_as_text;

/// One entry of `network`: `[scheme://]host[:port]`, where the host may start with `*.`.
///
/// Without scheme and port it means HTTPS on port 443. `*.example.org` covers every name below `example.org` and not
/// `example.org` itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkRule {
    text: String,
    scheme: Scheme,
    host: String,
    subdomains: bool,
    port: u16,
}

/// The protocols that `network` can allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// HTTP in the clear, on port 80 unless another is written.
    Http,
    /// HTTP over TLS, on port 443 unless another is written.
    Https,
}

/// Why a text is no network rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` names no host: write `api.example.com`, `*.example.org:8443` or `http://localhost:8080`",
    text.escape_debug()
)]
pub struct NetworkRuleError {
    /// The text as given.
    pub text: String,
}

impl NetworkRule {
    /// Whether a request to this host and port with this scheme is allowed. Case and one trailing dot do not matter.
    pub fn allows(&self, scheme: Scheme, host: &str, port: u16) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let host_fits = if self.subdomains {
            host.strip_suffix(&self.host).is_some_and(|below| below.len() > 1 && below.ends_with('.'))
        } else {
            host == self.host
        };
        host_fits && scheme == self.scheme && port == self.port
    }
}

impl Scheme {
    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl FromStr for NetworkRule {
    type Err = NetworkRuleError;

    fn from_str(text: &str) -> Result<Self, NetworkRuleError> {
        parse(text).ok_or_else(|| NetworkRuleError { text: text.to_owned() })
    }
}

fn parse(text: &str) -> Option<NetworkRule> {
    let (scheme, rest) = match text.split_once("://") {
        None => (Scheme::Https, text),
        Some(("https", rest)) => (Scheme::Https, rest),
        Some(("http", rest)) => (Scheme::Http, rest),
        Some(_) => return None,
    };
    let (host, port) = split_port(rest, scheme)?;
    let (subdomains, host) = match host.strip_prefix("*.") {
        Some(parent) if parent.contains('.') && parent.parse::<Ipv4Addr>().is_err() => (true, parent),
        Some(_) => return None,
        None => (false, host),
    };
    let host = host.to_ascii_lowercase();
    is_host(&host).then(|| NetworkRule { text: text.to_owned(), scheme, host, subdomains, port })
}

fn split_port(authority: &str, scheme: Scheme) -> Option<(&str, u16)> {
    let host_end = if authority.starts_with('[') {
        authority.find(']')? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at(host_end);
    match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some((host, digits.parse().ok().filter(|port| *port > 0)?))
        }
        None if port.is_empty() => Some((host, scheme.default_port())),
        _ => None,
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

impl fmt::Display for NetworkRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

serde_as_text!(NetworkRule);

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rule: &str, scheme: Scheme, host: &str, port: u16) -> bool {
        rule.parse::<NetworkRule>().expect(rule).allows(scheme, host, port)
    }

    #[test]
    fn a_bare_host_means_https_on_443_and_nothing_else() {
        assert!(allows("api.example.com", Scheme::Https, "API.example.com.", 443));
        assert!(!allows("api.example.com", Scheme::Http, "api.example.com", 80));
        assert!(!allows("api.example.com", Scheme::Https, "api.example.com", 8443));
        assert!(!allows("api.example.com", Scheme::Https, "api.example.com.evil.org", 443));
        assert!(!allows("api.example.com", Scheme::Https, "evil-api.example.com", 443));
    }

    #[test]
    fn a_star_covers_what_is_below_and_not_the_parent() {
        assert!(allows("*.example.org:8443", Scheme::Https, "a.b.example.org", 8443));
        assert!(!allows("*.example.org", Scheme::Https, "example.org", 443));
        assert!(!allows("*.example.org", Scheme::Https, "notexample.org", 443));
        assert!(!allows("*.example.org", Scheme::Https, ".example.org", 443));
    }

    #[test]
    fn schemes_and_addresses_can_be_written() {
        assert!(allows("http://localhost:8080", Scheme::Http, "localhost", 8080));
        assert!(allows("[::1]:8443", Scheme::Https, "[::1]", 8443));
        for bad in [
            "",
            "*",
            "*.com",
            "*.1.2.3.4",
            "ftp://x",
            "https://",
            "a/b",
            "a:0",
            "a:65536",
            "a:b",
            "u@a",
            "a b",
            "[::1",
            "-a",
            "a..b",
            "https://a/path",
            "a:1:2",
            "é.example",
        ] {
            assert!(bad.parse::<NetworkRule>().is_err(), "{bad:?} must be refused");
        }
    }
}
