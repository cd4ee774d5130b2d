//! `open-sesame:host/storage`: the interface, the use of it by one call, and storage in memory for
//! tests.

mod interface;
mod memory;
mod storage_use;

pub use memory::MemoryStorage;
pub(crate) use storage_use::StorageUse;
