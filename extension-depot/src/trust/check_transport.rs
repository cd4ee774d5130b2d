//! Checks that TLS is not given up where it was used before.

use core_types::{Identity, OciReference};

use crate::files::state_file::StateFileError;
use crate::store::depot::Depot;
use crate::trust::signer_pin::PinnedSigner;

/// Something would come without TLS, and others of its repository came with it.
#[derive(Debug, thiserror::Error)]
#[error("`{repository}` was fetched over TLS before, and would not be now")]
pub struct InsecureTransport {
    /// The repository.
    pub repository: Identity,
}

/// Why something does not come the way that it would.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The first use of the repository cannot be read.
    #[error(transparent)]
    PinnedSigner(#[from] StateFileError),
    /// It would come without TLS.
    #[error(transparent)]
    Insecure(#[from] InsecureTransport),
}

impl Depot {
    /// Checks that something does not come without TLS after others of its repository came with it.
    ///
    /// # Errors
    /// [`TransportError::Insecure`] when it would.
    pub fn check_transport(
        &self,
        reference: &OciReference,
        is_secure: bool,
    ) -> Result<(), TransportError> {
        let repository = reference.identity();
        Ok(check_secure(self.first_use(&repository)?.as_ref(), &repository, is_secure)?)
    }
}

/// Refuses what came without TLS after others of its repository came with it.
pub(crate) fn check_secure(
    first: Option<&PinnedSigner>,
    repository: &Identity,
    is_secure: bool,
) -> Result<(), InsecureTransport> {
    match first {
        Some(first) if first.is_secure && !is_secure => {
            Err(InsecureTransport { repository: repository.clone() })
        }
        _ => Ok(()),
    }
}
