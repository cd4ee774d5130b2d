//! The bytes of a storage file.
//!
//! A first line with the version of the format, the SHA-256 of everything behind it, and then the
//! identity of the extension and its values: lengths of 32 bits, little end first, before each
//! text and value. Keys are sorted, so that the same values are the same bytes.

use core_types::{Identity, StorageKey, StorageSize, StoredValues};
use sha2::{Digest, Sha256};

/// The first line up to the version. People who open the file see whose it is.
const MAGIC: &[u8] = b"sesame storage ";
/// The version of the format that this sesame writes, and the highest that it reads.
pub(super) const FORMAT: u32 = 1;
/// The size of a SHA-256.
const CHECKSUM: usize = 32;
/// The digits of a version, with room for more than there will ever be.
const MAX_DIGITS: usize = 9;

/// The largest storage file: all values, and for each of them two lengths, with an identity.
pub(crate) const MAX_FILE: u64 = (16 << 20) + (1 << 16);

/// Why bytes are not a storage file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// A newer sesame wrote it.
    #[error("its format is {found}, and this sesame knows {FORMAT}")]
    Newer {
        /// The version of its format.
        found: u32,
    },
    /// It is not what a sesame wrote.
    #[error("{0}")]
    Damaged(&'static str),
}

/// Writes the values of an extension.
pub(crate) fn encode(identity: &Identity, values: &StoredValues) -> Vec<u8> {
    let mut body = Vec::new();
    put(&mut body, identity.as_str().as_bytes());
    for (key, value) in values.iter() {
        put(&mut body, key.as_str().as_bytes());
        put(&mut body, value);
    }
    let mut bytes = [MAGIC, format!("{FORMAT}\n").as_bytes()].concat();
    bytes.extend_from_slice(&Sha256::digest(&body));
    bytes.append(&mut body);
    bytes
}

/// Writes a text or value behind its length. Nothing here is near 4 GiB.
fn put(body: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    body.extend_from_slice(&length.to_le_bytes());
    body.extend_from_slice(part);
}

/// Reads a storage file: the identity of its extension, and the values.
pub(crate) fn decode(bytes: &[u8]) -> Result<(String, StoredValues), Unreadable> {
    let body = checked_body(bytes)?;
    let (identity, mut rest) = take(body)?;
    let identity = text(identity)?.to_owned();
    let mut values = StoredValues::default();
    let mut last: Option<StorageKey> = None;
    while !rest.is_empty() {
        let (key, behind) = take(rest)?;
        let (value, behind) = take(behind)?;
        let key: StorageKey = text(key)?.parse().map_err(|_| damaged("a key is not one"))?;
        if last.as_ref().is_some_and(|last| *last >= key) {
            return Err(damaged("its keys are not in order"));
        }
        let max = StorageSize::MAX.bytes();
        values
            .set(key.clone(), value.to_vec(), max)
            .map_err(|_| damaged("it has more than fits into a storage"))?;
        (last, rest) = (Some(key), behind);
    }
    Ok((identity, values))
}

/// Returns what stands behind the first line and the checksum.
fn checked_body(bytes: &[u8]) -> Result<&[u8], Unreadable> {
    let behind = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("it does not begin like one"))?;
    let end = behind.iter().take(MAX_DIGITS + 1).position(|byte| *byte == b'\n');
    let (digits, behind) = behind.split_at(end.ok_or_else(|| damaged("it has no version"))?);
    let version = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u32>().ok());
    match version {
        Some(FORMAT) => {}
        Some(found) if found > FORMAT => return Err(Unreadable::Newer { found }),
        _ => return Err(damaged("its version is not a number")),
    }
    let (checksum, body) =
        behind[1..].split_at_checked(CHECKSUM).ok_or_else(|| damaged("it is cut off"))?;
    match Sha256::digest(body).as_slice() == checksum {
        true => Ok(body),
        false => Err(damaged("its checksum does not match")),
    }
}

/// Takes a text or value behind its length.
fn take(bytes: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
    let (length, behind) = bytes.split_first_chunk().ok_or_else(|| damaged("it is cut off"))?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    behind.split_at_checked(length).ok_or_else(|| damaged("it is cut off"))
}

fn text(bytes: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(bytes).map_err(|_| damaged("a text is not UTF-8"))
}

fn damaged(why: &'static str) -> Unreadable {
    Unreadable::Damaged(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core_types::ExtensionName;
    use proptest::prelude::*;

    fn identity() -> Identity {
        Identity::embedded(&ExtensionName::default())
    }

    fn values(pairs: &[(&str, &[u8])]) -> StoredValues {
        let mut values = StoredValues::default();
        for (key, value) in pairs {
            values.set(key.parse().expect(key), value.to_vec(), u64::MAX).expect("it fits");
        }
        values
    }

    /// Returns the bytes of a file with this body, whose checksum is right.
    fn with_body(body: &[u8]) -> Vec<u8> {
        [MAGIC, b"1\n", &Sha256::digest(body), body].concat()
    }

    /// A file of today stays readable: these bytes are the format.
    #[test]
    fn format_stays_the_same() {
        let bytes = encode(&identity(), &values(&[("b", b"\0"), ("a/1", b"one")]));
        let (head, body) = bytes.split_at(MAGIC.len() + 2 + CHECKSUM);
        assert_eq!(&head[..17], b"sesame storage 1\n");
        let written = format!(
            "{}\0\0\0{}\u{3}\0\0\0a/1\u{3}\0\0\0one\u{1}\0\0\0b\u{1}\0\0\0\0",
            char::from(u8::try_from(identity().as_str().len()).expect("short")),
            identity()
        );
        assert_eq!(String::from_utf8_lossy(body), written);
    }

    #[test]
    fn newer_file_is_told_apart() {
        let mut newer = encode(&identity(), &StoredValues::default());
        newer[MAGIC.len()] = b'2';
        assert_eq!(decode(&newer), Err(Unreadable::Newer { found: 2 }));
        newer[MAGIC.len()] = b'0';
        assert!(matches!(decode(&newer), Err(Unreadable::Damaged(_))));
    }

    /// A right checksum does not make bad contents good.
    #[test]
    fn bad_contents_are_damage() {
        let part =
            |text: &[u8]| [&u32::try_from(text.len()).expect("short").to_le_bytes(), text].concat();
        let of = |parts: &[&[u8]]| {
            with_body(&parts.iter().flat_map(|text| part(text)).collect::<Vec<_>>())
        };
        assert!(decode(&of(&[b"x", b"a", b"1", b"b", b"2"])).is_ok());
        let large = vec![0; core_types::MAX_STORED_VALUE + 1];
        for bad in [
            with_body(b""),
            with_body(b"\xff\xff\xff\xff"),
            of(&[b"\xff"]),
            of(&[b"x", b"a"]),
            of(&[b"x", b"A", b"1"]),
            of(&[b"x", b"b", b"1", b"a", b"2"]),
            of(&[b"x", b"a", b"1", b"a", b"2"]),
            of(&[b"x", b"a", &large]),
        ] {
            assert!(matches!(decode(&bad), Err(Unreadable::Damaged(_))), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn values_come_back(
            pairs in prop::collection::btree_map("[a-z0-9][a-z0-9._/-]{0,20}", prop::collection::vec(any::<u8>(), 0..50), 0..20)
        ) {
            let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_slice())).collect();
            let values = values(&pairs);
            let bytes = encode(&identity(), &values);
            prop_assert_eq!(decode(&bytes), Ok((identity().to_string(), values)));
        }

        /// No bytes break the reader, and no changed or missing byte is taken for a storage.
        #[test]
        fn damage_is_noticed(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..1000, bit in 0_u8..8) {
            let _ = decode(&bytes);
            let _ = decode(&with_body(&bytes));
            let good = encode(&identity(), &values(&[("a", b"one"), ("b", b"two")]));
            let at = at % good.len();
            let mut flipped = good.clone();
            flipped[at] ^= 1 << bit;
            prop_assert!(decode(&flipped).is_err());
            prop_assert!(decode(&good[..at]).is_err());
            prop_assert!(decode(&[&good[..], b"x"].concat()).is_err());
        }
    }
}
