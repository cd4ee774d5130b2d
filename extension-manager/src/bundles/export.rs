//! Putting extensions into one file.

use std::path::Path;

use core_types::ExtensionName;
use extension_depot::{Attachment, BundleError, Installed};

use super::error::BundlesError;
use crate::events::{Wait, Warning};
use crate::install::InstallError;
use crate::installer::Installer;

impl Installer<'_> {
    /// Writes extensions into one file, with what their registries have that refers to them. In
    /// offline mode that is left out, with a warning.
    ///
    /// # Errors
    /// When one is not installed, a registry does not answer, or the file cannot be written or is
    /// there and is not to be replaced.
    pub fn export(
        &self,
        names: &[ExtensionName],
        to: &Path,
        replace: bool,
    ) -> Result<(), BundlesError> {
        if to.exists() && !replace {
            return Err(BundlesError::Write(BundleError::Exists { path: to.to_owned() }));
        }
        if names.is_empty() {
            return Err(BundlesError::NothingToExport);
        }
        let find = |name| self.depot().installed(name);
        let extensions = names.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let mut attachments = Vec::new();
        for extension in &extensions {
            attachments.extend(self.referrers(extension)?);
        }
        let written = self.depot().export(&extensions, &attachments, to, replace);
        written.map_err(BundlesError::Write)
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
