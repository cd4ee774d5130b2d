//! Fourth stage: the needs and requests of the code.

use extension_host::Purpose;

use super::error::InstallError;
use super::operation::Operation;
use super::verified::Verified;
use crate::consent::Requests;
use crate::events::Phase;
use crate::examination::Findings;
use crate::installer::Installer;

/// An extension that is compiled, links, and whose requests are known.
pub(crate) struct Examined {
    pub(super) verified: Verified,
    /// Its requests; for an update, those that its predecessor did not have.
    pub(super) requests: Requests,
    /// The purpose.
    pub(super) purpose: Purpose,
}

impl Verified {
    /// Compiles the code, links it against its imports, and reads its requests and the author's.
    /// None of the code runs.
    pub(super) fn examine(
        self,
        installer: &Installer<'_>,
        operation: &Operation<'_>,
    ) -> Result<Examined, InstallError> {
        let (name, binary, manager) = (&self.staged.name, self.staged.binary(), installer.manager);
        installer.phase(name, Phase::Examining);
        let findings = match operation {
            Operation::Install(_) => manager.examine_arrived(name, binary)?.startable(name)?,
            Operation::Update(update) => manager.examine_update(update.from, binary)?,
            // Its bytes arrived in an earlier process.
            Operation::RollBack(_) => manager.examine(name, binary)?.startable(name)?,
        };
        let Findings { requests, purpose, .. } = findings;
        let mut requests = requests.under(&operation.events(&self.basis));
        if let Operation::Install(options) = operation
            && let Some(entry) = options.entry
        {
            requests.add(entry.capabilities.iter().cloned().collect());
        }
        Ok(Examined { verified: self, requests, purpose })
    }
}
