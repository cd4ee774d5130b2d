//! Putting extensions into one file.

use std::path::Path;

use core_types::ExtensionName;
use extension_depot::{Attachment, BundleContents, BundleError, BundledStorage, Installed};

use super::error::BundlesError;
use crate::events::{Wait, Warning};
use crate::install::InstallError;
use crate::installer::Installer;

/// How extensions are put into a file.
///
/// ```
/// use extension_manager::ExportOptions;
///
/// let options = ExportOptions { with_storage: true, ..ExportOptions::default() };
/// assert!(!options.replace, "another file stays");
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct ExportOptions {
    /// Whether another file may be replaced.
    pub replace: bool,
    /// Whether the data that the extensions keep go with them.
    pub with_storage: bool,
}

impl Installer<'_> {
    /// Writes extensions into one file, with what their registries have that refers to them. In
    /// offline mode that is left out, with a warning.
    ///
    /// # Errors
    /// When one is not installed, its data cannot be read, a registry does not answer, or the file
    /// cannot be written or is there and is not to be replaced.
    pub fn export(
        &self,
        names: &[ExtensionName],
        to: &Path,
        options: ExportOptions,
    ) -> Result<(), BundlesError> {
        if to.exists() && !options.replace {
            return Err(BundlesError::Write(BundleError::Exists { path: to.to_owned() }));
        }
        if names.is_empty() {
            return Err(BundlesError::NothingToExport);
        }
        let find = |name| self.depot().installed(name);
        let extensions = names.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let (mut attachments, mut storages) = (Vec::new(), Vec::new());
        for extension in &extensions {
            attachments.extend(self.referrers(extension)?);
            if options.with_storage {
                storages.extend(self.bundled_storage(extension)?);
            }
        }
        let contents = BundleContents {
            extensions: &extensions,
            attachments: &attachments,
            storages: &storages,
        };
        let written = self.depot().export(&contents, to, options.replace);
        written.map_err(BundlesError::Write)
    }

    fn bundled_storage(
        &self,
        extension: &Installed,
    ) -> Result<Option<BundledStorage>, BundlesError> {
        let storage = self.depot().bundled_storage(extension);
        storage.map_err(|source| BundlesError::Storage { name: extension.name.clone(), source })
    }

    fn referrers(&self, extension: &Installed) -> Result<Vec<Attachment>, BundlesError> {
        let Installed { name, reference, .. } = extension;
        if reference.is_local() {
            return Ok(Vec::new());
        }
        if self.manager.is_offline() {
            self.warn(&Warning::ReferrersLeftOut { name: name.clone() });
            return Ok(Vec::new());
        }
        let work = self.registry().referrers(reference);
        let found = self.network.wait(self.events(), &Wait::ResolvingReferrers(reference), work);
        Ok(found.map_err(InstallError::Runtime)??)
    }
}
