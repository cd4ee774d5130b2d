//! Third stage: whose bytes they are, and whether they may take this place.

use core_types::OciReference;
use extension_depot::{Basis, ChangedMeanwhile, Evidence, SignedArtifact};

use super::error::InstallError;
use super::operation::Operation;
use super::staged::Staged;
use crate::events::Phase;
use crate::installer::Installer;
use crate::rules::{check_direction, check_tag, warn_of_look_alikes};

/// An extension whose signer, name, tag and direction do, as far as its basis shows.
pub(crate) struct Verified {
    pub(super) staged: Staged,
    /// What every later decision is made upon.
    pub(super) basis: Basis,
    /// The state of its signature, if that was verified.
    pub(super) evidence: Option<Evidence>,
}

impl Staged {
    /// Checks everything that does not depend on the code.
    pub(super) fn verify(
        mut self,
        installer: &Installer<'_>,
        operation: &Operation<'_>,
    ) -> Result<Verified, InstallError> {
        installer.phase(&self.name, Phase::Verifying);
        let basis = match self.basis.take() {
            Some(basis) => basis,
            None => self.read_basis(installer, operation)?,
        };
        if matches!(operation, Operation::Install(_)) {
            self.warn(installer, &basis);
        }
        self.check(&basis, operation)?;
        let evidence = self.evidence(installer, operation)?;
        let verified = Verified { staged: self, basis, evidence };
        verified.check_signer(installer, operation)?;
        Ok(verified)
    }

    /// Reads the state that a decision is based on.
    fn read_basis(
        &self,
        installer: &Installer<'_>,
        operation: &Operation<'_>,
    ) -> Result<Basis, InstallError> {
        let (depot, name, reference) = (installer.depot(), &self.name, self.reference());
        Ok(match operation {
            Operation::Install(_) => depot.basis(name, reference)?,
            Operation::Update(update) => depot.basis_of(update.from)?,
            // A broken manifest is what one goes back from.
            Operation::RollBack(_) => depot.basis_of_broken(name, reference)?,
        })
    }

    fn warn(&self, installer: &Installer<'_>, basis: &Basis) {
        match basis.loaded() {
            Some(loaded) => {
                installer.manager.warn_of_unknown_keys(&loaded.path, &loaded.unknown_keys)
            }
            None => warn_of_look_alikes(
                installer.depot(),
                installer.events(),
                &self.name,
                self.reference(),
            ),
        }
    }

    /// Checks whose name it is, whether the tag has moved, and which way the version goes.
    fn check(&self, basis: &Basis, operation: &Operation<'_>) -> Result<(), InstallError> {
        let (name, reference) = (&self.name, self.reference());
        basis.check_name(reference)?;
        let allow_downgrade = match operation {
            Operation::Install(options) => {
                check_planned(basis, options.planned)?;
                check_tag(name, basis.pinned(), reference, options.names_bytes)?;
                options.allow_downgrade
            }
            Operation::Update(update) => update.allow_downgrade,
            Operation::RollBack(_) => true,
        };
        Ok(check_direction(name, basis.pinned().as_ref(), reference, allow_downgrade)?)
    }

    /// Returns the evidence of its signature. That of an earlier generation was verified at its
    /// install.
    fn evidence(
        &mut self,
        installer: &Installer<'_>,
        operation: &Operation<'_>,
    ) -> Result<Option<Evidence>, InstallError> {
        match (self.evidence.take(), operation) {
            (Some(evidence), _) => Ok(Some(evidence)),
            (None, Operation::RollBack(_)) => Ok(None),
            (None, _) => Ok(Some(installer.look_up(self.reference(), operation.signer())?)),
        }
    }
}

/// Checks that a manifest still names the reference that was planned for.
fn check_planned(basis: &Basis, planned: Option<&OciReference>) -> Result<(), ChangedMeanwhile> {
    let named = basis.loaded().and_then(|loaded| loaded.manifest.extension.oci.as_ref());
    if planned.is_some() && named != planned {
        return Err(ChangedMeanwhile { name: basis.name().clone() });
    }
    Ok(())
}

impl Verified {
    /// Checks again against the present state, after a change by another process.
    pub(super) fn look_again(
        &mut self,
        installer: &Installer<'_>,
        operation: &Operation<'_>,
    ) -> Result<(), InstallError> {
        self.basis = self.staged.read_basis(installer, operation)?;
        self.staged.check(&self.basis, operation)?;
        self.check_signer(installer, operation)
    }

    fn check_signer(
        &self,
        installer: &Installer<'_>,
        operation: &Operation<'_>,
    ) -> Result<(), InstallError> {
        let Some(evidence) = &self.evidence else { return Ok(()) };
        let Self { staged, basis, .. } = self;
        let (reference, first) = (staged.reference(), basis.first_use());
        let signed = SignedArtifact { name: Some(&staged.name), reference, first };
        Ok(installer.check_signer(signed, evidence, operation.signer())?)
    }
}
