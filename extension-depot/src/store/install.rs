//! Installs a staged artifact.

use core_types::{Capabilities, Config, Limits, OciReference};

use crate::history::generation::Reason;
use crate::manifest::edit::check_guest_paths;
use crate::manifest::manifest_file::{LoadedManifest, ManifestEditor};
use crate::source::staging::Staged;
use crate::store::basis::Basis;
use crate::store::depot_error::DepotError;
use crate::store::locked_depot::LockedDepot;
use crate::store::record::Record;
use crate::trust::signer_pin::Evidence;

/// How an artifact is to be installed.
#[derive(Debug, Clone, Copy)]
pub struct InstallOrder<'a> {
    /// The state that the decision is based on.
    pub basis: &'a Basis,
    /// The request, in the words of the caller.
    pub source: &'a str,
    /// The capabilities of the manifest from now on; without them they stay as they are.
    pub capabilities: Option<&'a Capabilities>,
    /// Why it is installed.
    pub reason: Reason,
    /// The signature and the transport, if they were checked.
    pub evidence: Option<&'a Evidence>,
    /// The limits and settings of a new manifest.
    pub seed: Option<(&'a Limits, &'a Config)>,
    /// Where a bundle says that it came from, while nothing confirms that.
    pub claimed: Option<&'a OciReference>,
}

impl LockedDepot<'_> {
    /// Installs a staged artifact: blobs, index, record, generation, and last the manifest, whose
    /// pin makes it current. Each step is durable before the next. Without a decision the
    /// capabilities of the manifest stay as they are.
    ///
    /// # Errors
    /// [`DepotError::Changed`] when something that the decision was made upon has changed. When the
    /// name belongs to another identity or something cannot be written. The installed version is
    /// unchanged.
    pub fn install(&self, staged: &Staged, order: &InstallOrder<'_>) -> Result<(), DepotError> {
        let InstallOrder { basis, evidence, .. } = *order;
        if let Some(capabilities) = order.capabilities {
            check_guest_paths(basis.name(), capabilities)?;
        }
        self.ensure_editable(basis.name())?;
        basis.ensure_holds(self)?;
        basis.check_name(&staged.reference)?;
        evidence.map_or(Ok(()), |found| self.check_first_use(&staged.reference, found))?;
        let name = basis.name();
        // The compared parts have not changed; the rest may have.
        let before = self.manifest(name)?;
        let layout = self.layout();
        layout.add_blobs(staged)?;
        layout.sync_blobs()?;
        layout.add_entries(&[(name, &staged.artifact)])?;
        let found = (&staged.artifact, &staged.binary);
        let mut record = Record::new(name, &staged.reference, order.source.to_owned(), found);
        record.claimed = order.claimed.cloned();
        if let Some(found) = evidence {
            record.signature = Some((&found.signature).into());
            self.note_first_use(&staged.reference, found)?;
        }
        self.write_record(&record)?;
        let editor = installed_manifest(before.as_ref(), staged, order);
        let before = before.as_ref().map(LoadedManifest::text_and_origin);
        self.write_manifest(name, before, editor, Some(&staged.reference), order.reason)
    }
}

/// Returns the manifest after an install: the existing text with the new version and pin.
fn installed_manifest(
    before: Option<&LoadedManifest>,
    staged: &Staged,
    order: &InstallOrder<'_>,
) -> ManifestEditor {
    let Staged { artifact, reference, .. } = staged;
    let mut editor = ManifestEditor::new(before.map(|loaded| loaded.text.as_str()));
    editor.set_installed(order.basis.name(), &artifact.version(reference), reference);
    if let Some(description) = artifact.description() {
        editor.set_missing("extension", "description", description);
    }
    if let Some((limits, config)) = order.seed.filter(|_| before.is_none()) {
        editor.set_seed(limits, config);
    }
    if let Some(capabilities) = order.capabilities {
        editor.set_capabilities(order.basis.capabilities(), capabilities);
    }
    editor
}
