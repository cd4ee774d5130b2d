//! The storage of installed extensions, in the depot.

use std::sync::Arc;

use core_types::{Owner, StoredValues};
use extension_depot::{Depot, LockedStorage, StorageError};
use extension_host::{BackendError, Storage, TakenStorage};

use crate::events::{Event, Events, Warning};

/// Keeps the storage of extensions in a depot.
pub(crate) struct DepotStorage {
    pub(crate) depot: Arc<Depot>,
    pub(crate) events: Arc<dyn Events>,
}

/// The storage of an extension that one call uses.
struct OfOneCall {
    locked: LockedStorage,
    owner: Owner,
    events: Arc<dyn Events>,
}

impl Storage for DepotStorage {
    fn take(&self, owner: &Owner) -> Result<Option<Box<dyn TakenStorage>>, BackendError> {
        let locked = self.depot.storage(&owner.identity).try_lock();
        let locked = locked.map_err(|error| unavailable(owner, &error))?;
        let (owner, events) = (owner.clone(), self.events.clone());
        Ok(locked.map(|locked| Box::new(OfOneCall { locked, owner, events }) as _))
    }
}

impl TakenStorage for OfOneCall {
    fn read(&self) -> Result<StoredValues, BackendError> {
        let read = self.locked.read();
        if matches!(read, Err(StorageError::Damaged { .. })) {
            let name = self.owner.name.clone();
            self.events.event(Event::Warning(&Warning::DamagedStorage { name }));
        }
        read.map_err(|error| unavailable(&self.owner, &error))
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
