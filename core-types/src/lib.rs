//! The values of sesame, without I/O: names and sources of extensions, grants, limits and policies.
//! Every type here parses from text, prints the text that it was parsed from, and is valid by
//! construction.
//!
//! The crate builds for `wasm32-wasip2` as well, so that tools written as extensions can use it.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

mod activity;
mod capability;
mod command_lines;
mod documents;
mod error_kind;
pub mod event;
mod file_format;
mod limits;
mod permissions;
mod policy;
mod proxy_exceptions;
mod reference;
#[cfg(feature = "schema")]
mod schema;
mod session_bus;
mod storage;

pub use activity::{
    Activity, ActivityEvent, ActivityRecord, CallOutcome, CallRecord, Cause, ChangeKind,
    ChangeOutcome, ChangeRecord, Touch, TouchRecord,
};
pub use capability::{
    Capabilities, Capability, CapabilitySpec, EnvName, ExecEnv, Feature, Grant, GrantError,
    GrantedPath, GrantedPathError, NetworkRule, NetworkRuleError, Pattern, PatternError,
    RequestedCapabilities, RequestedGrant, ResourceKind, ResourceMethod, ResourceRule,
    ResourceRuleError, SameGuestPath, Scheme, Scope, ScopeError, ScopeKind, ScopeParseError,
    SecretName, StorageSize, StorageSizeError, UnknownCapability, UnknownFeature, Written,
};
pub use command_lines::{grant_command, shell_word};
pub use documents::{
    ApplicationId, ApplicationIdError, Config, ConfigError, ConfigSchema, DeclaredSetting,
    ExtensionEntry, ExtensionList, ExtensionSection, ListDefaults, Manifest, Parsed, Service,
    SettingError, SettingKind, TomlLeaf, TomlProblem, UnknownKey, joined_causes,
    parse_author_manifest, parse_toml, plain_message, toml_leaves, variable_name, with_causes,
};
pub use error_kind::ErrorKind;
pub use file_format::describe_format;
pub use limits::{
    Ceilings, EffectiveLimits, Limit, LimitName, LimitOrigin, LimitSpec, LimitValueError, Limits,
    Unit,
};
pub use permissions::{Owner, Permissions};
pub use policy::{
    Authority, BootTime, Decision, Document, IdentityRule, Period, PeriodError, Place, Policy,
    Preapproved, Refusal, RefusedBy, Request, RequiredSigner, Rule, SignerRule, SourceRefusal,
    TimedGrant, TimedGrants, Verdict, decide, denied_by_policy, grant_denied_by_policy,
};
pub use proxy_exceptions::ProxyExceptions;
pub use reference::{
    Digest, DigestError, ExtensionName, Identity, NameError, OciPrefix, OciQuery, OciReference,
    Provenance, ReferenceError, ReferenceProblem, canonical_registry, compare_tags,
    is_same_version, newer_tags, newest_tag, newest_tag_within, version_of_tag, without_brackets,
};
/// Wanted versions, as in `^1.2`, and versions that tags stand for.
pub use semver::{Version, VersionReq};
pub use session_bus::{BUS_NAME, BUS_OBJECT, SESSION_UNIT};
pub use storage::{MAX_STORED_VALUE, StorageKey, StorageKeyError, StoredValues, TooMuchStored};

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

/// Makes the array of one column of a table, while the program is compiled.
macro_rules! column {
    ($rows:ident, $field:ident) => {{
        let mut all = [$rows[0].$field; $rows.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = $rows[at].$field;
            at += 1;
        }
        all
    }};
}
pub(crate) use column;
