//! Storage in the memory of this process, for tests of extensions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use core_types::{Identity, Owner, StoredValues};

use crate::capabilities::backends::{BackendError, Storage, TakenStorage};

/// Keeps the storage of extensions in the memory of this process, for tests of extensions.
///
/// ```
/// use std::sync::Arc;
///
/// use extension_host::{Backends, MemoryStorage};
///
/// let backends = Backends { storage: Arc::new(MemoryStorage::default()), ..Backends::default() };
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryStorage(Arc<Mutex<HashMap<Identity, Kept>>>);

#[derive(Debug, Default)]
struct Kept {
    values: StoredValues,
    is_taken: bool,
}

struct Taken {
    storage: MemoryStorage,
    identity: Identity,
}

impl MemoryStorage {
    /// Returns the values of an owner, as the last call left them.
    pub fn values(&self, owner: &Owner) -> StoredValues {
        self.kept().get(&owner.identity).map(|kept| kept.values.clone()).unwrap_or_default()
    }

    /// Replaces the values of an owner.
    pub fn set_values(&self, owner: &Owner, values: StoredValues) {
        self.kept().entry(owner.identity.clone()).or_default().values = values;
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Identity, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for MemoryStorage {
    fn take(&self, owner: &Owner) -> Result<Option<Box<dyn TakenStorage>>, BackendError> {
        let mut all = self.kept();
        let kept = all.entry(owner.identity.clone()).or_default();
        let is_free = !std::mem::replace(&mut kept.is_taken, true);
        let taken = || Taken { storage: self.clone(), identity: owner.identity.clone() };
        Ok(is_free.then(|| Box::new(taken()) as _))
    }
}

impl TakenStorage for Taken {
    fn read(&self) -> Result<StoredValues, BackendError> {
        let all = self.storage.kept();
        Ok(all.get(&self.identity).map(|kept| kept.values.clone()).unwrap_or_default())
    }

    fn commit(&self, values: &StoredValues) -> Result<(), BackendError> {
        self.storage.kept().entry(self.identity.clone()).or_default().values = values.clone();
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(kept) = self.storage.kept().get_mut(&self.identity) {
            kept.is_taken = false;
        }
    }
}
