//! Failures of the files that sesame keeps: manifests, locks, lists of signers, bundles.

use std::io;

use core_types::ErrorKind;
use extension_depot::{
    ActivityError, BundleError, ConfigFileError, LockError, ManifestError, PlaceError,
    PolicyRefusal, TimedGrantsError, TrustError, VerifierError,
};
use extension_manager::environment::NoPlaces;

use super::depot::{manifest_hint, timed_hint};
use super::help::{Explain, Help, explain};

explain! { io::Error: Local, ActivityError: Local, ConfigFileError: Local }

/// The hint for a file system without locks.
pub const LOCKS_HINT: &str =
    "keep `XDG_CONFIG_HOME` and `XDG_STATE_HOME` on a file system with locks, such as a local disk";

impl Explain for VerifierError {
    fn help(&self) -> Help {
        Help::new(match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::Read { .. } => ErrorKind::Local,
            _ => ErrorKind::Usage,
        })
    }
}

impl Explain for PlaceError {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Local).with_hint("sesame doctor")
    }
}

impl Explain for NoPlaces {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Local).with_hint("set HOME to the absolute path of a directory")
    }
}

impl Explain for TrustError {
    fn help(&self) -> Help {
        let help = Help::new(ErrorKind::Local);
        match self {
            TrustError::Content { path, .. }
            | TrustError::NoKey { path }
            | TrustError::Means { path, .. } => {
                help.with_hint(format!("fix `{}` in an editor", path.display()))
            }
            TrustError::Io { .. } => help,
        }
    }
}

impl Explain for PolicyRefusal {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Refused)
            .with_hint(format!("the policy is `{}`", self.policy.display()))
    }
}

impl Explain for TimedGrantsError {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Local).with_hints(timed_hint(self))
    }
}

impl Explain for LockError {
    fn help(&self) -> Help {
        let help = Help::new(ErrorKind::Local);
        match self {
            LockError::Io { source, .. } if source.kind() == io::ErrorKind::Unsupported => {
                help.with_hint(LOCKS_HINT)
            }
            LockError::Busy { holder: Some(pid) } => {
                help.with_hint(format!("see what it does: ps -p {pid}"))
            }
            _ => help,
        }
    }
}

impl Explain for BundleError {
    fn help(&self) -> Help {
        let help = Help::new(ErrorKind::Local);
        match self {
            BundleError::Blob { name, .. } => {
                help.with_hint(format!("sesame extension verify --repair {name}"))
            }
            BundleError::Exists { .. } => help.with_hint("replace it: add `--force`"),
            BundleError::Write { .. } => help,
        }
    }
}

impl Explain for ManifestError {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Local).with_hint(manifest_hint(self))
    }
}
