//! Notes the signature of an installed extension.

use crate::files::state_file::StateFileError;
use crate::store::basis::ChangedMeanwhile;
use crate::store::depot::Installed;
use crate::store::installed_error::FindError;
use crate::store::locked_depot::LockedDepot;
use crate::store::record::Record;
use crate::trust::check_signer::SignedArtifact;
use crate::trust::signer_pin::{Evidence, SignatureRefusal};

/// Why a signature is not noted.
#[derive(Debug, thiserror::Error)]
pub enum NoteSignatureError {
    /// The extension has no manifest that can be used.
    #[error(transparent)]
    Find(#[from] FindError),
    /// Something else is installed by now.
    #[error(transparent)]
    Changed(#[from] ChangedMeanwhile),
    /// Another process pinned another signer.
    #[error(transparent)]
    Signature(#[from] SignatureRefusal),
    /// The pinned signer or the record cannot be read or written.
    #[error(transparent)]
    State(#[from] StateFileError),
}

impl LockedDepot<'_> {
    /// Notes a newly checked signature of an installed extension.
    ///
    /// # Errors
    /// [`NoteSignatureError::Changed`] when something else is installed by now. When the first signer is
    /// another by now, or it cannot be written.
    pub fn note_signature(
        &self,
        looked_at: &Installed,
        found: &Evidence,
    ) -> Result<(), NoteSignatureError> {
        let Installed { name, reference, artifact, binary, .. } = looked_at;
        if self.existing_manifest(name)?.pinned_reference().as_ref() != Some(reference) {
            return Err(ChangedMeanwhile { name: name.clone() }.into());
        }
        let first = self.first_use(&reference.identity())?;
        SignedArtifact { name: Some(name), reference, first: first.as_ref() }
            .check_first_use(&found.signature)?;
        let known = self.record(name, &artifact.digest)?;
        let new = || Record::new(name, reference, reference.to_string(), (artifact, binary));
        let record = known.unwrap_or_else(new);
        self.note_first_use(reference, found)?;
        let signature = Some((&found.signature).into());
        Ok(self.write_record(&Record { signature, ..record })?)
    }
}
