//! Why something about installed extensions cannot be done.

use std::io;
use std::path::PathBuf;

use core_types::{ExtensionName, Identity, OciReference, SameGuestPath};
use private_files::FileError;

use crate::activity::activity_log::ActivityError;
use crate::activity::quarantine::Quarantine;
use crate::config::user_config::PolicyRefusal;
use crate::files::lock::LockError;
use crate::files::state_file::StateFileError;
use crate::manifest::manifest_file::ManifestError;
use crate::manifest::timed_grants_file::TimedGrantsError;
use crate::oci::artifact::ArtifactError;
use crate::source::staging::StagingError;
use crate::trust::signer_pin::SignatureRefusal;
use crate::trust::trusted_signer::TrustError;

/// Why something about installed extensions cannot be done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DepotError {
    /// The manifest is missing.
    #[error("there is no extension `{name}`")]
    NotFound {
        /// The name.
        name: ExtensionName,
    },
    /// There is a manifest, but nothing was installed for it yet.
    #[error("`{name}` has a manifest but is not installed")]
    NotInstalled {
        /// The name.
        name: ExtensionName,
        /// Where it would come from, if the manifest says so.
        reference: Option<Box<OciReference>>,
    },
    /// The manifest is pinned to an artifact that is not there or damaged.
    #[error("the artifact of `{name}` is missing or damaged")]
    Artifact {
        /// The name.
        name: ExtensionName,
        /// Returns the pinned reference of the manifest.
        reference: Box<OciReference>,
        /// The problem.
        source: ArtifactError,
    },
    /// The name belongs to an extension from elsewhere.
    #[error("`{name}` is the name of an extension from `{installed}`, not from `{wanted}`")]
    OtherSource {
        /// The name.
        name: ExtensionName,
        /// The owner.
        installed: Identity,
        /// Who wants it.
        wanted: Identity,
    },
    /// A value would take the place of a table of settings.
    #[error("it would take the setting `{}` away", key.escape_debug())]
    SettingTable {
        /// The name.
        name: ExtensionName,
        /// A setting in that table.
        key: String,
    },
    /// The manifest is another than the one that its user edited.
    #[error("the manifest of `{name}` was changed by another program meanwhile")]
    Edited {
        /// The name.
        name: ExtensionName,
    },
    /// Another process changed the basis of a decision: the installed version, its grants, or the
    /// pinned signer.
    #[error("`{name}` has been changed by another process in the meantime")]
    Changed {
        /// The name.
        name: ExtensionName,
    },
    /// The manifest would grant two directories under one path for the guest.
    #[error("{problem}")]
    SameGuestPath {
        /// The name.
        name: ExtensionName,
        /// The directories.
        problem: SameGuestPath,
    },
    /// A manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Something that sesame remembers cannot be read or written.
    #[error(transparent)]
    State(#[from] StateFileError),
    /// The bytes of a generation are gone or damaged.
    #[error("the bytes of generation {number} of `{name}` are not there any more")]
    GenerationGone {
        /// The name.
        name: ExtensionName,
        /// The generation.
        number: u32,
    },
    /// Another process is at work.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Staging failed.
    #[error(transparent)]
    Staging(#[from] StagingError),
    /// A policy does not let it come from where it came from.
    #[error(transparent)]
    Policy(#[from] PolicyRefusal),
    /// Its signature is refused.
    #[error(transparent)]
    Signature(Box<SignatureRefusal>),
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
    /// It would come without TLS, and others of its repository came with it.
    #[error("`{repository}` was fetched over TLS before, and would not be now")]
    Insecure {
        /// The repository.
        repository: Identity,
    },
    /// The trusted signers cannot be read.
    #[error(transparent)]
    Trust(Box<TrustError>),
    /// The activity log.
    #[error(transparent)]
    Activity(#[from] ActivityError),
    /// Grants that end.
    #[error(transparent)]
    Timed(#[from] TimedGrantsError),
    /// The system refuses.
    #[error("cannot change `{}`", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

impl From<SignatureRefusal> for DepotError {
    fn from(refusal: SignatureRefusal) -> Self {
        Self::Signature(Box::new(refusal))
    }
}

impl From<FileError> for DepotError {
    fn from(FileError { path, source }: FileError) -> Self {
        Self::Io { path, source }
    }
}
