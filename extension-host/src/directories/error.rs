//! The reasons why a granted directory is not available.

use std::io;
use std::path::PathBuf;

use core_types::{GrantedPath, SameGuestPath};

/// Why a granted directory is not available.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is no home directory.
    #[error("`{path}` lies below the home directory, and there is none")]
    NoHome {
        /// The grant.
        path: GrantedPath,
    },
    /// It leads to a protected directory.
    #[error("`{path}` is, contains or lies in `{}`, which no extension gets", protected.display())]
    Protected {
        /// The grant.
        path: GrantedPath,
        /// The protected directory.
        protected: PathBuf,
    },
    /// It is reached through a link, which another program may have put there.
    #[error("`{path}` leads through a link to `{}`", real.display())]
    Link {
        /// The grant.
        path: GrantedPath,
        /// The target of the link.
        real: PathBuf,
    },
    /// It does not exist. Calls start without it.
    #[error("the directory `{}` does not exist", path.host())]
    Missing {
        /// The grant.
        path: GrantedPath,
    },
    /// Another one has the same path for the guest.
    #[error(transparent)]
    SameGuestPath(#[from] SameGuestPath),
    /// The kernel cannot open it without following links, and an emulator such as qemu 7.2 cannot either.
    #[error(
        "the directory `{path}` cannot be opened: `openat2` is missing, which Linux has since 5.6"
    )]
    NoOpenat2 {
        /// The grant.
        path: GrantedPath,
    },
    /// It cannot be opened as a directory.
    #[error("the directory `{path}` cannot be opened")]
    Open {
        /// The grant.
        path: GrantedPath,
        /// The error of the system.
        source: io::Error,
    },
}
