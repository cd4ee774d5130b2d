//! What is sent to a registry: artifacts, what refers to them, and signatures.
//!
//! Uploads begin with the blobs and end with the manifest. Whether the registry has what it was
//! sent is looked at, not believed.

pub(crate) mod kept;
mod publish;
mod sign;
pub(crate) mod upload;

pub use publish::Published;
pub use sign::SignatureForm;
pub use upload::PushError;
