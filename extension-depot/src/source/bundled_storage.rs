//! The data that an extension keeps, in a bundle.
//!
//! They are there only where the user says so, and go to the extension of the same bundle alone. Its
//! identity may be another one after the import, where nothing confirms its origin: the data then
//! belong to that one.

use core_types::StoredValues;

use crate::oci::descriptor::Descriptor;
use crate::oci::image_error::ImageError;
use crate::oci::media_type::STORAGE;
use crate::source::bundle_reader::{Bundle, Bundled};
use crate::source::source_error::SourceError;
use crate::storage::{StorageError, file_format};
use crate::store::depot::{Depot, Installed};

/// The annotation with the name of the extension.
const STORAGE_OF: &str = "open-sesame.storage-of";

/// The data of one extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundledStorage {
    /// Its entry in the index.
    pub(super) entry: Descriptor,
    /// The bytes of a storage file.
    pub(super) bytes: Vec<u8>,
}

impl Depot {
    /// Returns the data of an extension for a bundle: those of the last call that ended. Nothing where
    /// it keeps none.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn bundled_storage(
        &self,
        installed: &Installed,
    ) -> Result<Option<BundledStorage>, StorageError> {
        let identity = installed.reference.identity();
        let values = self.storage(&identity).peek()?;
        if values.iter().next().is_none() {
            return Ok(None);
        }
        let bytes = file_format::encode(&identity, &values);
        let annotations = [(STORAGE_OF.to_owned(), installed.name.to_string())].into();
        let entry = Descriptor { annotations, ..Descriptor::of(STORAGE, &bytes) };
        Ok(Some(BundledStorage { entry, bytes }))
    }
}

impl Bundle {
    /// Returns the data of an extension of this bundle; nothing where it has none.
    ///
    /// # Errors
    /// When they are not there whole, or are those of another extension.
    pub fn storage(&self, bundled: &Bundled) -> Result<Option<StoredValues>, SourceError> {
        let is_its = |entry: &&Descriptor| {
            entry.annotations.get(STORAGE_OF).is_some_and(|name| *name == bundled.name.as_str())
        };
        let Some(entry) = self.storages.iter().find(is_its) else { return Ok(None) };
        let bytes = self.layout.blob(&entry.digest, file_format::MAX_FILE)?;
        let damaged = |reason: String| SourceError::from(ImageError::Malformed { reason });
        let (owner, values) = file_format::decode(&bytes)
            .map_err(|error| damaged(format!("the data of `{}`: {error}", bundled.name)))?;
        if owner != bundled.claimed.identity().as_str() {
            return Err(damaged(format!(
                "the data of `{}` are of another extension",
                bundled.name
            )));
        }
        Ok(Some(values))
    }
}
