//! Why something is not installed.

use std::io;

use core_types::{
    Digest, ExtensionName, Identity, NameError, OciQuery, ReferenceError, VersionReq,
};
use extension_depot::registry::{DownloadError, RegistryError};
use extension_depot::{
    BasisError, ChangeTimedGrantsError, ChangeTrustError, ChangedMeanwhile, CommitError, FileError,
    GrantInstalledError, InstalledError, LockError, ManifestError, OtherSource, PolicyRefusal,
    RepairError, RestoreError, SignerError, Source, SourceError, StateFileError, TimedGrantsError,
    TransportError, TrustError,
};
use extension_host::DirectoryError;

use crate::consent::{Denied, ProposedChange};
use crate::examination::ExamineError;
use crate::rules::{Downgrade, ReplacedByRegistry, SourceForm, TagMoved};
use crate::trust::EvidenceError;

/// The reason why an install failed. The installed state has not changed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Another process holds the lock of all changes.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The state that the decision is based on cannot be read.
    #[error(transparent)]
    Basis(#[from] BasisError),
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Something that sesame remembers cannot be read.
    #[error(transparent)]
    State(#[from] StateFileError),
    /// The installed extension cannot be read.
    #[error(transparent)]
    Installed(#[from] InstalledError),
    /// The name belongs to an extension from elsewhere.
    #[error(transparent)]
    OtherSource(#[from] OtherSource),
    /// It would come without TLS.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Its signature is not accepted.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// Another process changed the basis of the decision.
    #[error(transparent)]
    Changed(#[from] ChangedMeanwhile),
    /// It cannot be put into place.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A generation cannot be put into place.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// Its bytes cannot be put back into place.
    #[error(transparent)]
    Repair(#[from] RepairError),
    /// The index of blobs cannot be written.
    #[error(transparent)]
    Layout(#[from] FileError),
    /// What is installed already cannot be granted more.
    #[error(transparent)]
    Grant(#[from] GrantInstalledError),
    /// The grants of this session cannot be read.
    #[error(transparent)]
    TimedGrants(#[from] TimedGrantsError),
    /// It cannot be granted something for this session. It is installed.
    #[error(transparent)]
    SessionGrants(#[from] ChangeTimedGrantsError),
    /// A policy does not let it come from there.
    #[error(transparent)]
    Policy(#[from] PolicyRefusal),
    /// The source cannot be used in this form.
    #[error(transparent)]
    Form(Box<SourceForm>),
    /// The source gives no name.
    #[error(transparent)]
    NoName(NameError),
    /// The source cannot be read.
    #[error(transparent)]
    Source(Box<SourceError>),
    /// The registry does not give it.
    #[error(transparent)]
    Registry(Box<RegistryError>),
    /// The web server does not give it.
    #[error(transparent)]
    Download(Box<DownloadError>),
    /// This machine cannot wait for a network.
    #[error(transparent)]
    Runtime(io::Error),
    /// It cannot be referred to.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The registry has a tag that cannot be referred to.
    #[error(transparent)]
    Tag(ReferenceError),
    /// A range of versions was given for one thing.
    #[error("`--version` selects a tag of a repository, and `{origin}` already names one version")]
    VersionOfOneThing {
        /// The source.
        origin: Source,
    },
    /// No tag of a repository is a version, or none is in the range.
    #[error("`{repository}` has no version{}", within(wanted.as_ref()))]
    NoVersion {
        /// The repository.
        repository: Box<OciQuery>,
        /// The range.
        wanted: Option<VersionReq>,
        /// Its tags.
        tags: Vec<String>,
    },
    /// The tag leads to other bytes than when the extension was installed.
    #[error(transparent)]
    TagMoved(Box<TagMoved>),
    /// It is older than the installed version.
    #[error(transparent)]
    Downgrade(Box<Downgrade>),
    /// An extension from a registry cannot replace another by name.
    #[error(transparent)]
    ReplacedByRegistry(Box<ReplacedByRegistry>),
    /// The name belongs to other local bytes, and a replacement was not requested.
    #[error("`{name}` is the name of other bytes, which are installed as `{installed}`")]
    OtherFile {
        /// The extension.
        name: ExtensionName,
        /// The owner of the name.
        installed: Identity,
        /// The new artifact.
        origin: Box<Source>,
        /// The digest that was given for it.
        sha256: Option<Digest>,
    },
    /// The person declined the replacement.
    #[error("`{name}` is not replaced")]
    NotReplaced {
        /// The extension.
        name: ExtensionName,
    },
    /// The trusted signers cannot be read.
    #[error(transparent)]
    Trust(Box<TrustError>),
    /// The signer that the user named is not trusted from now on. It is installed.
    #[error(transparent)]
    TrustSigner(#[from] ChangeTrustError),
    /// It could never start here.
    #[error(transparent)]
    Examine(#[from] ExamineError),
    /// A directory that is granted cannot be had.
    #[error("cannot grant a directory to `{name}`")]
    Directory {
        /// The extension.
        name: ExtensionName,
        /// The problem.
        source: Box<DirectoryError>,
    },
    /// A person declined the requests.
    #[error("`{name}` {}", declined(change))]
    Declined {
        /// The extension.
        name: ExtensionName,
        /// The proposed change.
        change: ProposedChange,
    },
    /// A person declined a required permission, so that it could not work.
    #[error("`{name}` needs {}, and is not installed without", named(missing))]
    NotAllowed {
        /// The extension.
        name: ExtensionName,
        /// The declined permissions.
        missing: Vec<Denied>,
    },
    /// It asks for more than the installed version, which stays.
    #[error("`{name}` {to} requests more than the installed version, which stays")]
    AsksForMore {
        /// The extension.
        name: ExtensionName,
        /// The newer version.
        to: String,
        /// The ungranted requests.
        missing: Vec<Denied>,
    },
}

fn declined(change: &ProposedChange) -> &'static str {
    match change {
        ProposedChange::New => "is not installed",
        ProposedChange::Over(_) | ProposedChange::Update(_) => {
            "is not updated; the installed version stays"
        }
        ProposedChange::RollBack { .. } => "is not rolled back",
    }
}

fn named(missing: &[Denied]) -> String {
    let names: Vec<_> = missing.iter().map(|denied| format!("`{}`", denied.request())).collect();
    names.join(" and ")
}

fn within(wanted: Option<&VersionReq>) -> String {
    wanted.map(|wanted| format!(" in `{wanted}`")).unwrap_or_default()
}

impl InstallError {
    /// Returns whether another process changed the basis of a commit.
    pub(crate) fn is_change(&self) -> bool {
        matches!(
            self,
            Self::Changed(_)
                | Self::Commit(CommitError::Changed(_))
                | Self::Restore(RestoreError::Changed(_))
        )
    }
}

impl From<RegistryError> for InstallError {
    fn from(error: RegistryError) -> Self {
        Self::Registry(Box::new(error))
    }
}

impl From<DownloadError> for InstallError {
    fn from(error: DownloadError) -> Self {
        Self::Download(Box::new(error))
    }
}

impl From<SourceError> for InstallError {
    fn from(error: SourceError) -> Self {
        Self::Source(Box::new(error))
    }
}

impl From<SourceForm> for InstallError {
    fn from(error: SourceForm) -> Self {
        Self::Form(Box::new(error))
    }
}

impl From<TagMoved> for InstallError {
    fn from(error: TagMoved) -> Self {
        Self::TagMoved(Box::new(error))
    }
}

impl From<Downgrade> for InstallError {
    fn from(error: Downgrade) -> Self {
        Self::Downgrade(Box::new(error))
    }
}

impl From<ReplacedByRegistry> for InstallError {
    fn from(error: ReplacedByRegistry) -> Self {
        Self::ReplacedByRegistry(Box::new(error))
    }
}

impl From<EvidenceError> for InstallError {
    fn from(error: EvidenceError) -> Self {
        match error {
            EvidenceError::Trust(error) => Self::Trust(Box::new(error)),
            EvidenceError::Runtime(error) => Self::Runtime(error),
        }
    }
}
