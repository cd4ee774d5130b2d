//! Takes a manifest that its user edited as a whole.

use std::io;

use core_types::{ExtensionName, Manifest};

use crate::files::stored_file::StoredFileError;
use crate::history::generation::Reason;
use crate::history::note_generation::NewGeneration;
use crate::manifest::guest_paths::{GuestPathTaken, check_guest_paths};
use crate::manifest::manifest_file::{ManifestEditor, ManifestError, read_text};
use crate::store::depot::Depot;
use crate::store::installed_error::{ExtensionNotFound, FindError};
use crate::store::locked_depot::LockedDepot;

/// Why an edited text is not taken as a manifest. The manifest is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceManifestError {
    /// The text is not a manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// It would grant two directories under one path for the guest.
    #[error(transparent)]
    SameGuestPath(#[from] GuestPathTaken),
    /// The manifest is another than the one that its user edited.
    #[error("the manifest of `{name}` was changed by another program meanwhile")]
    Edited {
        /// The extension.
        name: ExtensionName,
    },
    /// The generation or the manifest cannot be written.
    #[error(transparent)]
    Stored(#[from] StoredFileError),
}

impl Depot {
    /// Returns the text of a manifest, however broken it is, for its user to edit.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn manifest_text(&self, name: &ExtensionName) -> Result<String, FindError> {
        let path = self.places().manifest(name);
        read_text(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ExtensionNotFound { name: name.clone() }.into(),
            _ => ManifestError::Read { path, source }.into(),
        })
    }
}

impl LockedDepot<'_> {
    /// Puts an edited text in the place of a manifest. Returns whether it is another.
    ///
    /// # Errors
    /// When the manifest has changed since its text was taken, the text is not a manifest, or it
    /// cannot be written.
    pub fn replace_manifest(
        &self,
        name: &ExtensionName,
        before: &str,
        after: &str,
    ) -> Result<bool, ReplaceManifestError> {
        let path = self.places().manifest(name);
        let edited = Manifest::parse(after, name)
            .map_err(|problem| ManifestError::Content { path, problem })?
            .value;
        check_guest_paths(name, &edited.granted())?;
        let there = self.text_and_origin(name);
        let Some((text, origin)) = there.filter(|(text, _)| text == before) else {
            return Err(ReplaceManifestError::Edited { name: name.clone() });
        };
        let new = NewGeneration {
            text: &ManifestEditor::new(Some(after)).to_text(),
            reference: edited.extension.oci.as_ref(),
            record: None,
            reason: Reason::Edited,
        };
        self.write_manifest(name, Some((text.as_str(), origin.as_ref())), &new)?;
        Ok(before != after)
    }
}
