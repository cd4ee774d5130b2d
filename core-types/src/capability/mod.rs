//! The capabilities of extensions: the table of capabilities, grants of them, and the set that a
//! manifest has with the form in which it stands there. How far a grant reaches is in `scope`.

mod grant;
mod reader;
mod requested;
mod scope;
mod set;
mod spec;
mod writer;

pub use grant::{Grant, GrantError};
#[cfg(feature = "schema")]
pub(crate) use requested::MAX_REASON;
pub use requested::{RequestedCapabilities, RequestedGrant};
pub use scope::{
    EnvName, ExecEnv, Feature, GrantedPath, GrantedPathError, NetworkRule, NetworkRuleError,
    Pattern, PatternError, ResourceKind, ResourceMethod, ResourceRule, ResourceRuleError,
    SameGuestPath, Scheme, Scope, ScopeError, ScopeKind, ScopeParseError, SecretName, StorageSize,
    StorageSizeError, UnknownFeature,
};
pub use set::Capabilities;
pub use spec::{Capability, CapabilitySpec, UnknownCapability};
pub use writer::Written;

/// A grant in every form that one can have.
#[cfg(test)]
pub(crate) const EVERY_FORM: [&str; 21] = [
    "config-read",
    "config-read=greeting.*",
    "secret-read=a",
    "secret-write=a",
    "notification",
    "clipboard-write",
    "ipc-publish=a.*",
    "storage",
    "storage=1024KiB",
    "env=LANG",
    "network=*.example.org:8443",
    "filesystem=read:~/a",
    "filesystem=write:/b",
    "filesystem=read:~/notes::/notes",
    "exec-env=APP_MODE",
    "exec-env=APP_*",
    "resources=networking.k8s.io/v1/ingresses:get,create",
    "events=power.battery",
    "events=time.*",
    "events=custom.build.*",
    "experimental=wasi-0.3",
];
