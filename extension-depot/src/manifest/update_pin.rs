//! Keeps extensions at their version.

use core_types::ExtensionName;

use crate::history::generation::Reason;
use crate::manifest::edit::EditError;
use crate::store::locked_depot::LockedDepot;

impl LockedDepot<'_> {
    /// Keeps an extension at its version, or lets it be updated again. Returns whether that changed
    /// anything.
    ///
    /// # Errors
    /// When the manifest is missing or cannot be written.
    pub fn set_pinned(&self, name: &ExtensionName, pinned: bool) -> Result<bool, EditError> {
        let reason = if pinned { Reason::Pinned } else { Reason::Unpinned };
        self.edit(name, reason, |loaded, editor| {
            editor.set_pinned(pinned);
            Ok(loaded.manifest.extension.pinned != pinned)
        })
    }
}
