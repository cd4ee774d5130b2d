//! All values of one extension.

use std::collections::BTreeMap;

use super::key::StorageKey;

/// The largest value, in bytes: an answer of a service or a small picture fits, and files do not
/// belong there.
pub const MAX_STORED_VALUE: usize = 64 * 1024;

/// The most values: all of them are read with the first use in a call.
const MAX_KEYS: usize = 1024;

/// All values of one extension, within the limits of each and of all.
///
/// ```
/// use core_types::StoredValues;
///
/// let mut values = StoredValues::default();
/// values.set("city".parse()?, b"Oslo".to_vec(), 1024)?;
/// assert_eq!(values.get("city"), Some(&b"Oslo"[..]));
/// assert_eq!(values.size(), 8, "keys count as well");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredValues {
    values: BTreeMap<StorageKey, Vec<u8>>,
    size: u64,
}

/// A limit that a value would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMuchStored {
    /// The value alone is too large.
    #[error("a value has at most {MAX_STORED_VALUE} bytes")]
    Value,
    /// There are too many keys.
    #[error("there are at most {MAX_KEYS} keys")]
    Keys,
    /// All keys and values together are too large.
    #[error("all keys and values have at most {max} bytes, and would have {needed}")]
    All {
        /// The bytes that they may have.
        max: u64,
        /// The bytes that they would have.
        needed: u64,
    },
}

impl TooMuchStored {
    /// Returns the limit: bytes, or the number of keys.
    pub fn limit(self) -> u64 {
        match self {
            Self::Value => MAX_STORED_VALUE as u64,
            Self::Keys => MAX_KEYS as u64,
            Self::All { max, .. } => max,
        }
    }
}

impl StoredValues {
    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.values.get(key).map(Vec::as_slice)
    }

    /// Sets the value of a key, where all keys and values have at most `max` bytes afterwards, or
    /// not more than before: an extension that was granted less can still change what it has.
    ///
    /// # Errors
    /// With the limit that it would exceed. Nothing has changed then.
    pub fn set(&mut self, key: StorageKey, value: Vec<u8>, max: u64) -> Result<(), TooMuchStored> {
        if value.len() > MAX_STORED_VALUE {
            return Err(TooMuchStored::Value);
        }
        let old = self.size_of(key.as_str());
        if old == 0 && self.values.len() >= MAX_KEYS {
            return Err(TooMuchStored::Keys);
        }
        let needed = self.size - old + (key.as_str().len() + value.len()) as u64;
        if needed > max.max(self.size) {
            return Err(TooMuchStored::All { max, needed });
        }
        self.values.insert(key, value);
        self.size = needed;
        Ok(())
    }

    /// Removes a key with its value. Returns whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        self.size -= self.size_of(key);
        self.values.remove(key).is_some()
    }

    /// Iterates over the keys and values, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&StorageKey, &[u8])> {
        self.values.iter().map(|(key, value)| (key, value.as_slice()))
    }

    /// Iterates over the keys that begin with a prefix, sorted.
    pub fn keys(&self, prefix: &str) -> impl Iterator<Item = &StorageKey> {
        self.values.keys().filter(move |key| key.as_str().starts_with(prefix))
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Tells whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns the bytes of all keys and values.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the bytes of a key with its value; 0 where it is missing, since no key is empty.
    fn size_of(&self, key: &str) -> u64 {
        self.get(key).map_or(0, |value| (key.len() + value.len()) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(text: &str) -> StorageKey {
        text.parse().expect(text)
    }

    /// Whatever does not fit changes nothing, and what fits exactly is taken.
    #[test]
    fn too_much_changes_nothing() {
        let mut values = StoredValues::default();
        values.set(key("a"), vec![1; 9], 10).expect("it fits exactly");
        let before = values.clone();
        let too_large = vec![0; MAX_STORED_VALUE + 1];
        assert_eq!(values.set(key("a"), too_large, u64::MAX), Err(TooMuchStored::Value));
        let over = values.set(key("b"), Vec::new(), 10).expect_err("one byte over");
        assert_eq!((over, over.limit()), (TooMuchStored::All { max: 10, needed: 11 }, 10));
        assert_eq!(values, before);
        values.set(key("a"), vec![2; 9], 10).expect("it takes the place of the old one");
        values.set(key("a"), vec![3; MAX_STORED_VALUE], u64::MAX).expect("the largest value");
    }

    /// A key beyond the thousand is refused, and an existing one can change.
    #[test]
    fn keys_are_counted() {
        let mut values = StoredValues::default();
        for at in 0..MAX_KEYS {
            values.set(key(&at.to_string()), Vec::new(), u64::MAX).expect("one of 1,024");
        }
        assert_eq!(values.set(key("x"), Vec::new(), u64::MAX), Err(TooMuchStored::Keys));
        values.set(key("7"), vec![7], u64::MAX).expect("it is there");
        assert!(values.remove("7") && !values.remove("7"));
        values.set(key("x"), Vec::new(), u64::MAX).expect("one is free");
        assert_eq!(values.len(), MAX_KEYS);
    }

    /// An extension that was granted less can read, remove and shrink what it has.
    #[test]
    fn lowered_limit_lets_values_shrink() {
        let mut values = StoredValues::default();
        values.set(key("a"), vec![0; 99], 100).expect("it fits");
        values.set(key("a"), vec![1; 99], 50).expect("it is not more than before");
        values.set(key("a"), vec![2; 60], 50).expect("it is less");
        assert!(values.set(key("a"), vec![3; 61], 50).is_err());
        assert!(values.set(key("b"), Vec::new(), 50).is_err());
    }

    proptest! {
        /// The size is that of the keys and values, whatever was done.
        #[test]
        fn size_is_counted(steps in prop::collection::vec(("[abc]{1,2}", 0_usize..40, any::<bool>()), 0..60)) {
            let mut values = StoredValues::default();
            for (name, length, is_set) in steps {
                if is_set {
                    let _ = values.set(key(&name), vec![0; length], 200);
                } else {
                    values.remove(&name);
                }
            }
            let size: usize = values.iter().map(|(key, value)| key.as_str().len() + value.len()).sum();
            prop_assert_eq!(values.size(), size as u64);
            prop_assert!(values.size() <= 200);
            prop_assert!(values.keys("a").all(|key| key.as_str().starts_with('a')));
        }
    }
}
