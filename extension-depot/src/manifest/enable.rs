//! Enables and disables extensions.

use core_types::ExtensionName;

use crate::history::generation::Reason;
use crate::manifest::edit::EditError;
use crate::store::locked_depot::LockedDepot;

impl LockedDepot<'_> {
    /// Lets an extension be called or not. Returns whether that changed anything.
    ///
    /// # Errors
    /// When the manifest is missing or cannot be written.
    pub fn set_enabled(&self, name: &ExtensionName, enabled: bool) -> Result<bool, EditError> {
        let reason = if enabled { Reason::Enabled } else { Reason::Disabled };
        self.edit(name, reason, |loaded, editor| {
            editor.set_enabled(enabled);
            Ok(loaded.manifest.extension.enabled != enabled)
        })
    }
}
