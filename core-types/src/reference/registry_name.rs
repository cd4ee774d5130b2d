//! One form of a registry's name, whichever way it is written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The ports of HTTPS and HTTP, which one scheme or the other leaves out.
const DEFAULT_PORTS: [&str; 2] = ["443", "80"];

/// Returns the one form of `host[:port]` that policy, identity, trust, settings and credentials
/// compare: in lower case, without the dot at its end and the port of HTTPS or HTTP, and with
/// addresses as they are dialled.
///
/// `HOST:80` is `HOST`: whoever blocks or trusts a host means it on either port.
pub fn canonical_registry(registry: &str) -> String {
    let (host, port) = split_port(registry);
    let host = canonical_host(host);
    match port.trim_start_matches('0') {
        // A word that sesame uses itself is a host only with its port.
        port if is_reserved(&host) && !port.is_empty() => format!("{host}:{port}"),
        port if port.is_empty() || DEFAULT_PORTS.contains(&port) => host,
        port => format!("{host}:{port}"),
    }
}

/// The text in the place of a registry where there is none. A registry has a dot or a port, so that
/// no registry is called so.
pub(crate) const LOCAL: &str = "local";
/// Where the identity of an extension that a program brings begins.
pub(crate) const EMBEDDED: &str = "embedded";

/// Tells whether identities that begin like this belong to files and to extensions that programs
/// bring.
pub(crate) fn is_reserved(registry: &str) -> bool {
    [LOCAL, EMBEDDED].iter().any(|word| registry.eq_ignore_ascii_case(word))
}

fn split_port(registry: &str) -> (&str, &str) {
    match registry.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (registry, ""),
    }
}

/// Returns a host without the brackets that an IPv6 address has in URLs.
pub fn without_brackets(host: &str) -> &str {
    in_brackets(host).unwrap_or(host)
}

/// Returns the text in the brackets of an IPv6 address.
pub(crate) fn in_brackets(host: &str) -> Option<&str> {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']'))
}

fn canonical_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    if let Some(Ok(address)) = in_brackets(host).map(str::parse::<Ipv6Addr>) {
        return match address.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
    }
    dialled_address(host).map_or_else(|| host.to_owned(), |address| address.to_string())
}

/// Returns the address that URL parsers make of a host of numbers, such as `127.1` and `0x7f000001`
/// (<https://url.spec.whatwg.org/#concept-ipv4-parser>).
fn dialled_address(host: &str) -> Option<Ipv4Addr> {
    let numbers: Vec<u64> = host.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = numbers.split_last()?;
    let bits = 32_u32.checked_sub(8 * u32::try_from(first.len()).ok()?).filter(|bits| *bits > 0)?;
    if first.iter().any(|number| *number > 255) || *last >= 1 << bits {
        return None;
    }
    let high = first.iter().zip([24, 16, 8]).map(|(number, shift)| number << shift).sum::<u64>();
    Some(Ipv4Addr::from(u32::try_from(high + last).ok()?))
}

/// Reads a number in the notations of C.
fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some("") => return Some(0),
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    // `from_str_radix` takes a sign as well.
    digits
        .bytes()
        .all(|b| b.is_ascii_alphanumeric())
        .then(|| u64::from_str_radix(digits, radix).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_registry_is_one() {
        for (canonical, spellings) in [
            (
                "ghcr.io",
                &[
                    "ghcr.io",
                    "GHCR.io",
                    "ghcr.io:443",
                    "ghcr.io:0443",
                    "ghcr.io:80",
                    "ghcr.io:080",
                    "ghcr.io.",
                ][..],
            ),
            ("ghcr.io:8443", &["ghcr.io:8443", "Ghcr.Io:08443", "ghcr.io.:8443"]),
            ("[2001:db8::1]", &["[2001:db8::1]", "[2001:DB8:0:0::1]:443", "[2001:0db8::0001]:80"]),
            ("[::1]:5000", &["[::1]:5000", "[0:0:0:0:0:0:0:1]:05000"]),
            (
                "127.0.0.1:5000",
                &[
                    "127.0.0.1:5000",
                    "127.1:5000",
                    "0x7f.1:5000",
                    "2130706433:5000",
                    "[::ffff:127.0.0.1]:5000",
                ],
            ),
            ("10.0.0.8", &["10.0.0.8", "10.0.0.010", "012.8", "10.8:443"]),
            ("local", &["local", "LOCAL"]),
            ("local:443", &["local:443", "Local:0443"]),
            ("1.2.3.4.5", &["1.2.3.4.5"]),
            ("256.1.1.1", &["256.1.1.1"]),
        ] {
            for spelling in spellings {
                assert_eq!(canonical_registry(spelling), canonical, "{spelling}");
            }
        }
    }
}
