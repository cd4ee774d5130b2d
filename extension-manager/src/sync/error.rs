//! Why nothing is brought into line, or one extension is not.

use std::io;
use std::path::PathBuf;

use core_types::{OciReference, TomlProblem};
use extension_depot::{
    ChangeCapabilitiesError, CheckNameError, FileError, ManifestError, PolicyCheckError,
    PruneError, StoredFileError,
};
use extension_host::IntoCacheError;

use crate::install::InstallError;

/// Why nothing is brought into line.
#[derive(Debug, thiserror::Error)]
#[expect(clippy::large_enum_variant, reason = "it is made once in a command")]
pub enum SyncError {
    /// The manifests cannot be listed, or bytes cannot be restored.
    #[error(transparent)]
    Files(FileError),
    /// The list cannot be fetched, or is refused, or its record cannot be read or written.
    #[error(transparent)]
    Install(Box<InstallError>),
    /// The records of other lists cannot be read.
    #[error(transparent)]
    Lists(#[from] StoredFileError),
    /// The list is a file that cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system error.
        source: io::Error,
    },
    /// The list cannot be understood.
    #[error("the list `{place}` is wrong: {problem}")]
    Content {
        /// The list.
        place: String,
        /// The problem, with its place.
        problem: TomlProblem,
    },
    /// The tag of the list led to other bytes when it was followed last.
    #[error("the tag `{}` of the list has moved since it was followed", list.revision())]
    ListMoved {
        /// The list.
        list: OciReference,
        /// The digest at the last run.
        followed: OciReference,
        /// The digest now.
        found: OciReference,
        /// Whether only pinned lists are accepted.
        is_locked: bool,
    },
    /// The list is named by a tag, and only pinned lists are accepted.
    #[error("the list is not pinned to a digest, and was never followed here")]
    ListUnpinned {
        /// The digest now.
        found: OciReference,
    },
}

impl<E: Into<InstallError>> From<E> for SyncError {
    fn from(error: E) -> Self {
        Self::Install(Box::new(error.into()))
    }
}

/// Why one extension is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum StepProblem {
    /// It cannot be installed or changed.
    #[error(transparent)]
    Install(Box<InstallError>),
    /// Its manifest cannot be used.
    #[error(transparent)]
    Manifest(ManifestError),
    /// The name belongs to an extension from elsewhere.
    #[error(transparent)]
    Name(#[from] CheckNameError),
    /// Policies do not let it be called.
    #[error(transparent)]
    Policies(#[from] PolicyCheckError),
    /// Its capabilities cannot be changed.
    #[error(transparent)]
    Capabilities(#[from] ChangeCapabilitiesError),
    /// It cannot be removed.
    #[error(transparent)]
    Prune(#[from] PruneError),
    /// It does not compile.
    #[error(transparent)]
    Compile(IntoCacheError),
    /// Its manifest does not say where it comes from.
    #[error("its manifest has no `oci` to install from")]
    NoReference,
    /// The name was planned for another source, and the list names it. A list cannot use grants
    /// that were planned for a name.
    #[error("its manifest has no `oci`, and a list does not say whose it is")]
    NotOfList,
    /// Only pinned entries are accepted.
    #[error("its manifest is not pinned to a digest")]
    Unpinned,
    /// No registry has it.
    #[error("it came from a file: install it from its file once more")]
    FromFile,
    /// It came from the list, which does not have it any more.
    #[error("it is not on the list any more; `--prune` removes it")]
    LeftOver,
}

impl<E: Into<InstallError>> From<E> for StepProblem {
    fn from(error: E) -> Self {
        Self::Install(Box::new(error.into()))
    }
}
