//! Archives from untrusted hands: the binary in a packed layer, and pages of documentation.
//!
//! They are read entry by entry and never unpacked to disk as they are. Which kinds of entries and
//! which paths are taken is decided in one place, and sizes are bounded in every direction.

pub(crate) mod docs;
pub(crate) mod empty_layer;
pub(crate) mod entry;
pub(crate) mod file_kind;
pub(crate) mod unpack;
pub(crate) mod zstd;

pub use docs::{Docs, DocsError, Page};
pub use unpack::UnpackError;
