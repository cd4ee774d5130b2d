//! Installs a staged artifact.

use core_types::{Capabilities, OciReference};
use private_files::{FileError, LinkedFile};

use crate::files::state_file::StateFileError;
use crate::files::stored_file::StoredFileError;
use crate::history::generation::Reason;
use crate::history::note_generation::NewGeneration;
use crate::manifest::guest_paths::{GuestPathTaken, check_guest_paths};
use crate::manifest::manifest_file::{LoadedManifest, ManifestEditor, ManifestError};
use crate::manifest::seed::Seed;
use crate::source::staging::Staged;
use crate::store::basis::{Basis, ChangedMeanwhile};
use crate::store::locked_depot::LockedDepot;
use crate::store::owner::OtherSource;
use crate::store::record::Record;
use crate::trust::check_signer::SignedArtifact;
use crate::trust::signer_pin::{Evidence, SignatureRefusal};

/// How an artifact is to be installed.
#[derive(Debug, Clone, Copy)]
pub struct InstallPlan<'a> {
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
    pub seed: Option<Seed<'a>>,
    /// Where a bundle says that it came from, while nothing confirms that.
    pub claimed: Option<&'a OciReference>,
}

/// Why a staged artifact is not put into place. The installed version is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The manifest would grant two directories under one path for the guest.
    #[error(transparent)]
    SameGuestPath(#[from] GuestPathTaken),
    /// The manifest is a link, which is not replaced.
    #[error(transparent)]
    Linked(#[from] LinkedFile),
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Something that the decision was made upon has changed.
    #[error(transparent)]
    Changed(#[from] ChangedMeanwhile),
    /// The name belongs to an extension from elsewhere.
    #[error(transparent)]
    OtherSource(#[from] OtherSource),
    /// Another process pinned another signer since the decision.
    #[error(transparent)]
    Signature(#[from] SignatureRefusal),
    /// The pinned signer or the record cannot be read or written.
    #[error(transparent)]
    State(#[from] StateFileError),
    /// The blobs or their index cannot be written.
    #[error(transparent)]
    Layout(#[from] FileError),
    /// The generation or the manifest cannot be written.
    #[error(transparent)]
    Stored(#[from] StoredFileError),
}

impl LockedDepot<'_> {
    /// Installs a staged artifact: blobs, index, record, generation, and last the manifest, whose
    /// pin makes it current. Each step is durable before the next. Without a decision the
    /// capabilities of the manifest stay as they are.
    ///
    /// # Errors
    /// [`CommitError::Changed`] when something that the decision was made upon has changed. When
    /// the name belongs to another identity or something cannot be written.
    pub fn install(&self, staged: &Staged, order: &InstallPlan<'_>) -> Result<(), CommitError> {
        let InstallPlan { basis, evidence, .. } = *order;
        self.check_order(staged, order)?;
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
        let text = &installed_manifest(before.as_ref(), staged, order).to_text();
        let before = before.as_ref().map(LoadedManifest::text_and_origin);
        let (reference, record) = (Some(&staged.reference), Some(&record));
        let new = NewGeneration { text, reference, record, reason: order.reason };
        Ok(self.write_manifest(name, before, &new)?)
    }

    /// Checks that the manifest can be replaced, and that the decision still holds.
    fn check_order(&self, staged: &Staged, order: &InstallPlan<'_>) -> Result<(), CommitError> {
        let (basis, name, reference) = (order.basis, order.basis.name(), &staged.reference);
        if let Some(capabilities) = order.capabilities {
            check_guest_paths(name, capabilities)?;
        }
        self.ensure_editable(name)?;
        if !basis.still_holds(self)? {
            return Err(basis.changed().into());
        }
        basis.check_name(reference)?;
        if let Some(found) = order.evidence {
            let first = self.first_use(&reference.identity())?;
            SignedArtifact { name: Some(name), reference, first: first.as_ref() }
                .check_first_use(&found.signature)?;
        }
        Ok(())
    }
}

/// Returns the manifest after an install: the existing text with the new version and pin.
fn installed_manifest(
    before: Option<&LoadedManifest>,
    staged: &Staged,
    order: &InstallPlan<'_>,
) -> ManifestEditor {
    let Staged { artifact, reference, .. } = staged;
    let mut editor = ManifestEditor::new(before.map(|loaded| loaded.text.as_str()));
    editor.set_installed(order.basis.name(), &artifact.version(reference), reference);
    if let Some(description) = artifact.description() {
        editor.set_missing("extension", "description", description);
    }
    if let Some(seed) = order.seed.filter(|_| before.is_none()) {
        editor.set_seed(&seed);
    }
    if let Some(capabilities) = order.capabilities {
        editor.set_capabilities(order.basis.capabilities(), capabilities);
    }
    editor
}
