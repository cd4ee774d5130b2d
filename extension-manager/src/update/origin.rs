//! Confirms the origin of an extension from a bundle: the first step of an update.

use core_types::{Capabilities, Capability, OciReference, version_of_tag};
use extension_depot::registry::{Registry, RegistryError};
use extension_depot::{Basis, Installed, SignedArtifact};

use super::error::UpdateError;
use super::operation::UpdateOptions;
use crate::consent::Question;
use crate::events::{Note, Wait, Warning};
use crate::install::InstallError;
use crate::installer::Installer;

impl Installer<'_> {
    /// Checks whether the claimed registry has the bytes of an extension from a bundle. If so, the
    /// extension gets the identity of that repository, with its secrets, trust and updates. Every
    /// other extension is returned as it is.
    pub(super) fn confirm_origin(
        &self,
        installed: Installed,
        options: &UpdateOptions,
    ) -> Result<Installed, UpdateError> {
        let stays = options.dry_run
            || installed.loaded.manifest.extension.pinned
            || !installed.reference.is_bundled();
        if stays {
            return Ok(installed);
        }
        let Some(claimed) = self.claimed_origin(&installed)? else { return Ok(installed) };
        let name = &installed.name;
        let basis = self.depot().basis(name, &claimed)?;
        self.config.check_source(&claimed)?;
        self.check_transport(&claimed, options.allow_plain_http)?;
        if !self.is_at(&claimed)? {
            self.warn(&Warning::NotAtOrigin { name: name.clone(), claimed });
            return Ok(installed);
        }
        let evidence = self.look_up(&claimed, None)?;
        let signed =
            SignedArtifact { name: Some(name), reference: &claimed, first: basis.first_use() };
        self.check_signer(signed, &evidence, None)?;
        self.check_secrets(&basis, &claimed, options.accept)?;
        self.depot().lock()?.confirm_origin(&basis, &claimed, &evidence)?;
        self.note(&Note::OriginConfirmed { name, origin: &claimed });
        Ok(self.depot().installed(name)?)
    }

    /// Returns where the bundle said that an extension came from, if that is a registry.
    fn claimed_origin(&self, installed: &Installed) -> Result<Option<OciReference>, UpdateError> {
        let Installed { name, artifact, .. } = installed;
        let record = self.depot().record(name, &artifact.digest)?;
        let claimed = record.and_then(|record| record.claimed);
        Ok(claimed.filter(|claimed| !claimed.is_local()))
    }

    fn is_at(&self, claimed: &OciReference) -> Result<bool, UpdateError> {
        let work = has_bytes(self.registry(), claimed);
        let has = self.network.wait(self.events(), &Wait::Resolving(claimed), work);
        Ok(has.map_err(InstallError::Runtime)??)
    }

    /// Asks before an extension with grants for secrets gets those of its origin: it was given
    /// those of its own bytes, and the others may belong to an extension that is installed beside
    /// it.
    fn check_secrets(
        &self,
        basis: &Basis,
        origin: &OciReference,
        accept: bool,
    ) -> Result<(), UpdateError> {
        if accept || !basis.capabilities().is_some_and(uses_secrets) {
            return Ok(());
        }
        if self.consent.confirm(&Question::SecretsOfOrigin { owner: &basis.owner() }) {
            return Ok(());
        }
        let (name, origin) = (basis.name().clone(), origin.clone());
        Err(UpdateError::SecretsOfOrigin { name, origin })
    }
}

/// Returns whether a registry has the bytes that a reference is pinned to: under its tag, where
/// that is a version and says which way updates go, and else at all.
async fn has_bytes(registry: &Registry, claimed: &OciReference) -> Result<bool, RegistryError> {
    let is_version = version_of_tag(claimed.revision()).is_some();
    let asked = if is_version { claimed.unpinned() } else { claimed.clone() };
    match registry.resolve(&asked).await {
        Ok(resolved) => Ok(resolved.reference.provenance() == claimed.provenance()),
        Err(RegistryError::NotFound { .. } | RegistryError::MissingTag { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn uses_secrets(granted: &Capabilities) -> bool {
    granted.grants(Capability::SecretRead) || granted.grants(Capability::SecretWrite)
}
