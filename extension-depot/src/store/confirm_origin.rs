//! Confirms the origin that a bundle claims.

use core_types::OciReference;

use crate::history::generation::Reason;
use crate::manifest::manifest_file::ManifestEditor;
use crate::store::basis::Basis;
use crate::store::depot::Installed;
use crate::store::depot_error::DepotError;
use crate::store::locked_depot::LockedDepot;
use crate::store::record::Record;
use crate::trust::signer_pin::Evidence;

impl LockedDepot<'_> {
    /// Gives an extension that came in a bundle the identity of the reference that its registry has
    /// these very bytes under.
    ///
    /// # Errors
    /// [`DepotError::Changed`] when something that the decision was made upon has changed, or when
    /// it cannot be written.
    pub fn confirm_origin(
        &self,
        basis: &Basis,
        origin: &OciReference,
        evidence: &Evidence,
    ) -> Result<(), DepotError> {
        basis.ensure_holds(self)?;
        self.check_first_use(origin, evidence)?;
        let name = basis.name();
        let Installed { loaded, reference, artifact, binary, .. } = self.read_installed(name)?;
        if !reference.is_bundled() || reference.provenance() != origin.provenance() {
            return Err(DepotError::Changed { name: name.clone() });
        }
        let record = Record::new(name, origin, origin.to_string(), (&artifact, &binary));
        self.note_first_use(origin, evidence)?;
        self.write_record(&Record { signature: Some((&evidence.signature).into()), ..record })?;
        let mut editor = ManifestEditor::new(Some(&loaded.text));
        editor.set_installed(name, &artifact.version(origin), origin);
        self.write_manifest(
            name,
            Some(loaded.text_and_origin()),
            editor,
            Some(origin),
            Reason::Confirmed,
        )
    }
}
