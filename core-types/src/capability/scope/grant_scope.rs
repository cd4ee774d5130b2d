//! How far one grant reaches, whatever its capability.

use std::fmt;

use crate::capability::scope::exec_env::ExecEnv;
use crate::capability::scope::feature::{Feature, UnknownFeature};
use crate::capability::scope::granted_path::{GrantedPath, GrantedPathError};
use crate::capability::scope::names::{EnvName, ScopeError, SecretName};
use crate::capability::scope::network::{NetworkRule, NetworkRuleError};
use crate::capability::scope::pattern::{Pattern, PatternError};
use crate::capability::scope::resource_rule::{ResourceRule, ResourceRuleError};
use crate::capability::scope::storage_size::{StorageSize, StorageSizeError};
use crate::event::{EventPattern, EventPatternError};

/// How far the grants of a capability can reach, and how manifests have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeKind {
    /// As far as the capability does: `notification = true`.
    Whole,
    /// As far as the capability does, or to keys: `{ keys = ["greeting.*"] }`.
    Keys,
    /// To topics: `["greeting.*"]`.
    Topics,
    /// Up to a size: `true`, or `{ max_kib = 1024 }`.
    Size,
    /// To secrets, which belong to the place that the extension comes from: `["token"]`.
    Secrets,
    /// To variables of the session: `["LANG"]`.
    Variables,
    /// To hosts: `["api.example.com"]`.
    Hosts,
    /// To directories: `{ read = ["~/a"], write = ["~/b"] }`.
    Directories,
    /// To variables of a command: `["APP_*"]`.
    CommandVariables,
    /// To resources around a workload: `["v1/secrets:get"]`.
    Resources,
    /// To events: `["power.battery", "time.*"]`.
    Events,
    /// To features: `["wasi-0.3"]`.
    Features,
}

/// How far one grant reaches.
///
/// ```
/// use core_types::{Grant, Scope};
///
/// let grant: Grant = "filesystem=read:~/notes".parse()?;
/// let Scope::Read(path) = grant.scope() else { unreachable!("it is read") };
/// assert_eq!(path.host(), "~/notes");
/// # Ok::<(), core_types::GrantError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// As far as the capability does.
    Whole,
    /// To keys or topics.
    Pattern(Pattern),
    /// To a secret.
    Secret(SecretName),
    /// To a variable of the session.
    Variable(EnvName),
    /// Up to a size.
    Size(StorageSize),
    /// To a host.
    Host(NetworkRule),
    /// To a directory, to read in it.
    Read(GrantedPath),
    /// To a directory, to read and write in it.
    Write(GrantedPath),
    /// To variables of a command.
    CommandVariables(ExecEnv),
    /// To resources around a workload.
    Resources(ResourceRule),
    /// To events.
    Events(EventPattern),
    /// To a feature.
    Feature(Feature),
}

/// Why a text is not a scope of its capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeParseError {
    /// A directory without `read:` or `write:` in front.
    #[error("`{}` does not say whether to read or write: `filesystem=read:~/Documents`", text.escape_debug())]
    Access {
        /// The scope as given.
        text: String,
    },
    /// Not a pattern of keys or topics.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// Not a size.
    #[error(transparent)]
    Size(#[from] StorageSizeError),
    /// Not a host.
    #[error(transparent)]
    Network(#[from] NetworkRuleError),
    /// Not a rule for resources.
    #[error(transparent)]
    Resources(#[from] ResourceRuleError),
    /// Not a directory, or not a path for the guest.
    #[error(transparent)]
    Path(#[from] GrantedPathError),
    /// Not an event, and not a pattern of events.
    #[error(transparent)]
    Events(#[from] EventPatternError),
    /// Not a feature.
    #[error(transparent)]
    Feature(#[from] UnknownFeature),
    /// Not a name.
    #[error(transparent)]
    Name(#[from] ScopeError),
}

impl ScopeKind {
    /// Returns the scope of a grant that names none, where there can be one.
    pub(crate) fn unnamed(self) -> Option<Scope> {
        match self {
            Self::Whole | Self::Keys => Some(Scope::Whole),
            Self::Size => Some(Scope::Size(StorageSize::default())),
            _ => None,
        }
    }

    /// Parses what stands behind `CAPABILITY=`. Nothing where the capability cannot be narrowed.
    pub(crate) fn parse(self, text: &str) -> Result<Option<Scope>, ScopeParseError> {
        Ok(Some(match self {
            Self::Whole => return Ok(None),
            Self::Keys | Self::Topics => Scope::Pattern(text.parse()?),
            Self::Size => Scope::Size(text.parse()?),
            Self::Secrets => Scope::Secret(text.parse()?),
            Self::Variables => Scope::Variable(text.parse()?),
            Self::Hosts => Scope::Host(text.parse()?),
            Self::CommandVariables => Scope::CommandVariables(text.parse()?),
            Self::Resources => Scope::Resources(text.parse()?),
            Self::Events => Scope::Events(text.parse()?),
            Self::Features => Scope::Feature(text.parse()?),
            Self::Directories => match text.split_once(':') {
                Some(("read", path)) => Scope::Read(path.parse()?),
                Some(("write", path)) => Scope::Write(path.parse()?),
                _ => return Err(ScopeParseError::Access { text: text.to_owned() }),
            },
        }))
    }
}

impl Scope {
    /// Tells whether it covers a name of a configuration key or topic.
    pub(crate) fn covers_name(&self, name: &str) -> bool {
        match self {
            Self::Whole => true,
            Self::Pattern(pattern) => pattern.covers(name),
            _ => false,
        }
    }

    /// Tells whether everything within the other scope is within this one, under the paths that the
    /// guest has for directories.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Whole, _) => true,
            (Self::Pattern(own), Self::Pattern(other)) => own.covers_all(other),
            (Self::Host(own), Self::Host(other)) => own.covers(other),
            (Self::Size(own), Self::Size(other)) => own >= other,
            (Self::Read(own) | Self::Write(own), Self::Read(other))
            | (Self::Write(own), Self::Write(other)) => own.covers(other),
            (Self::CommandVariables(own), Self::CommandVariables(other)) => own.covers_all(other),
            (Self::Resources(own), Self::Resources(other)) => own.covers(other),
            (Self::Events(own), Self::Events(other)) => own.covers_all(other),
            _ => self == other,
        }
    }

    /// Tells whether everything within the other scope is within this one, under any path that the
    /// guest has for directories.
    pub(crate) fn reaches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Read(own) | Self::Write(own), Self::Read(other))
            | (Self::Write(own), Self::Write(other)) => own.reaches(other),
            _ => self.covers(other),
        }
    }

    /// Tells whether taking this away takes the other away: the whole takes all away, a directory
    /// without a path for the guest takes itself away under any, and the size that a grant has
    /// without one takes every size away.
    pub(crate) fn selects(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Whole, _) => true,
            (Self::Read(own), Self::Read(other)) | (Self::Write(own), Self::Write(other)) => {
                own.selects(other)
            }
            (Self::Size(own), Self::Size(_)) if own.is_default() => true,
            _ => self == other,
        }
    }

    /// Tells whether a grant of it is written without a scope.
    pub(crate) fn is_unnamed(&self) -> bool {
        matches!(self, Self::Whole) || matches!(self, Self::Size(size) if size.is_default())
    }

    /// Returns the list that it stands in within a table of the manifest, where there are such
    /// lists.
    pub(crate) fn list(&self) -> Option<&'static str> {
        match self {
            Self::Read(_) => Some("read"),
            Self::Write(_) => Some("write"),
            _ => None,
        }
    }
}

/// The scope as an entry of a list has it, without the name of the list; empty for the whole.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Pattern(pattern) => pattern.fmt(f),
            Self::Size(size) => size.fmt(f),
            Self::Secret(name) => name.fmt(f),
            Self::Variable(name) => name.fmt(f),
            Self::Host(rule) => rule.fmt(f),
            Self::Read(path) | Self::Write(path) => path.fmt(f),
            Self::CommandVariables(names) => names.fmt(f),
            Self::Resources(rule) => rule.fmt(f),
            Self::Events(pattern) => pattern.fmt(f),
            Self::Feature(feature) => feature.fmt(f),
        }
    }
}
