//! The WebAssembly files of an author.

use std::path::Path;

use extension_depot::{MAX_BLOB, read_regular};

use crate::failure::Failure;

/// Reads the bytes of a component or module in a file.
pub fn read_binary(path: &Path) -> Result<Vec<u8>, Failure> {
    read_regular(path, MAX_BLOB).map_err(|error| Failure::unreadable(path, error))
}
