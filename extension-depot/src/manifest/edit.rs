//! Edits the manifest of an extension. The new text is a new generation.

use core_types::{ExtensionName, OciReference};
use private_files::{LinkedFile, ensure_not_link};

use crate::files::stored_file::StoredFileError;
use crate::history::generation::Reason;
use crate::history::note_generation::NewGeneration;
use crate::manifest::manifest_file::{LoadedManifest, ManifestEditor, read_text};
use crate::store::basis::ChangedMeanwhile;
use crate::store::depot::{Depot, Installed};
use crate::store::installed_error::FindError;
use crate::store::locked_depot::LockedDepot;

/// Why the manifest of an extension is not edited. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It is missing or cannot be used.
    #[error(transparent)]
    Find(#[from] FindError),
    /// It is a link, which is not replaced.
    #[error(transparent)]
    Linked(#[from] LinkedFile),
    /// The generation or the manifest cannot be written.
    #[error(transparent)]
    Stored(#[from] StoredFileError),
}

impl Depot {
    /// Returns the text of a manifest that may be broken, and where it says that the extension came
    /// from.
    pub(crate) fn text_and_origin(
        &self,
        name: &ExtensionName,
    ) -> Option<(String, Option<OciReference>)> {
        match self.manifest(name) {
            Ok(loaded) => loaded.map(|loaded| (loaded.text, loaded.manifest.extension.oci)),
            Err(_) => read_text(&self.places().manifest(name)).ok().map(|text| (text, None)),
        }
    }
}

impl LockedDepot<'_> {
    /// Edits a manifest that is there. `edit` says whether it changed anything; if not, nothing is
    /// written.
    pub(crate) fn edit<E: From<EditError>>(
        &self,
        name: &ExtensionName,
        reason: Reason,
        edit: impl FnOnce(&LoadedManifest, &mut ManifestEditor) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let loaded = self.existing_manifest(name).map_err(EditError::from)?;
        let mut editor = ManifestEditor::new(Some(&loaded.text));
        let changed = edit(&loaded, &mut editor)?;
        if changed {
            self.write_edited(name, &loaded, editor, reason)?;
        }
        Ok(changed)
    }

    fn write_edited(
        &self,
        name: &ExtensionName,
        loaded: &LoadedManifest,
        editor: ManifestEditor,
        reason: Reason,
    ) -> Result<(), EditError> {
        self.ensure_editable(name)?;
        let before @ (_, reference) = loaded.text_and_origin();
        let text = &editor.to_text();
        let new = NewGeneration { text, reference, record: None, reason };
        Ok(self.write_manifest(name, Some(before), &new)?)
    }

    /// Checks that a manifest can be replaced by one that is edited.
    pub(crate) fn ensure_editable(&self, name: &ExtensionName) -> Result<(), LinkedFile> {
        ensure_not_link(&self.places().manifest(name))
    }

    /// Notes the generation and then writes the manifest, which is the moment at which the change
    /// is made.
    pub(crate) fn write_manifest(
        &self,
        name: &ExtensionName,
        before: Option<(&str, Option<&OciReference>)>,
        new: &NewGeneration<'_>,
    ) -> Result<(), StoredFileError> {
        let NewGeneration { text, reference, reason, .. } = *new;
        if before.is_some_and(|(before, _)| before == text) {
            return Ok(());
        }
        self.note_generation(name, before, new)?;
        self.write(self.places().manifest(name), text.as_bytes())?;
        self.note_manifest_change(name, before, (text, reference), reason);
        Ok(())
    }
}

/// Checks that a manifest still belongs to the same installed extension.
pub(crate) fn ensure_still(
    loaded: &LoadedManifest,
    found: &Installed,
) -> Result<(), ChangedMeanwhile> {
    let is_same = loaded.manifest.extension.oci.as_ref() == Some(&found.reference);
    if is_same { Ok(()) } else { Err(ChangedMeanwhile { name: found.name.clone() }) }
}
