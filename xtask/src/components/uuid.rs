//! UUIDs by name, from SHA-256: version 8 of RFC 9562, as its appendix B.2 shows.

use crate::digest::{hex, sha256};

/// The namespace of addresses.
pub const NAMESPACE_URL: [u8; 16] = [
    0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
];

/// Returns the UUID of a name in a namespace.
pub fn uuid_by_name(namespace: [u8; 16], name: &str) -> String {
    let mut bytes = sha256([&namespace[..], name.as_bytes()]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let parts = [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..16]];
    parts.map(hex).join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 9562, appendix B.2, in the namespace of names of hosts.
    #[test]
    fn name_gives_its_uuid() {
        let mut namespace = NAMESPACE_URL;
        namespace[3] = 0x10;
        let uuid = uuid_by_name(namespace, "www.example.com");
        assert_eq!(uuid, "5c146b14-3c52-8afd-938a-375d0df1fbf6");
    }
}
