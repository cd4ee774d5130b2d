//! Signatures as they are found, before anything is verified.

use crate::trust::signature::keyless::SignedByCertificate;

/// Something that is there for a signature.
pub(crate) enum Found {
    /// A signature by a key over a message that says the right things about the artifact.
    ByKey(Signature),
    /// A signature by certificate over such a message.
    ByCertificate(Box<SignedByCertificate>),
    /// Something that should be one, and is broken or speaks of something else.
    Unusable,
    /// A form that is not checked.
    Unsupported(String),
}

/// A signature before any key has been tried.
pub(crate) struct Signature {
    /// The signed bytes.
    pub(crate) message: Vec<u8>,
    /// The signature itself.
    pub(crate) signature: Vec<u8>,
    /// Its claim about the key.
    pub(crate) hint: Option<String>,
}
