//! Notes the signature of an installed extension.

use crate::store::depot::Installed;
use crate::store::depot_error::DepotError;
use crate::store::locked_depot::LockedDepot;
use crate::store::record::Record;
use crate::trust::signer_pin::Evidence;

impl LockedDepot<'_> {
    /// Notes a newly checked signature of an installed extension.
    ///
    /// # Errors
    /// [`DepotError::Changed`] when something else is installed by now. When the first signer is
    /// another by now, or it cannot be written.
    pub fn note_signature(
        &self,
        looked_at: &Installed,
        found: &Evidence,
    ) -> Result<(), DepotError> {
        let Installed { name, reference, artifact, binary, .. } = looked_at;
        if self.existing_manifest(name)?.pinned_reference().as_ref() != Some(reference) {
            return Err(DepotError::Changed { name: name.clone() });
        }
        self.check_first_use(reference, found)?;
        let known = self.record(name, &artifact.digest)?;
        let new = || Record::new(name, reference, reference.to_string(), (artifact, binary));
        let record = known.unwrap_or_else(new);
        self.note_first_use(reference, found)?;
        self.write_record(&Record { signature: Some((&found.signature).into()), ..record })
    }
}
