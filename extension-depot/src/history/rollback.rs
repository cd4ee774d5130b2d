//! Restores a generation.

use core_types::{Capabilities, ExtensionName, OciReference};
use private_files::{FileError, LinkedFile};

use crate::files::state_file::StateFileError;
use crate::files::stored_file::StoredFileError;
use crate::history::generation::{Generation, Reason};
use crate::history::note_generation::NewGeneration;
use crate::manifest::guest_paths::{GuestPathTaken, check_guest_paths};
use crate::manifest::manifest_file::ManifestEditor;
use crate::oci::artifact::Artifact;
use crate::oci::binary::Binary;
use crate::oci::blob::read_blob;
use crate::oci::descriptor::MAX_BLOB;
use crate::store::basis::{Basis, ChangedMeanwhile};
use crate::store::depot::Depot;
use crate::store::locked_depot::LockedDepot;
use crate::store::owner::OtherSource;
use crate::store::record::Record;

/// Why the artifact of a generation cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum GenerationError {
    /// Its bytes are gone or damaged.
    #[error("the bytes of generation {number} of `{name}` are not there any more")]
    Gone {
        /// The extension.
        name: ExtensionName,
        /// The generation.
        number: u32,
    },
    /// The record, which tells its binary, cannot be read.
    #[error(transparent)]
    Record(#[from] StateFileError),
}

/// Why an extension does not go back to a generation. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The manifest would grant two directories under one path for the guest.
    #[error(transparent)]
    SameGuestPath(#[from] GuestPathTaken),
    /// The manifest is a link, which is not replaced.
    #[error(transparent)]
    Linked(#[from] LinkedFile),
    /// Something that the decision was made upon has changed.
    #[error(transparent)]
    Changed(#[from] ChangedMeanwhile),
    /// The bytes of the generation cannot be had.
    #[error(transparent)]
    Generation(#[from] GenerationError),
    /// The name belongs to an extension from elsewhere by now.
    #[error(transparent)]
    OtherSource(#[from] OtherSource),
    /// The pinned signer cannot be read, or the record not written.
    #[error(transparent)]
    State(#[from] StateFileError),
    /// The index of blobs cannot be written.
    #[error(transparent)]
    Layout(#[from] FileError),
    /// The generation or the manifest cannot be written.
    #[error(transparent)]
    Stored(#[from] StoredFileError),
}

impl Depot {
    /// Returns the artifact of a generation, if all of it is still there unchanged.
    ///
    /// # Errors
    /// [`GenerationError::Gone`] when it is not.
    pub fn artifact_of_generation(
        &self,
        name: &ExtensionName,
        generation: &Generation,
    ) -> Result<(OciReference, Artifact, Binary), GenerationError> {
        let gone = || GenerationError::Gone { name: name.clone(), number: generation.number };
        let reference = generation.reference.clone().ok_or_else(gone)?;
        let artifact = self.artifact_of(&reference).ok_or_else(gone)?;
        let binary = self.binary(name, &artifact)?.ok_or_else(gone)?;
        read_blob(&binary.path, &binary.digest, MAX_BLOB).map_err(|_| gone())?;
        Ok((reference, artifact, binary))
    }
}

impl LockedDepot<'_> {
    /// Goes back to a generation: its bytes and its manifest, with these capabilities. The settings of
    /// events stay as they are now: a schedule is of the extension, and not of its version.
    ///
    /// # Errors
    /// [`RestoreError::Changed`] when something that the decision was made upon has changed. When the
    /// bytes are not there any more, the name belongs to another identity by now, or something
    /// cannot be written.
    pub fn roll_back(
        &self,
        basis: &Basis,
        generation: &Generation,
        capabilities: &Capabilities,
    ) -> Result<(), RestoreError> {
        let name = basis.name();
        check_guest_paths(name, capabilities)?;
        self.ensure_editable(name)?;
        if !basis.still_holds(self)? {
            return Err(basis.changed().into());
        }
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
        if let Some(now) = basis.loaded() {
            editor.take_events(&now.text);
        }
        let new = NewGeneration {
            text: &editor.to_text(),
            reference: Some(&reference),
            record: None,
            reason: Reason::RolledBack(generation.number),
        };
        let before = before.as_ref().map(|(text, origin)| (text.as_str(), origin.as_ref()));
        Ok(self.write_manifest(name, before, &new)?)
    }
}
