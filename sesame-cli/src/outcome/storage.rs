//! The outcomes of `storage`.

use core_types::StorageKey;
use schemars::JsonSchema;
use serde::Serialize;

/// The storage of an extension: its keys without their values.
#[derive(JsonSchema, Serialize)]
pub struct StorageReport {
    /// The keys, sorted.
    pub keys: Vec<StoredKey>,
    /// The bytes of all keys and values.
    pub size_bytes: u64,
    /// The bytes that they may have.
    pub max_bytes: u64,
}

/// A key with the size of its value.
#[derive(JsonSchema, Serialize)]
pub struct StoredKey {
    pub key: StorageKey,
    /// The bytes of the value.
    pub size: usize,
}
