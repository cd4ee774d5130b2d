//! Confirms the origin that a bundle claims.

use core_types::OciReference;

use crate::files::state_file::StateFileError;
use crate::files::stored_file::StoredFileError;
use crate::history::generation::Reason;
use crate::history::note_generation::NewGeneration;
use crate::manifest::manifest_file::ManifestEditor;
use crate::store::basis::{Basis, ChangedMeanwhile};
use crate::store::depot::Installed;
use crate::store::installed_error::InstalledError;
use crate::store::locked_depot::LockedDepot;
use crate::store::record::Record;
use crate::trust::check_signer::SignedArtifact;
use crate::trust::signer_pin::{Evidence, SignatureRefusal};

/// Why the origin of an extension is not confirmed. It keeps the identity of its bytes.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmOriginError {
    /// Something that the decision was made upon has changed.
    #[error(transparent)]
    Changed(#[from] ChangedMeanwhile),
    /// Another process pinned another signer since the decision.
    #[error(transparent)]
    Signature(#[from] SignatureRefusal),
    /// The extension is not there whole any more.
    #[error(transparent)]
    Installed(#[from] InstalledError),
    /// The pinned signer or the record cannot be read or written.
    #[error(transparent)]
    State(#[from] StateFileError),
    /// The generation or the manifest cannot be written.
    #[error(transparent)]
    Stored(#[from] StoredFileError),
}

impl LockedDepot<'_> {
    /// Gives an extension that came in a bundle the identity of the reference that its registry has
    /// these very bytes under.
    ///
    /// # Errors
    /// [`ConfirmOriginError::Changed`] when something that the decision was made upon has changed, or when
    /// it cannot be written.
    pub fn confirm_origin(
        &self,
        basis: &Basis,
        origin: &OciReference,
        evidence: &Evidence,
    ) -> Result<(), ConfirmOriginError> {
        if !basis.still_holds(self)? {
            return Err(basis.changed().into());
        }
        let (name, first) = (basis.name(), self.first_use(&origin.identity())?);
        SignedArtifact { name: Some(name), reference: origin, first: first.as_ref() }
            .check_first_use(&evidence.signature)?;
        let Installed { loaded, reference, artifact, binary, .. } = self.read_installed(name)?;
        if !reference.is_bundled() || reference.provenance() != origin.provenance() {
            return Err(basis.changed().into());
        }
        let record = Record::new(name, origin, origin.to_string(), (&artifact, &binary));
        self.note_first_use(origin, evidence)?;
        let record = Record { signature: Some((&evidence.signature).into()), ..record };
        self.write_record(&record)?;
        let mut editor = ManifestEditor::new(Some(&loaded.text));
        editor.set_installed(name, &artifact.version(origin), origin);
        let new = NewGeneration {
            text: &editor.to_text(),
            reference: Some(origin),
            record: Some(&record),
            reason: Reason::Confirmed,
        };
        Ok(self.write_manifest(name, Some(loaded.text_and_origin()), &new)?)
    }
}
