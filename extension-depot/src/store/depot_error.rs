//! Why something about installed extensions cannot be done.

use std::io;
use std::path::PathBuf;

use core_types::{ExtensionName, Identity, OciReference, SameGuestPath};

use crate::activity::activity_log::ActivityError;
use crate::config::user_config::PolicyRefusal;
use crate::files::lock::LockError;
use crate::files::state_file::StateFileError;
use crate::manifest::manifest_file::ManifestError;
use crate::manifest::timed_grants::TimedGrantsError;
use crate::oci::artifact::ArtifactError;
use crate::store::layout::FileError;
use crate::store::quarantine::Quarantine;
use crate::store::staging::StagingError;
use crate::trust::signer_pin::SignatureRefusal;
use crate::trust::trusted_signers::TrustError;

/// Why something about installed extensions cannot be done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DepotError {
    /// There is no manifest of this name.
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
        /// What the manifest is pinned to.
        reference: Box<OciReference>,
        /// What is wrong.
        source: ArtifactError,
    },
    /// The name belongs to an extension from elsewhere.
    #[error("`{name}` is the name of an extension from `{installed}`, not from `{wanted}`")]
    OtherSource {
        /// The name.
        name: ExtensionName,
        /// Whom it belongs to.
        installed: Identity,
        /// Who wants it.
        wanted: Identity,
    },
    /// A value would take the place of a table of settings.
    #[error("it would take the setting `{}` away", key.escape_debug())]
    SettingTable {
        /// A setting in that table.
        key: String,
    },
    /// The manifest is another than the one that its user edited.
    #[error("the manifest of `{name}` was changed by another program meanwhile")]
    Edited {
        /// The name.
        name: ExtensionName,
    },
    /// Something that a decision was made upon is another by now: what is installed, what it is
    /// granted, or who signed first.
    #[error("`{name}` has been changed by another process in the meantime")]
    Changed {
        /// The name.
        name: ExtensionName,
    },
    /// The manifest would grant two directories under one path for the guest.
    #[error(transparent)]
    SameGuestPath(#[from] SameGuestPath),
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
    /// Whoever signed it, or nobody, does not do.
    #[error(transparent)]
    Signature(Box<SignatureRefusal>),
    /// Its user keeps it from being called.
    #[error("`{name}` is disabled")]
    Disabled {
        /// The name.
        name: ExtensionName,
    },
    /// It failed again and again.
    #[error("`{name}` was put aside: {quarantine}")]
    Quarantined {
        /// The name.
        name: ExtensionName,
        /// How it failed.
        quarantine: Quarantine,
    },
    /// It would come without TLS, and others of its repository came with it.
    #[error("what came from `{repository}` came over TLS so far, and now would not")]
    Insecure {
        /// The repository.
        repository: Identity,
    },
    /// Whom the user trusts cannot be read.
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
        /// What the system said.
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
