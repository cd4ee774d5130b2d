//! What the author of an installed extension says in its binary. The binary is not hashed for it:
//! whatever it says grants nothing.

use core_types::{Capability, RequestedGrant};
use extension_depot::Installed;
use extension_host::{
    DeclaredEvents, custom_sections, declared_events, optional_for_author, requested_by_author,
};
use private_files::open_regular;

/// Returns the capabilities that an extension starts without.
pub fn starts_without(installed: &Installed) -> Vec<Capability> {
    optional_for_author(&sections(installed)).unwrap_or_default()
}

/// Returns the requests of the author of an installed extension; none for a damaged binary.
pub fn requested_by(installed: &Installed) -> Vec<RequestedGrant> {
    requested_by_author(&sections(installed)).unwrap_or_default()
}

/// Returns what the author of an installed extension says about events; nothing for a damaged
/// binary.
pub fn declared_by(installed: &Installed) -> DeclaredEvents {
    declared_events(&sections(installed)).unwrap_or_default()
}

fn sections(installed: &Installed) -> Vec<u8> {
    open_regular(&installed.binary().path)
        .and_then(|(file, _)| custom_sections(file))
        .unwrap_or_default()
}
