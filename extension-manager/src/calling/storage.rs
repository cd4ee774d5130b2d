//! The storage of installed extensions, in the depot.

use std::sync::Arc;

use core_types::{Owner, StoredValues};
use extension_depot::{Depot, LockedStorage, StorageError};
use extension_host::{BackendError, Storage, TakenStorage};

/// Keeps the storage of extensions in a depot.
pub(crate) struct DepotStorage(pub(crate) Arc<Depot>);

/// The storage of an extension that one call uses.
struct OfOneCall {
    locked: LockedStorage,
    owner: Owner,
}

impl Storage for DepotStorage {
    fn take(&self, owner: &Owner) -> Result<Option<Box<dyn TakenStorage>>, BackendError> {
        let locked = self.0.storage(&owner.identity).try_lock();
        let locked = locked.map_err(|error| unavailable(owner, &error))?;
        Ok(locked.map(|locked| Box::new(OfOneCall { locked, owner: owner.clone() }) as _))
    }
}

impl TakenStorage for OfOneCall {
    fn read(&self) -> Result<StoredValues, BackendError> {
        self.locked.read().map_err(|error| unavailable(&self.owner, &error))
    }

    fn commit(&self, values: &StoredValues) -> Result<(), BackendError> {
        self.locked.write(values).map_err(|error| unavailable(&self.owner, &error))
    }
}

/// Tells an extension why its storage cannot be used. It does not learn where that lies.
fn unavailable(owner: &Owner, error: &StorageError) -> BackendError {
    let name = &owner.name;
    BackendError::Unavailable(match error {
        StorageError::Damaged { .. } => format!(
            "the storage of `{name}` is damaged; to begin with an empty one: \
             sesame extension storage {name} --reset"
        ),
        StorageError::Newer { .. } => {
            format!("a newer sesame wrote the storage of `{name}`: update this one")
        }
        StorageError::Busy => "another call of the extension is using its storage".to_owned(),
        StorageError::File(error) => {
            format!("the storage of `{name}` cannot be used: {}", error.source.kind())
        }
    })
}
