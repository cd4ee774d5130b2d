//! Digests in hexadecimal digits.

use sha2::{Digest, Sha256};

/// Returns the SHA-256 of several byte strings, one after the other.
pub fn sha256<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> [u8; 32] {
    let mut whole = Sha256::new();
    for part in parts {
        whole.update(part);
    }
    whole.finalize().into()
}

/// Writes bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_one_text() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&sha256(["a", "bc"])), abc);
    }
}
