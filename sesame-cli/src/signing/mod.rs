//! Keys and signers as the command line names them: secret keys to sign with, and signers whose
//! signatures can be verified.

mod secret_key;
mod signer;

pub use secret_key::secret_key;
pub use signer::proof;
