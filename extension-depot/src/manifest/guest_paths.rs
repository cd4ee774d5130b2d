//! Checks the paths that an extension sees its directories under.

use std::path::Path;

use core_types::{Capabilities, ExtensionName, SameGuestPath};

/// The manifest would grant two directories under one path for the guest.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct GuestPathTaken {
    /// The extension.
    pub name: ExtensionName,
    /// The directories.
    pub problem: SameGuestPath,
}

/// Checks that a manifest can be read again: a manifest with one path for two directories cannot.
pub(crate) fn check_guest_paths(
    name: &ExtensionName,
    capabilities: &Capabilities,
) -> Result<(), GuestPathTaken> {
    let same = |problem| GuestPathTaken { name: name.clone(), problem };
    capabilities.check_guest_paths(Path::new("~")).map_err(same)
}
