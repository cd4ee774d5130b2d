//! Restores the blobs of installed extensions.

use core_types::ExtensionName;
use private_files::FileError;

use crate::files::state_file::StateFileError;
use crate::source::staging::Staged;
use crate::store::basis::ChangedMeanwhile;
use crate::store::installed_error::FindError;
use crate::store::locked_depot::LockedDepot;
use crate::store::record::Record;

/// Why the blobs of one extension are not restored.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// It has no manifest that can be used.
    #[error(transparent)]
    Find(#[from] FindError),
    /// Its manifest is pinned to something else by now.
    #[error(transparent)]
    Changed(#[from] ChangedMeanwhile),
    /// Its blobs cannot be written.
    #[error(transparent)]
    Layout(#[from] FileError),
    /// Its record cannot be written.
    #[error(transparent)]
    Record(#[from] StateFileError),
}

impl LockedDepot<'_> {
    /// Puts the blobs of extensions back into place, each if its manifest is still pinned to them,
    /// and a record where there is none. The manifests stay as they are. Results are in input
    /// order. A failure does not stop the others.
    ///
    /// # Errors
    /// When the index of blobs cannot be written. Of one: when its manifest is gone or pinned to something
    /// else by now, or something cannot be written.
    pub fn repair(
        &self,
        all: &[(&ExtensionName, &Staged)],
    ) -> Result<Vec<Result<(), RepairError>>, FileError> {
        let repaired: Vec<_> =
            all.iter().map(|(name, staged)| self.repair_one(name, staged)).collect();
        let good = all.iter().zip(&repaired).filter(|(_, result)| result.is_ok());
        let entries: Vec<_> = good.map(|((name, staged), _)| (*name, &staged.artifact)).collect();
        self.layout().sync_blobs()?;
        self.layout().add_entries(&entries)?;
        Ok(repaired)
    }

    fn repair_one(&self, name: &ExtensionName, staged: &Staged) -> Result<(), RepairError> {
        let pinned = self.existing_manifest(name)?.pinned();
        if pinned.is_none_or(|(reference, _)| reference != staged.reference) {
            return Err(ChangedMeanwhile { name: name.clone() }.into());
        }
        self.layout().add_blobs(staged)?;
        let found = (&staged.artifact, &staged.binary);
        let new = Record::new(name, &staged.reference, staged.reference.to_string(), found);
        let record = match self.record(name, &staged.artifact.digest) {
            Ok(Some(record)) if record.binary == new.binary => return Ok(()),
            // The binary in the layer is known anew; the signature still holds.
            Ok(Some(Record { signature, .. })) => Record { signature, ..new },
            _ => new,
        };
        Ok(self.write_record(&record)?)
    }
}
