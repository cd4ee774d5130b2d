//! The right to be the session service.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use private_files::{
    HeldLock, LockFailure, Sharing, acquire, create_durable_directory, open_to_change,
};

use crate::store::Depot;

/// The right to be the one session service of a user. The kernel takes it back when the process
/// ends, however it ends.
#[derive(Debug)]
pub struct SessionClaim {
    _held: HeldLock,
}

/// Why a process cannot be the session service.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another one is.
    #[error("the session service is already running")]
    Taken,
    /// The file of the lock cannot be used.
    #[error("cannot lock `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

impl Depot {
    /// Claims to be the session service. Waits at most this long for the end of another one.
    ///
    /// # Errors
    /// [`ClaimError::Taken`] when another process still is, and when the lock cannot be used.
    pub fn claim_session(&self, wait: Duration) -> Result<SessionClaim, ClaimError> {
        let path = self.places().session_claim();
        let io_error = |source| ClaimError::Io { path: path.clone(), source };
        path.parent().map_or(Ok(()), create_durable_directory).map_err(io_error)?;
        let file = open_to_change(&path).map_err(io_error)?;
        match acquire(file, Sharing::Exclusive, wait) {
            Ok(held) => Ok(SessionClaim { _held: held }),
            Err(LockFailure::Held) => Err(ClaimError::Taken),
            Err(failure) => Err(io_error(failure.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::ClaimError;
    use crate::{Depot, Places};

    /// One process is the service, until it ends.
    #[test]
    fn one_service_at_a_time() {
        let directory = tempfile::tempdir().expect("a directory");
        let depot = Depot::new(Places::below(directory.path()));
        let claim = || depot.claim_session(Duration::ZERO);
        let first = claim().expect("free");
        assert!(matches!(claim(), Err(ClaimError::Taken)));
        drop(first);
        claim().expect("free again");
    }
}
