//! Which hosts an extension may talk to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::reference::{in_brackets, without_brackets};

/// One entry of `network`: `[scheme://]host[:port][+private]`, where the host may start with `*.`;
/// in a manifest also `{ host = "[scheme://]host[:port]", allow_private = true }`.
///
/// Without scheme and port it means HTTPS on port 443. `*.example.org` covers every name below
/// `example.org` and not `example.org` itself. A name that leads to an address of this machine or
/// of the local network is refused, unless `+private` allows that; an address, or `localhost`, is
/// granted as itself.
///
/// ```
/// use core_types::{NetworkRule, Scheme};
///
/// let rule: NetworkRule = "*.example.org".parse()?;
/// assert!(rule.allows(Scheme::Https, "api.example.org", 443));
/// assert!(!rule.allows(Scheme::Http, "api.example.org", 80));
/// assert!(!rule.allows_address([127, 0, 0, 1].into()));
/// # Ok::<(), core_types::NetworkRuleError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkRule {
    text: String,
    scheme: Scheme,
    host: String,
    subdomains: bool,
    port: u16,
    private: bool,
}

/// The protocols that `network` can allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// HTTP in the clear, on port 80 unless another is written.
    Http,
    /// HTTP over TLS, on port 443 unless another is written.
    Https,
}

/// Why a text is not a network rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not a host: write `api.example.com`, `*.example.org:8443` or `http://127.0.0.1:8080`",
    text.escape_debug()
)]
pub struct NetworkRuleError {
    /// The text as given.
    pub text: String,
}

impl NetworkRule {
    /// Tells whether a request to this host and port with this scheme is allowed. Case and one
    /// trailing dot do not matter.
    pub fn allows(&self, scheme: Scheme, host: &str, port: u16) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let host_fits = if self.subdomains {
            host.strip_suffix(&self.host)
                .is_some_and(|below| below.len() > 1 && below.ends_with('.'))
        } else {
            host == self.host
        };
        host_fits && scheme == self.scheme && port == self.port
    }

    /// Tells whether the rule lets its host be at this address: any public one, and others only if
    /// the rule says so.
    pub fn allows_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match self.granted_address() {
            Some(granted) => granted == address,
            None if self.host == "localhost" => address.is_loopback(),
            None => self.private || is_public(address),
        }
    }

    /// Tells whether every request that the other rule allows is allowed by this one.
    pub fn covers(&self, other: &Self) -> bool {
        let host_covers = if self.subdomains {
            other
                .host
                .strip_suffix(&self.host)
                .is_some_and(|below| below.ends_with('.') || below.is_empty() && other.subdomains)
        } else {
            self.host == other.host && !other.subdomains
        };
        host_covers
            && (self.scheme, self.port) == (other.scheme, other.port)
            && (self.private || !other.private)
    }

    /// Tells whether it covers every name below a domain.
    pub fn covers_subdomains(&self) -> bool {
        self.subdomains
    }

    /// Tells whether its host may be a machine of the local network.
    pub fn allows_private(&self) -> bool {
        self.private
    }

    /// Tells whether it is HTTPS to one host with a name in the internet: neither every host below a
    /// domain, nor an address, nor a machine of the local network.
    pub fn is_one_public_host(&self) -> bool {
        let has_name = self.granted_address().is_none() && self.host != "localhost";
        has_name && self.scheme == Scheme::Https && !self.subdomains && !self.private
    }

    /// Returns the address that the rule names instead of a host.
    fn granted_address(&self) -> Option<IpAddr> {
        without_brackets(&self.host).parse::<IpAddr>().ok().map(|address| address.to_canonical())
    }
}

/// Tells whether an address is one that the whole internet shares, after the registries of special
/// addresses (<https://www.iana.org/assignments/iana-ipv4-special-registry>,
/// `iana-ipv6-special-registry`).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !is_special
}

/// Tells whether an address is public. Only 2000::/3 is given out, and parts of it carry IPv4
/// addresses or are documentation.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_special = match first {
        0x2001 => second < 0x0200 || second == 0x0db8,
        0x2002 | 0x3fff => true,
        _ => false,
    };
    (0x2000..0x4000).contains(&first) && !is_special
}

/// The end of a rule that allows private addresses.
const PRIVATE: &str = "+private";

impl Scheme {
    /// Returns the name in front of `://`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// Returns the port where none is written.
    pub fn default_port(self) -> u16 {
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
    let (private, rule) = text.strip_suffix(PRIVATE).map_or((false, text), |rule| (true, rule));
    let (scheme, rest) = match rule.split_once("://") {
        None => (Scheme::Https, rule),
        Some(("https", rest)) => (Scheme::Https, rest),
        Some(("http", rest)) => (Scheme::Http, rest),
        Some(_) => return None,
    };
    let (host, port) = split_port(rest, scheme)?;
    let (subdomains, host) = match host.strip_prefix("*.") {
        Some(parent) if parent.contains('.') && parent.parse::<Ipv4Addr>().is_err() => {
            (true, parent)
        }
        Some(_) => return None,
        None => (false, host),
    };
    let host = host.to_ascii_lowercase();
    is_host(&host).then(|| NetworkRule {
        text: text.to_owned(),
        scheme,
        host,
        subdomains,
        port,
        private,
    })
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
    if let Some(address) = in_brackets(host) {
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

impl serde::Serialize for NetworkRule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NetworkRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RuleVisitor)
    }
}

struct RuleVisitor;

impl<'de> Visitor<'de> for RuleVisitor {
    type Value = NetworkRule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a host such as `api.example.com`, or `{ host = \"...\", allow_private = true }`",
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<NetworkRule, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NetworkRule, A::Error> {
        let (mut host, mut allow_private) = (None, false);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "host" => host = Some(map.next_value::<String>()?),
                "allow_private" => allow_private = map.next_value()?,
                _ => drop(map.next_value::<de::IgnoredAny>()?),
            }
        }
        let host = host.ok_or_else(|| de::Error::missing_field("host"))?;
        let text = if allow_private { host + PRIVATE } else { host };
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rule: &str, scheme: Scheme, host: &str, port: u16) -> bool {
        rule.parse::<NetworkRule>().expect(rule).allows(scheme, host, port)
    }

    /// A bare host means https on 443 and nothing else.
    #[test]
    fn bare_host_means_https_on_443() {
        assert!(allows("api.example.com", Scheme::Https, "API.example.com.", 443));
        assert!(!allows("api.example.com", Scheme::Http, "api.example.com", 80));
        assert!(!allows("api.example.com", Scheme::Https, "api.example.com", 8443));
        assert!(!allows("api.example.com", Scheme::Https, "api.example.com.evil.org", 443));
        assert!(!allows("api.example.com", Scheme::Https, "evil-api.example.com", 443));
    }

    /// A star covers what is below and not the parent.
    #[test]
    fn star_covers_only_below() {
        assert!(allows("*.example.org:8443", Scheme::Https, "a.b.example.org", 8443));
        assert!(!allows("*.example.org", Scheme::Https, "example.org", 443));
        assert!(!allows("*.example.org", Scheme::Https, "notexample.org", 443));
        assert!(!allows("*.example.org", Scheme::Https, ".example.org", 443));
    }

    /// A name leads to public addresses unless it may lead elsewhere.
    #[test]
    fn name_leads_to_public_addresses() {
        let allows = |rule: &str, address: &str| {
            rule.parse::<NetworkRule>().expect(rule).allows_address(address.parse().expect(address))
        };
        for address in
            ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"]
        {
            assert!(
                allows("example.com", address) && allows("*.example.com", address),
                "{address}"
            );
        }
        for address in [
            "127.0.0.1",
            "127.8.8.8",
            "::1",
            "::",
            "0.0.0.0",
            "::ffff:127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "fd00:ec2::254",
            "fe80::1",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
            "ff02::1",
            "198.18.0.1",
            "192.0.0.1",
            "::127.0.0.1",
            "240.0.0.1",
        ] {
            assert!(!allows("example.com", address), "{address}");
            assert!(allows("example.com+private", address), "{address}");
        }
        assert!(
            allows("http://127.0.0.1:80", "127.0.0.1")
                && !allows("http://127.0.0.1:80", "127.0.0.2")
        );
        assert!(allows("http://localhost:80", "::1") && !allows("http://localhost:80", "10.0.0.1"));
        assert!(allows("[::1]:8443", "::1") && !allows("[::1]:8443", "::2"));
    }

    #[test]
    fn a_wider_rule_covers_a_narrower_one() {
        let covers = |wide: &str, narrow: &str| {
            wide.parse::<NetworkRule>().expect(wide).covers(&narrow.parse().expect(narrow))
        };
        assert!(
            covers("*.example.org", "api.example.org")
                && covers("*.example.org", "*.api.example.org")
        );
        assert!(
            covers("*.example.org", "*.example.org")
                && covers("a.org+private", "a.org")
                && covers("a.org", "a.org:443")
        );
        assert!(!covers("*.example.org", "example.org") && !covers("a.org", "a.org+private"));
        assert!(
            !covers("a.example.org", "*.example.org")
                && !covers("a.org", "http://a.org")
                && !covers("a.org", "a.org:1")
        );
        assert!(!covers("*.example.org", "evilexample.org"));
    }

    #[test]
    fn a_manifest_can_write_a_table() {
        #[derive(serde::Deserialize)]
        struct Sample {
            network: Vec<NetworkRule>,
        }
        let text =
            "network = [\"a.org\", { host = \"http://nas.local:8080\", allow_private = true }]";
        let parsed = crate::parse_toml::<Sample>(text).expect("valid").value.network;
        assert_eq!(parsed[1].to_string(), "http://nas.local:8080+private");
        assert!(crate::parse_toml::<Sample>("network = [{ allow_private = true }]").is_err());
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
