//! Opens an installed extension for a call.

use core_types::{Authority, Document, EffectiveLimits, ExtensionName, Owner, Permissions};

use crate::activity::quarantine::Quarantine;
use crate::config::effective_config::EffectiveConfig;
use crate::config::policies::PolicyRefusal;
use crate::files::state_file::StateFileError;
use crate::manifest::timed_grants_file::TimedGrantsError;
use crate::store::depot::{Depot, Installed};
use crate::store::installed_error::InstalledError;
use crate::trust::check_signer::{SignedArtifact, SignerError};
use crate::trust::signature_state::SignatureState;

/// An installed extension that may be called, with its permissions: its manifest and the grants of
/// this session, within every policy, at the moment when it was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The extension.
    pub installed: Installed,
    /// Its permissions.
    pub permissions: Permissions,
}

/// Why an extension cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum OpenExtensionError {
    /// It is not there whole.
    #[error(transparent)]
    Installed(#[from] InstalledError),
    /// Its user keeps it from being called.
    #[error("`{name}` is disabled")]
    Disabled {
        /// The name.
        name: ExtensionName,
    },
    /// It failed again and again.
    #[error("`{name}` is quarantined: {quarantine}")]
    Quarantined {
        /// The name.
        name: ExtensionName,
        /// How it failed.
        quarantine: Quarantine,
    },
    /// A policy refuses it.
    #[error(transparent)]
    Policy(#[from] PolicyCheckError),
    /// The grants of this session cannot be read.
    #[error(transparent)]
    TimedGrants(#[from] TimedGrantsError),
}

/// Why policies do not let an installed extension be called.
#[derive(Debug, thiserror::Error)]
pub enum PolicyCheckError {
    /// They do not let it come from where it came from.
    #[error(transparent)]
    Source(#[from] PolicyRefusal),
    /// Its recorded signature does not do.
    #[error(transparent)]
    Signature(#[from] RecordedSignatureError),
}

/// Why the recorded signature of an extension is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum RecordedSignatureError {
    /// The record cannot be read.
    #[error(transparent)]
    Record(#[from] StateFileError),
    /// A policy wants another signer, or the trusted signers cannot be read.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

impl Depot {
    /// Opens an extension for a call, with its permissions.
    ///
    /// # Errors
    /// When it is not there whole, disabled, quarantined, refused by a policy, or the grants of
    /// this session cannot be read.
    pub fn open(
        &self,
        name: &ExtensionName,
        config: &EffectiveConfig,
    ) -> Result<Opened, OpenExtensionError> {
        let installed = self.installed(name)?;
        if !installed.loaded.manifest.extension.enabled {
            return Err(OpenExtensionError::Disabled { name: name.clone() });
        }
        if let Some(quarantine) = self.quarantine(name, &installed.artifact.digest) {
            return Err(OpenExtensionError::Quarantined { name: name.clone(), quarantine });
        }
        self.check_policies(&installed, config)?;
        let permissions = self.permissions(&installed, config)?;
        Ok(Opened { installed, permissions })
    }

    /// Checks that every policy of this moment lets an extension be called: where it came from, and
    /// who signed it as far as that was found out.
    ///
    /// # Errors
    /// When one does not, and what keeps it from being found out.
    pub fn check_policies(
        &self,
        installed: &Installed,
        config: &EffectiveConfig,
    ) -> Result<(), PolicyCheckError> {
        config.check_source(&installed.reference)?;
        Ok(self.check_recorded_signature(installed, config)?)
    }

    /// Checks the recorded signature against the policies of this moment.
    ///
    /// # Errors
    /// When a policy wants another signer, or the record cannot be read.
    pub fn check_recorded_signature(
        &self,
        installed: &Installed,
        config: &EffectiveConfig,
    ) -> Result<(), RecordedSignatureError> {
        let Installed { name, reference, artifact, .. } = installed;
        if !config.wants_signature(reference) {
            return Ok(());
        }
        let never = || SignatureState::Unchecked { reason: "not verified yet".to_owned() };
        let found = self.record(name, &artifact.digest)?.and_then(|record| record.signature);
        let found = found.map_or_else(never, |checked| checked.state);
        let signed = SignedArtifact { name: Some(name), reference, first: None };
        Ok(self.check_required_signer(signed, &found, config, false)?)
    }

    /// Returns the permissions of an installed extension at this moment: its manifest and the
    /// grants of this session, within every policy. Each call reads them again, so that a revoked
    /// grant does not reach the next call.
    ///
    /// # Errors
    /// When the grants of the session cannot be read.
    pub fn permissions(
        &self,
        installed: &Installed,
        config: &EffectiveConfig,
    ) -> Result<Permissions, TimedGrantsError> {
        let Installed { name, loaded, reference, .. } = installed;
        let authority = Authority {
            capabilities: Some(loaded.manifest.granted()),
            manifest: Document::from(loaded),
            timed: self.timed_grants(name, &reference.identity())?,
            policies: config.policies.clone(),
        };
        Ok(Permissions {
            owner: Owner { name: name.clone(), identity: reference.identity() },
            authority,
            limits: EffectiveLimits::new(&loaded.manifest.limits, &config.ceilings()),
            config: loaded.manifest.config.clone(),
            cause: None,
        })
    }
}
