//! Why an extension is not called.

use std::io;
use std::path::PathBuf;

use core_types::{Capability, ExtensionName, Place};
use extension_depot::{
    BlobError, ChangedMeanwhile, ConfigFileError, OpenExtensionError, StateFileError,
};
use extension_host::{HostError, IntoCacheError};

/// Why an extension cannot be called. Nothing of it has run.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The user wants no extension to be called.
    #[error("no extension is called in safe mode")]
    SafeMode,
    /// The user or a policy switches the session service off, and this was asked of it.
    #[error("the session service is switched off by `{}`", .0.path.display())]
    SessionOff(Place),
    /// The configuration or a policy cannot be used, so nothing is allowed.
    #[error(transparent)]
    Config(#[from] ConfigFileError),
    /// It is not installed whole, or disabled, quarantined or refused by a policy.
    #[error("cannot call `{name}`")]
    Extension {
        /// The extension.
        name: ExtensionName,
        /// The problem.
        source: Box<OpenExtensionError>,
    },
    /// Whether it was replaced meanwhile cannot be read.
    #[error(transparent)]
    State(#[from] StateFileError),
    /// Other processes keep replacing it.
    #[error(transparent)]
    Changed(#[from] ChangedMeanwhile),
    /// Its code does not run here.
    #[error(transparent)]
    Code(Box<CodeError>),
    /// It has refused imports.
    #[error("cannot link `{name}`")]
    Host {
        /// The extension.
        name: ExtensionName,
        /// The refused imports.
        source: Box<HostError>,
    },
    /// A policy denies a capability that it imports: a grant does not help.
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

/// The reason why a binary does not run here.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// The compiler or the machine.
    #[error(transparent)]
    Compile(#[from] IntoCacheError),
    /// The binary.
    #[error(transparent)]
    Binary(#[from] BlobError),
    /// Code that cannot be cached does not fit a temporary file either.
    #[error("cannot keep compiled code for this process")]
    Temporary(#[source] io::Error),
}

impl From<CodeError> for OpenError {
    fn from(error: CodeError) -> Self {
        Self::Code(Box::new(error))
    }
}

impl OpenError {
    /// Adds the extension's name to an error of the depot.
    pub(crate) fn of_extension(name: &ExtensionName, source: OpenExtensionError) -> Self {
        Self::Extension { name: name.clone(), source: Box::new(source) }
    }

    /// Adds the extension's name to an error of the host.
    pub(crate) fn of_host(name: &ExtensionName, source: HostError) -> Self {
        Self::Host { name: name.clone(), source: Box::new(source) }
    }
}
