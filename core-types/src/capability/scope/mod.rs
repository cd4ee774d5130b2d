//! How far a grant reaches: names, patterns, hosts, directories, sizes and resources, each with its text
//! and its rule of coverage.

mod exec_env;
mod feature;
mod grant_scope;
mod granted_path;
mod names;
mod network;
mod pattern;
mod resource_rule;
mod storage_size;

pub use exec_env::ExecEnv;
pub use feature::{Feature, UnknownFeature};
pub use grant_scope::{Scope, ScopeKind, ScopeParseError};
pub(crate) use granted_path::check_guest_paths;
pub use granted_path::{GrantedPath, GrantedPathError, SameGuestPath};
pub use names::{EnvName, ScopeError, SecretName};
pub use network::{NetworkRule, NetworkRuleError, Scheme};
pub use pattern::{Pattern, PatternError};
pub use resource_rule::{ResourceKind, ResourceMethod, ResourceRule, ResourceRuleError};
pub use storage_size::{StorageSize, StorageSizeError};
