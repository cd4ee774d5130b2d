//! Edits the manifest of an extension. The new text is a new generation.

use std::path::Path;

use core_types::{Capabilities, ExtensionName, OciReference};
use private_files::ensure_not_link;

use crate::history::generation::Reason;
use crate::manifest::manifest_file::{LoadedManifest, ManifestEditor, ManifestError, read_text};
use crate::store::depot::{Depot, Installed};
use crate::store::depot_error::DepotError;
use crate::store::locked_depot::LockedDepot;

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
    pub(crate) fn edit(
        &self,
        name: &ExtensionName,
        reason: Reason,
        edit: impl FnOnce(&LoadedManifest, &mut ManifestEditor) -> Result<bool, DepotError>,
    ) -> Result<bool, DepotError> {
        let loaded = self.existing_manifest(name)?;
        let mut editor = ManifestEditor::new(Some(&loaded.text));
        let changed = edit(&loaded, &mut editor)?;
        if changed {
            self.ensure_editable(name)?;
            let before = loaded.text_and_origin();
            self.write_manifest(name, Some(before), editor, before.1, reason)?;
        }
        Ok(changed)
    }

    /// Checks that a manifest can be replaced by one that is edited.
    pub(crate) fn ensure_editable(&self, name: &ExtensionName) -> Result<(), ManifestError> {
        Ok(ensure_not_link(&self.places().manifest(name))?)
    }

    /// Notes the generation and then writes the manifest, which is the moment at which the change
    /// is made.
    pub(crate) fn write_manifest(
        &self,
        name: &ExtensionName,
        before: Option<(&str, Option<&OciReference>)>,
        editor: ManifestEditor,
        reference: Option<&OciReference>,
        reason: Reason,
    ) -> Result<(), DepotError> {
        let text = editor.into_text();
        if before.is_some_and(|(before, _)| before == text) {
            return Ok(());
        }
        self.note_generation(name, before, (&text, reference), reason)?;
        self.write(self.places().manifest(name), text.as_bytes())?;
        self.note_manifest_change(name, before, (&text, reference), reason);
        Ok(())
    }
}

/// Checks that a manifest still belongs to the same installed extension.
pub(crate) fn ensure_still(loaded: &LoadedManifest, found: &Installed) -> Result<(), DepotError> {
    let is_same = loaded.manifest.extension.oci.as_ref() == Some(&found.reference);
    if is_same { Ok(()) } else { Err(DepotError::Changed { name: found.name.clone() }) }
}

/// Checks that a manifest can be read again: a manifest with one path for two directories cannot.
pub(crate) fn check_guest_paths(
    name: &ExtensionName,
    capabilities: &Capabilities,
) -> Result<(), DepotError> {
    let same = |problem| DepotError::SameGuestPath { name: name.clone(), problem };
    capabilities.check_guest_paths(Path::new("~")).map_err(same)
}
