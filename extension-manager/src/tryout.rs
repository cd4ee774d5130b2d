//! Projects that their author tries before they are published.

use core_types::{ExtensionName, Grant};

use crate::install::{Committed, InstallError, InstallOptions, Operation, Staged};
use crate::installer::Installer;

/// A project that is compiled and starts here, and is not installed yet.
pub struct Tryout(Staged);

impl Installer<'_> {
    /// Compiles an author's build, to be installed under this name. Returns nothing if exactly that
    /// is installed.
    ///
    /// # Errors
    /// When a policy refuses files, or it could not start here.
    pub fn prepare_tryout(
        &self,
        name: &ExtensionName,
        binary: Vec<u8>,
        version: Option<&str>,
    ) -> Result<Option<Tryout>, InstallError> {
        let arrived = self.depot().stage_development(binary, name, version)?;
        self.config.check_source(&arrived.reference)?;
        let installed = self.depot().installed_with_binary(name);
        if installed.is_some_and(|installed| installed.reference == arrived.reference) {
            return Ok(None);
        }
        self.manager.examine_arrived(name, arrived.binary())?.startable(name)?;
        Ok(Some(Tryout(Staged::arrived(name, arrived))))
    }

    /// Installs a prepared build with all requests of its author. `grant` are the requests of the
    /// author's manifest: one that was added later is granted without a question.
    ///
    /// # Errors
    /// When it cannot be installed. The installed state has not changed.
    pub fn install_tryout(
        &self,
        Tryout(staged): Tryout,
        grant: &[Grant],
    ) -> Result<Committed, InstallError> {
        let options = InstallOptions {
            source: "sesame extension dev".to_owned(),
            grant,
            grant_requested: true,
            allow_downgrade: true,
            names_bytes: true,
            ..InstallOptions::default()
        };
        self.carry_out(staged, &Operation::Install(&options))
    }
}
