//! Hosts that are reached without a proxy, as the variable `NO_PROXY` lists them.

use std::net::IpAddr;

use crate::reference::without_brackets;

/// This machine, which no proxy reaches.
const THIS_MACHINE: &str = "localhost,127.0.0.0/8,::1";

/// Hosts that are reached without a proxy. This machine is always among them.
///
/// The list has the forms that [curl](https://everything.curl.dev/usingcurl/proxies/env.html) and
/// [Go](https://pkg.go.dev/golang.org/x/net/http/httpproxy) take, separated by commas or spaces:
/// `example.org` and `.example.org` for a host and everything below it, `*.example.org` for
/// everything below it alone, an address, a network such as `10.0.0.0/8`, and `*` for everything. A
/// host or an address can have a port. Entries in another form are ignored.
///
/// ```
/// let exceptions = core_types::ProxyExceptions::parse(".example.org,10.0.0.0/8");
/// assert!(exceptions.covers("api.example.org", 443));
/// assert!(exceptions.covers("10.1.2.3", 80));
/// assert!(!exceptions.covers("example.com", 443));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyExceptions(Vec<Rule>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Everything,
    Network { address: IpAddr, bits: u32 },
    Address { address: IpAddr, port: Option<u16> },
    Host { name: String, is_itself: bool, port: Option<u16> },
}

impl ProxyExceptions {
    /// Reads a list.
    pub fn parse(list: &str) -> Self {
        let entries =
            [THIS_MACHINE, list].into_iter().flat_map(|list| list.split([',', ' ', '\t', '\n']));
        Self(entries.filter_map(Rule::parse).collect())
    }

    /// Tells whether a host, with IPv6 addresses in brackets or not, is reached directly at this
    /// port.
    pub fn covers(&self, host: &str, port: u16) -> bool {
        let host = without_brackets(host).trim_end_matches('.').to_ascii_lowercase();
        let address = host.parse().ok().map(|address: IpAddr| address.to_canonical());
        self.0.iter().any(|rule| rule.covers(&host, address, port))
    }
}

impl Rule {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self::Everything);
        }
        if let Some((address, bits)) = entry.split_once('/') {
            return Self::network(address, bits);
        }
        // An IPv6 address has colons that begin no port.
        if let Ok(address) = without_brackets(entry).parse::<IpAddr>() {
            return Some(Self::Address { address: address.to_canonical(), port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        if let Ok(address) = without_brackets(host).parse::<IpAddr>() {
            return Some(Self::Address { address: address.to_canonical(), port });
        }
        Self::host(host, port)
    }

    fn network(address: &str, bits: &str) -> Option<Self> {
        let address: IpAddr = without_brackets(address).parse().ok()?;
        let bits =
            bits.parse().ok().filter(|bits| *bits <= if address.is_ipv4() { 32 } else { 128 })?;
        Some(Self::Network { address, bits })
    }

    fn host(host: &str, port: Option<u16>) -> Option<Self> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let (name, is_itself) = match host.strip_prefix("*.") {
            Some(name) => (name, false),
            None => (host.strip_prefix('.').unwrap_or(&host), true),
        };
        (!name.is_empty()).then(|| Self::Host { name: name.to_owned(), is_itself, port })
    }

    fn covers(&self, host: &str, address: Option<IpAddr>, at: u16) -> bool {
        let is_at = |port: &Option<u16>| port.is_none_or(|port| port == at);
        match self {
            Self::Everything => true,
            Self::Network { address: network, bits } => {
                address.is_some_and(|found| is_within(found, *network, *bits))
            }
            Self::Address { address: listed, port } => address == Some(*listed) && is_at(port),
            Self::Host { name, is_itself, port } => {
                let above = host.strip_suffix(name.as_str());
                let is_named = above.is_some_and(|above| {
                    if above.is_empty() { *is_itself } else { above.ends_with('.') }
                });
                is_named && is_at(port)
            }
        }
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            let difference = one.to_bits() ^ other.to_bits();
            difference.checked_shr(32 - bits).unwrap_or_default() == 0
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            let difference = one.to_bits() ^ other.to_bits();
            difference.checked_shr(128 - bits).unwrap_or_default() == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each list, what it covers at port 443, and what it does not cover.
    #[test]
    fn exceptions_have_all_usual_forms() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            (
                "",
                &["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "LOCALHOST."],
                &["ghcr.io", "128.0.0.1"],
            ),
            ("*", &["ghcr.io", "10.0.0.1", "::2"], &[]),
            (
                "ghcr.io",
                &["ghcr.io", "GHCR.io", "ghcr.io.", "a.ghcr.io"],
                &["xghcr.io", "ghcr.io.evil.com", "ghcr"],
            ),
            (".example.org", &["example.org", "a.b.example.org"], &["xexample.org", "example.com"]),
            ("*.example.org", &["a.example.org"], &["example.org", "xexample.org"]),
            (
                "a.example , b.example c.example",
                &["a.example", "b.example", "c.example"],
                &["d.example"],
            ),
            (
                "10.0.0.0/8,192.168.1.7",
                &["10.9.9.9", "192.168.1.7"],
                &["11.0.0.1", "192.168.1.8", "10.example"],
            ),
            ("0.0.0.0/0", &["8.8.8.8"], &["::2", "ghcr.io"]),
            (
                "fd00::/8,[2001:db8::1]:443",
                &["fd00::1", "[fd12::9]", "[2001:db8:0::1]"],
                &["fe80::1", "2001:db8::2"],
            ),
            ("ghcr.io:443,10.0.0.1:443", &["ghcr.io", "10.0.0.1"], &["quay.io"]),
            ("ghcr.io:5000,10.0.0.1:5000,[fd00::1]:5000", &[], &["ghcr.io", "10.0.0.1", "fd00::1"]),
            ("10.0.0.0/33,/8,:443,.,*.,10.0.0.0/x,ghcr.io:x", &[], &["10.0.0.1", "ghcr.io", "x"]),
        ];
        for (list, covered, others) in cases {
            let exceptions = ProxyExceptions::parse(list);
            for host in *covered {
                assert!(exceptions.covers(host, 443), "{list} {host}");
            }
            for host in *others {
                assert!(!exceptions.covers(host, 443), "{list} {host}");
            }
        }
    }
}
