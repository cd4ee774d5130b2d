//! How much data of its own an extension may keep.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

/// The room that an extension has for data of its own, in KiB: one grant of `storage`.
///
/// ```
/// use core_types::StorageSize;
///
/// let size: StorageSize = "1MiB".parse()?;
/// assert_eq!((size.kib(), size.to_string()), (1024, "1024KiB".to_owned()));
/// assert_eq!(StorageSize::default().bytes(), 256 * 1024);
/// # Ok::<(), core_types::StorageSizeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageSize(u16);

/// The possible sizes. Storage is read and written as a whole with each call that changes it, so
/// that more belongs into files.
const RANGE: RangeInclusive<u64> = 1..=16 * 1024;

/// Enough for the settings, counters and answers of an extension.
const DEFAULT_KIB: u16 = 256;

/// A text or number that is not a size of storage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a size of storage, which is a whole number of KiB from {} to {}, such as `1024`", text.escape_debug(), RANGE.start(), RANGE.end())]
pub struct StorageSizeError {
    /// The size as given.
    pub text: String,
}

impl StorageSize {
    /// The largest size.
    pub const MAX: Self = Self(16 * 1024);

    /// Makes a size of so many KiB.
    ///
    /// # Errors
    /// When no storage has that size.
    pub fn of_kib(kib: u64) -> Result<Self, StorageSizeError> {
        let size = u16::try_from(kib).ok().filter(|_| RANGE.contains(&kib));
        size.map(Self).ok_or_else(|| StorageSizeError { text: kib.to_string() })
    }

    /// Returns the smallest size with room for so many bytes, in steps that double, so that a
    /// growing extension asks a few times and not a thousand. Nothing where no size is enough.
    pub fn holding(bytes: u64) -> Option<Self> {
        let kib = bytes.div_ceil(1024).max(u64::from(DEFAULT_KIB));
        Self::of_kib(kib.checked_next_power_of_two()?).ok()
    }

    /// Returns the size in KiB.
    pub fn kib(self) -> u16 {
        self.0
    }

    /// Returns the size in bytes.
    pub fn bytes(self) -> u64 {
        u64::from(self.0) * 1024
    }

    /// Tells whether it is the size of a grant that names none.
    pub(crate) fn is_default(self) -> bool {
        self == Self::default()
    }
}

impl Default for StorageSize {
    fn default() -> Self {
        Self(DEFAULT_KIB)
    }
}

impl FromStr for StorageSize {
    type Err = StorageSizeError;

    fn from_str(text: &str) -> Result<Self, StorageSizeError> {
        let (digits, factor) = match (text.strip_suffix("MiB"), text.strip_suffix("KiB")) {
            (Some(digits), _) => (digits, 1024),
            (None, digits) => (digits.unwrap_or(text), 1),
        };
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse::<u64>().ok().filter(|_| is_number);
        let size = number.and_then(|number| Self::of_kib(number.checked_mul(factor)?).ok());
        size.ok_or_else(|| StorageSizeError { text: text.to_owned() })
    }
}

impl fmt::Display for StorageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}KiB", self.0)
    }
}

/// Documents have the number of KiB.
impl Serialize for StorageSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0)
    }
}

impl<'de> Deserialize<'de> for StorageSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let kib = i64::deserialize(deserializer)?;
        let size = u64::try_from(kib).ok().and_then(|kib| Self::of_kib(kib).ok());
        size.ok_or_else(|| D::Error::custom(StorageSizeError { text: kib.to_string() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KiB and MiB are read, and printed as one.
    #[test]
    fn size_has_one_printed_form() {
        for (text, kib) in [("1", 1), ("256", 256), ("512KiB", 512), ("16MiB", 16_384)] {
            let size: StorageSize = text.parse().expect(text);
            assert_eq!((u64::from(size.kib()), size.bytes()), (kib, kib * 1024), "{text}");
            assert_eq!(size.to_string().parse(), Ok(size));
        }
        for bad in ["", "0", "-1", "+1", "16385", "17MiB", "1GiB", "1 KiB", "1.5MiB", "all", "*"] {
            assert!(bad.parse::<StorageSize>().is_err(), "{bad:?}");
        }
        let overflowing = format!("{}MiB", u64::MAX);
        assert!(overflowing.parse::<StorageSize>().is_err());
    }

    #[test]
    fn needed_size_doubles() {
        for (bytes, kib) in [
            (0, 256),
            (256 << 10, 256),
            ((256 << 10) + 1, 512),
            (600 << 10, 1024),
            (16 << 20, 16_384),
        ] {
            let size = StorageSize::holding(bytes).expect("a size");
            assert_eq!(size.kib(), kib, "{bytes}");
            assert!(size.bytes() >= bytes);
        }
        assert_eq!(StorageSize::holding((16 << 20) + 1), None);
        assert_eq!(StorageSize::holding(u64::MAX), None);
    }
}
