//! Why an extension is not called.

use std::path::PathBuf;

use core_types::{Capability, ExtensionName};
use extension_depot::{ConfigFileError, DepotError};
use extension_host::HostError;

use crate::compiled_code::CodeError;

/// Why an extension cannot be called. Nothing of it has run.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The user wants no extension to be called.
    #[error("no extension is called in safe mode")]
    SafeMode,
    /// The configuration or a policy cannot be used, so nothing is allowed.
    #[error(transparent)]
    Config(#[from] ConfigFileError),
    /// It is not installed whole, or disabled, quarantined or refused by a policy.
    #[error("cannot call `{name}`")]
    Extension {
        /// The extension.
        name: ExtensionName,
        /// What is wrong.
        source: DepotError,
    },
    /// It has no code that runs here.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// It imports what it does not get.
    #[error("cannot link `{name}`")]
    Host {
        /// The extension.
        name: ExtensionName,
        /// What it does not get.
        source: HostError,
    },
    /// The manifest grants a capability that it imports, and a policy takes it away: granting it again is no help.
    #[error("policy denies `{name}` the capability `{capability}`, which it needs")]
    DeniedByPolicy {
        /// The extension.
        name: ExtensionName,
        /// The capability.
        capability: Capability,
        /// The policy.
        policy: PathBuf,
    },
}

impl OpenError {
    /// What the depot says of this extension.
    pub(crate) fn of_extension(name: &ExtensionName, source: DepotError) -> Self {
        Self::Extension { name: name.clone(), source }
    }

    /// What the host says of this extension.
    pub(crate) fn of_host(name: &ExtensionName, source: HostError) -> Self {
        Self::Host { name: name.clone(), source }
    }
}
