//! The stages one after another.

use core_types::{Digest, ExtensionName, Grant, VersionReq};
use extension_depot::{Installed, Source};

use super::committed::Committed;
use super::error::InstallError;
use super::examined::Examined;
use super::operation::{InstallOptions, Operation};
use super::resolved::{Resolution, StageRequest};
use super::staged::Staged;
use crate::consent::{Denied, split_denied};
use crate::events::Phase;
use crate::installer::Installer;
use crate::retry::{Round, until_it_holds};
use crate::rules::{NameUse, check_form, check_replacement};

/// The source of an install, with its terms.
pub struct InstallRequest<'a> {
    /// Where it comes from.
    pub source: &'a Source,
    /// The name under which it is installed; without one, the source gives it.
    pub name: Option<&'a ExtensionName>,
    /// The range in which the version has to be.
    pub version: Option<&'a VersionReq>,
    /// The digest that a file has to have.
    pub sha256: Option<&'a Digest>,
    /// Whether it can come without TLS where others came with it.
    pub allow_plain_http: bool,
    /// The terms.
    pub options: InstallOptions<'a>,
}

/// The outcome of an install.
pub enum Installation {
    /// Exactly this is already installed, so only new grants were written.
    Already {
        /// The extension.
        installed: Box<Installed>,
        /// The new grants.
        granted: Vec<Grant>,
        /// Wanted grants that a policy denies.
        denied: Vec<Denied>,
    },
    /// It is installed now.
    New(Box<Committed>),
}

impl Installer<'_> {
    /// Fetches, verifies, compiles and links an extension, asks for its permissions, and only then
    /// installs it.
    ///
    /// # Errors
    /// When any of that fails. The installed state has not changed.
    pub fn install(&self, request: &InstallRequest<'_>) -> Result<Installation, InstallError> {
        let InstallRequest { source, sha256, options, .. } = request;
        check_form(source, *sha256)?;
        let name = match request.name {
            Some(name) => name.clone(),
            None => source.default_name().map_err(InstallError::NoName)?,
        };
        let replaced = (options.name_use == NameUse::Replace).then_some(&name);
        check_replacement(source, replaced)?;
        let _work = self.work_on(&name);
        self.phase(&name, Phase::Resolving);
        match self.resolve_and_stage(request, &name)? {
            Resolution::Already(installed) => self.already(installed, options.grant),
            Resolution::New(staged) => {
                let committed = self.carry_out(staged, &Operation::Install(options))?;
                Ok(Installation::New(Box::new(committed)))
            }
        }
    }

    fn resolve_and_stage(
        &self,
        request: &InstallRequest<'_>,
        name: &ExtensionName,
    ) -> Result<Resolution<Staged>, InstallError> {
        let InstallRequest { source, version, sha256, allow_plain_http, ref options, .. } =
            *request;
        let name_use = options.name_use;
        let stage = StageRequest { source, name, version, sha256, allow_plain_http, name_use };
        match self.resolve(&stage)? {
            Resolution::Already(installed) => Ok(Resolution::Already(installed)),
            Resolution::New(resolved) => resolved.stage(self),
        }
    }

    /// Adds grants to an extension that is already installed.
    fn already(
        &self,
        installed: Box<Installed>,
        grant: &[Grant],
    ) -> Result<Installation, InstallError> {
        let Installed { name, loaded, .. } = &*installed;
        self.manager.warn_of_unknown_keys(&loaded.path, &loaded.unknown_keys);
        let granted = loaded.manifest.granted();
        let missing: Vec<_> =
            grant.iter().filter(|grant| !granted.covers(grant)).cloned().collect();
        self.check_directories(name, Some(loaded), &missing)?;
        if !missing.is_empty() {
            self.depot().lock()?.grant_installed(&installed, &missing)?;
        }
        let (granted, denied) = split_denied(missing, &self.config.policies);
        Ok(Installation::Already { installed, granted, denied })
    }

    /// Takes what arrived through the stages that are left. What changes in the meantime is decided
    /// upon again.
    pub(crate) fn carry_out(
        &self,
        staged: Staged,
        operation: &Operation<'_>,
    ) -> Result<Committed, InstallError> {
        let name = staged.name.clone();
        let mut examined = self.examined(staged, operation)?;
        let round = || match examined.decide(self, operation)?.commit(self, operation)? {
            Round::Done(committed) => Ok(Round::Done(committed)),
            Round::Changed => {
                examined.verified.look_again(self, operation)?;
                Ok(Round::Changed)
            }
        };
        until_it_holds(&name, round)
    }

    /// Runs the operation once: if another process changes the extension, the whole operation
    /// starts again.
    pub(crate) fn carry_out_once(
        &self,
        staged: Staged,
        operation: &Operation<'_>,
    ) -> Result<Round<Committed>, InstallError> {
        self.examined(staged, operation)?.decide(self, operation)?.commit(self, operation)
    }

    fn examined(
        &self,
        staged: Staged,
        operation: &Operation<'_>,
    ) -> Result<Examined, InstallError> {
        let examined = staged.verify(self, operation)?.examine(self, operation)?;
        if let Operation::Install(options) = operation {
            let basis = &examined.verified.basis;
            self.check_directories(basis.name(), basis.loaded(), options.grant)?;
        }
        Ok(examined)
    }
}
