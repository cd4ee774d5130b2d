//! Uploads to a registry: artifacts, their referrers, and signatures.
//!
//! Uploads begin with the blobs and end with the manifest. The result is checked afterwards,
//! whatever the registry answered.

pub(crate) mod kept;
mod publish;
mod sign;
pub(crate) mod upload;

pub use publish::Published;
pub use sign::SignatureForm;
pub use upload::PushError;
