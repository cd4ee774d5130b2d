//! Code that is linked to everything that it imports.

use core_types::ExtensionName;
use extension_depot::Binary;
use extension_host::{Code, Host, HostError, Permissions, check_binary};

use super::error::ExamineError;
use crate::manager::Manager;

/// Compiled code, with the host that it was linked by.
pub(super) struct Linked {
    pub(super) host: Host,
    pub(super) code: Code,
    /// Why it could never start here.
    pub(super) refusal: Option<HostError>,
}

impl Linked {
    /// Compiles a binary and links it to everything that it imports. `bytes` are those of the file,
    /// which a compiler in another process reads.
    pub(super) fn new(
        manager: &Manager,
        name: &ExtensionName,
        binary: &Binary,
        bytes: &[u8],
    ) -> Result<Self, ExamineError> {
        let of_host = |source| ExamineError::of_host(name, source);
        check_binary(bytes).map_err(of_host)?;
        let host = Host::new().map_err(of_host)?;
        let code = manager.code(&host, binary)?;
        let refusal = host.extension_to_learn_from(&code, Permissions::default()).err();
        Ok(Self { host, code, refusal })
    }
}
