//! The values of sesame, without I/O: what an extension is called, where it comes from, what it may
//! do and within which limits. Every type here parses from text, prints the text that it was parsed
//! from, and is valid by construction.
//!
//! The crate builds for `wasm32-wasip2` as well, so that tools written as extensions can use it.
#![forbid(unsafe_code)]

mod activity;
mod capability;
mod config;
mod config_schema;
mod decision;
mod digest;
mod error_kind;
mod exec_env;
mod extension_list;
mod feature;
mod file_format;
mod grant;
mod granted_path;
mod known_keys;
mod limits;
mod manifest;
mod name;
mod network;
mod pattern;
mod period;
mod permissions;
mod policy;
mod proxy_exceptions;
mod query;
mod reference;
mod registry_name;
mod resource_rule;
mod scope;
mod timed;
mod toml_text;
mod version;

pub use activity::{Activity, CallOutcome, CallRecord, Touch};
pub use capability::{Capabilities, Capability, ConfigRead, FilesystemGrant, UnknownCapability};
pub use config::{Config, ConfigError, variable_name};
pub use config_schema::{ConfigSchema, DeclaredSetting, SettingError, SettingKind};
pub use decision::{
    Authority, Decision, Document, Place, Request, Rule, Verdict, decide, denied_by_policy,
};
pub use digest::{Digest, DigestError};
pub use error_kind::ErrorKind;
pub use exec_env::{ExecEnv, is_interpreted};
pub use extension_list::{ExtensionEntry, ExtensionList, ListDefaults};
pub use feature::{Feature, UnknownFeature};
pub use file_format::describe_format;
pub use grant::{Grant, GrantError};
pub use granted_path::{GrantedPath, GrantedPathError, SameGuestPath};
pub use limits::{
    Ceilings, EffectiveLimits, Limit, LimitName, LimitOrigin, LimitValueError, Limits,
};
pub use manifest::{ExtensionSection, Manifest};
pub use name::{ExtensionName, NameError};
pub use network::{NetworkRule, NetworkRuleError, Scheme, is_public};
pub use pattern::{Pattern, PatternError};
pub use period::{Period, PeriodError};
pub use permissions::{Owner, Permissions};
pub use policy::{IdentityRule, Policy, Preapproved, RequiredSigner, SignerRule, SourceRefusal};
pub use proxy_exceptions::ProxyExceptions;
pub use query::{OciPrefix, OciQuery};
pub use reference::{Identity, OciReference, Provenance, ReferenceError, ReferenceProblem};
pub use registry_name::canonical_registry;
pub use resource_rule::{ResourceKind, ResourceMethod, ResourceRule, ResourceRuleError};
pub use scope::{EnvName, ScopeError, SecretName};
/// What versions are wanted, as in `^1.2`, and what a tag can stand for.
pub use semver::{Version, VersionReq};
pub use timed::{BootTime, TimedGrant, TimedGrants};
pub use toml_text::{Parsed, TomlLeaf, TomlProblem, UnknownKey, parse_toml, toml_leaves};
pub use version::{
    compare_tags, is_same_version, newer_tags, newest_tag, newest_tag_within, version_of_tag,
};

/// Gives a type that parses and prints text the same form in TOML and JSON: one string.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;
