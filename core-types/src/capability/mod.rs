//! What an extension may do: the capabilities, grants of them, and the set that a manifest has. How
//! far a grant reaches is in `scope`.

mod grant;
mod scope;
mod spec;

pub use grant::{Grant, GrantError};
pub use scope::{
    EnvName, ExecEnv, Feature, GrantedPath, GrantedPathError, NetworkRule, NetworkRuleError,
    Pattern, PatternError, ResourceKind, ResourceMethod, ResourceRule, ResourceRuleError,
    SameGuestPath, Scheme, ScopeError, SecretName, UnknownFeature, is_interpreted, is_public,
};
pub use spec::{Capabilities, Capability, ConfigRead, FilesystemGrant, UnknownCapability};
