//! The use of storage by one call: the values that it has taken and changed, until it has ended.

use core_types::StoredValues;

use crate::capabilities::backends::{BackendError, TakenStorage};

/// The use of storage by one call.
#[derive(Default)]
pub(crate) struct StorageUse(pub(super) Option<Opened>);

/// A storage that the call has taken.
pub(super) struct Opened {
    pub(super) taken: Box<dyn TakenStorage>,
    pub(super) values: StoredValues,
    pub(super) is_changed: bool,
}

impl StorageUse {
    /// Commits the changes of the call, if there are any.
    pub(crate) fn commit(&mut self) -> Result<(), BackendError> {
        match self.0.take() {
            Some(opened) if opened.is_changed => opened.taken.commit(&opened.values),
            _ => Ok(()),
        }
    }
}
