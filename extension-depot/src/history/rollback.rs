//! Restores a generation.

use core_types::{Capabilities, ExtensionName, OciReference};

use crate::history::generation::{Generation, Reason};
use crate::manifest::edit::check_guest_paths;
use crate::manifest::manifest_file::ManifestEditor;
use crate::oci::artifact::Artifact;
use crate::oci::binary::Binary;
use crate::oci::blob::read_blob;
use crate::oci::descriptor::MAX_BLOB;
use crate::store::basis::Basis;
use crate::store::depot::Depot;
use crate::store::depot_error::DepotError;
use crate::store::locked_depot::LockedDepot;
use crate::store::record::Record;

impl Depot {
    /// Returns the artifact of a generation, if all of it is still there unchanged.
    ///
    /// # Errors
    /// [`DepotError::GenerationGone`] when it is not.
    pub fn artifact_of_generation(
        &self,
        name: &ExtensionName,
        generation: &Generation,
    ) -> Result<(OciReference, Artifact, Binary), DepotError> {
        let gone = || DepotError::GenerationGone { name: name.clone(), number: generation.number };
        let reference = generation.reference.clone().ok_or_else(gone)?;
        let artifact = self.artifact_of(&reference).ok_or_else(gone)?;
        let binary = self.binary(name, &artifact)?.ok_or_else(gone)?;
        read_blob(&binary.path, &binary.digest, MAX_BLOB).map_err(|_| gone())?;
        Ok((reference, artifact, binary))
    }
}

impl LockedDepot<'_> {
    /// Goes back to a generation: its bytes and its manifest, with these capabilities.
    ///
    /// # Errors
    /// [`DepotError::Changed`] when something that the decision was made upon has changed. When the
    /// bytes are not there any more, the name belongs to another identity by now, or something
    /// cannot be written.
    pub fn roll_back(
        &self,
        basis: &Basis,
        generation: &Generation,
        capabilities: &Capabilities,
    ) -> Result<(), DepotError> {
        let name = basis.name();
        check_guest_paths(name, capabilities)?;
        self.ensure_editable(name)?;
        basis.ensure_holds(self)?;
        let (reference, artifact, binary) = self.artifact_of_generation(name, generation)?;
        basis.check_name(&reference)?;
        let before = self.text_and_origin(name);
        self.layout().add_entries(&[(name, &artifact)])?;
        if !matches!(self.record(name, &artifact.digest), Ok(Some(_))) {
            self.write_record(&Record::new(
                name,
                &reference,
                reference.to_string(),
                (&artifact, &binary),
            ))?;
        }
        let then = generation.parsed(name).ok().and_then(|manifest| manifest.capabilities);
        let mut editor = ManifestEditor::new(Some(&generation.manifest));
        editor.set_capabilities(then.as_ref(), capabilities);
        let reason = Reason::RolledBack(generation.number);
        let before = before.as_ref().map(|(text, origin)| (text.as_str(), origin.as_ref()));
        self.write_manifest(name, before, editor, Some(&reference), reason)
    }
}
