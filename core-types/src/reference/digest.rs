//! Content digests as OCI writes them.

use std::fmt;
use std::str::FromStr;

use crate::serde_as_text;

/// A SHA-256 digest, written `sha256:` and 64 lower-case hexadecimal digits ([OCI image
/// specification,
/// "Digests"](https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests)).
///
/// Other algorithms are refused: whatever is fetched and run here is named by the digest that
/// sesame computed itself.
///
/// ```
/// let text = format!("sha256:{}", "ab".repeat(32));
/// let digest: core_types::Digest = text.parse()?;
/// assert_eq!((digest.to_string(), digest.short()), (text, "abababababab".to_owned()));
/// # Ok::<(), core_types::DigestError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// Why a text is not a digest that sesame can check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// Another algorithm than SHA-256, or none at all.
    #[error("`{}` is not a sha256 digest; sesame checks only `sha256:` and 64 hexadecimal digits", text.escape_debug())]
    Algorithm {
        /// The text as given.
        text: String,
    },
    /// Not 64 lower-case hexadecimal digits.
    #[error("`{}` is not a whole digest: 64 lower-case hexadecimal digits must follow `sha256:`, not {found} characters of which {valid} fit", text.escape_debug())]
    Digits {
        /// The text as given.
        text: String,
        /// How many characters follow the colon.
        found: usize,
        /// How many of them are lower-case hexadecimal digits.
        valid: usize,
    },
}

impl Digest {
    /// Makes the digest of a SHA-256 computation.
    pub fn from_sha256(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 64 lower-case hexadecimal digits, as they name the blob's file in an OCI layout.
    pub fn from_hex(hex: &str) -> Option<Self> {
        if hex.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// Returns the 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the 64 hexadecimal digits, which name the blob's file in an OCI layout.
    pub fn hex(&self) -> String {
        let mut hex = String::with_capacity(64);
        for byte in self.0 {
            for nibble in [byte >> 4, byte & 15] {
                hex.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
            }
        }
        hex
    }

    /// Returns the first 12 hexadecimal digits, for tables that people read. Never enough to
    /// identify anything.
    pub fn short(&self) -> String {
        self.hex()[..12].to_owned()
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let Some(hex) = text.strip_prefix("sha256:") else {
            return Err(DigestError::Algorithm { text: text.to_owned() });
        };
        Self::from_hex(hex).ok_or_else(|| DigestError::Digits {
            text: text.to_owned(),
            found: hex.chars().count(),
            valid: hex.bytes().filter_map(nibble).count(),
        })
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

serde_as_text!(Digest);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Only whole lower case sha256 digests are digests.
    #[test]
    fn only_whole_sha256_is_a_digest() {
        let good = format!("sha256:{}", "0f".repeat(32));
        let digest = good.parse::<Digest>().expect("valid");
        assert_eq!(
            (digest.to_string(), Digest::from_hex(&good[7..])),
            (good.clone(), Some(digest))
        );
        for bad in [
            "",
            "sha256:",
            "sha256",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "sha512:00",
            "sha256:../../etc/passwd",
            &good.to_uppercase(),
            &good.replace('f', "F"),
            &good[..70],
            &format!("{good}0"),
            &format!(" {good}"),
            &good.replace("0f0f", "0f/f"),
            &good.replace("0f0f", "é"),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad:?} must be refused");
        }
    }

    proptest! {
        /// Printing then parsing is the identity.
        #[test]
        fn printed_text_parses_back(bytes: [u8; 32]) {
            let digest = Digest::from_sha256(bytes);
            prop_assert_eq!(digest.to_string().parse::<Digest>().expect("printed"), digest);
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Digest>();
        }
    }
}
