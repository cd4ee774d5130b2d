//! The owner of secrets, grants and trust.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::reference::name::ExtensionName;
use crate::reference::registry_name::EMBEDDED;

/// The publisher of an extension: `registry/principal/scope`, or `registry/scope` where the
/// principal is empty, without revision.
///
/// No two repositories have the same identity: neither a registry nor a path component has a `/` in
/// it. Secrets, grants and trust belong to the identity and not to the short name, so that two
/// sources with one short name never meet. The registry is in its one form
/// ([`canonical_registry`](crate::canonical_registry)), so that another spelling is not another source.
///
/// Without a registry to vouch for it, an extension is its bytes: the identity of a file, a layout
/// or an entry of a bundle ends with the digest, as in `local/file/weather@sha256:…`, so that
/// another file of the same name is another extension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(pub(super) String);

impl Identity {
    /// Makes the identity of an extension that a program brings by itself. It differs from that of
    /// every reference.
    pub fn embedded(name: &ExtensionName) -> Self {
        Self(format!("{EMBEDDED}/{name}"))
    }

    /// Returns the identity as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
