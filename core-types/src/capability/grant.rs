//! One permission at a time, as people write it: `CAPABILITY[=SCOPE]`.

use std::fmt;
use std::str::FromStr;

use crate::capability::scope::{
    EnvName, ExecEnv, Feature, GrantedPath, GrantedPathError, NetworkRule, NetworkRuleError,
    Pattern, PatternError, ResourceRule, ResourceRuleError, ScopeError, SecretName, UnknownFeature,
};
use crate::capability::spec::{Capabilities, Capability, ConfigRead, UnknownCapability};
use crate::serde_as_text;

/// One permission: a capability with the scope that it needs.
///
/// ```
/// # use core_types::{Capabilities, Grant};
/// let mut capabilities = Capabilities::default();
/// let grant: Grant = "network=api.example.com".parse()?;
/// assert!(capabilities.add(&grant) && capabilities.covers(&grant));
/// # Ok::<(), core_types::GrantError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grant {
    /// `config-read`, or `config-read=greeting.*` for a part.
    ConfigRead(Option<Pattern>),
    /// `secret-read=NAME`
    SecretRead(SecretName),
    /// `secret-write=NAME`
    SecretWrite(SecretName),
    /// `notification`
    Notification,
    /// `clipboard-write`
    ClipboardWrite,
    /// `ipc-publish=TOPIC`
    IpcPublish(Pattern),
    /// `env=NAME`
    Env(EnvName),
    /// `network=HOST`
    Network(NetworkRule),
    /// `filesystem=read:PATH`, or `filesystem=read:PATH::GUEST` with the path that the guest finds
    /// it under.
    FilesystemRead(GrantedPath),
    /// `filesystem=write:PATH`, which includes reading.
    FilesystemWrite(GrantedPath),
    /// `exec-env=NAME`, or `exec-env=APP_*` for several.
    ExecEnv(ExecEnv),
    /// `resources=GROUP/VERSION/RESOURCES:METHOD,...`
    Resources(ResourceRule),
    /// `experimental=FEATURE`
    Experimental(Feature),
}

/// Why a text is no grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// There is no such capability.
    #[error(transparent)]
    Capability(#[from] UnknownCapability),
    /// The capability must say how far it reaches.
    #[error("`{capability}` must say how far it reaches: `{}`", example(*.capability))]
    ScopeMissing {
        /// The capability.
        capability: Capability,
    },
    /// What stands in the place of a scope is a word of the documentation.
    #[error("`{}` stands for how far `{capability}` reaches: write it, as in `{}`", text.escape_debug(), example(*.capability))]
    Placeholder {
        /// The capability.
        capability: Capability,
        /// The scope as given.
        text: String,
    },
    /// The capability cannot be narrowed.
    #[error("`{capability}` takes no scope")]
    ScopeUnknown {
        /// The capability.
        capability: Capability,
    },
    /// The scope of `filesystem` does not say whether to read or write.
    #[error("`{}` does not say whether to read or write: `{}`", text.escape_debug(), example(Capability::Filesystem))]
    Access {
        /// The scope as given.
        text: String,
    },
    /// The scope is no pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The scope names no host.
    #[error(transparent)]
    Network(#[from] NetworkRuleError),
    /// The scope names no resources.
    #[error(transparent)]
    Resources(#[from] ResourceRuleError),
    /// The scope is not a directory, or not a path for the guest.
    #[error(transparent)]
    Path(#[from] GrantedPathError),
    /// The scope is not a feature.
    #[error(transparent)]
    Feature(#[from] UnknownFeature),
    /// The scope is no name.
    #[error(transparent)]
    Scope(#[from] ScopeError),
}

/// How a grant of the capability is written.
fn example(capability: Capability) -> &'static str {
    match capability {
        Capability::ConfigRead => "config-read=greeting.*",
        Capability::SecretRead => "secret-read=github-token",
        Capability::SecretWrite => "secret-write=github-token",
        Capability::Notification => "notification",
        Capability::ClipboardWrite => "clipboard-write",
        Capability::IpcPublish => "ipc-publish=greeting.*",
        Capability::Env => "env=LANG",
        Capability::Network => "network=api.example.com",
        Capability::Filesystem => "filesystem=read:~/Documents",
        Capability::ExecEnv => "exec-env=APP_MODE",
        Capability::Resources => "resources=networking.k8s.io/v1/ingresses:get,create",
        Capability::Experimental => "experimental=wasi-0.3",
    }
}

/// Whether a scope is one that documentation and hints have where a reader puts their own. A
/// variable that is called `SCOPE` can be granted in a manifest.
fn is_placeholder(scope: &str) -> bool {
    let word = scope.rsplit(':').next().unwrap_or(scope);
    ["SCOPE", "DIRECTORY", "..."].contains(&word) || (word.starts_with('<') && word.ends_with('>'))
}

impl Grant {
    /// Returns how a grant of the capability is written, for hints where nothing says how far it
    /// has to reach.
    pub fn example(capability: Capability) -> &'static str {
        example(capability)
    }

    /// The capability that this is a part of.
    pub fn capability(&self) -> Capability {
        match self {
            Self::ConfigRead(_) => Capability::ConfigRead,
            Self::SecretRead(_) => Capability::SecretRead,
            Self::SecretWrite(_) => Capability::SecretWrite,
            Self::Notification => Capability::Notification,
            Self::ClipboardWrite => Capability::ClipboardWrite,
            Self::IpcPublish(_) => Capability::IpcPublish,
            Self::Env(_) => Capability::Env,
            Self::Network(_) => Capability::Network,
            Self::FilesystemRead(_) | Self::FilesystemWrite(_) => Capability::Filesystem,
            Self::ExecEnv(_) => Capability::ExecEnv,
            Self::Resources(_) => Capability::Resources,
            Self::Experimental(_) => Capability::Experimental,
        }
    }

    /// The grant of a capability that needs no scope.
    ///
    /// # Errors
    /// When it does need one.
    pub fn unscoped(capability: Capability) -> Result<Self, GrantError> {
        match capability {
            Capability::ConfigRead => Ok(Self::ConfigRead(None)),
            Capability::Notification => Ok(Self::Notification),
            Capability::ClipboardWrite => Ok(Self::ClipboardWrite),
            _ => Err(GrantError::ScopeMissing { capability }),
        }
    }

    /// Whether taking this away takes the other away: the same, or for a directory without a path
    /// for the guest, any.
    pub fn selects(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::FilesystemRead(path), Self::FilesystemRead(other))
            | (Self::FilesystemWrite(path), Self::FilesystemWrite(other)) => path.selects(other),
            _ => self == other,
        }
    }

    fn scoped(capability: Capability, scope: &str) -> Result<Self, GrantError> {
        if is_placeholder(scope) {
            return Err(GrantError::Placeholder { capability, text: scope.to_owned() });
        }
        Ok(match capability {
            Capability::ConfigRead => Self::ConfigRead(Some(scope.parse()?)),
            Capability::SecretRead => Self::SecretRead(scope.parse()?),
            Capability::SecretWrite => Self::SecretWrite(scope.parse()?),
            Capability::IpcPublish => Self::IpcPublish(scope.parse()?),
            Capability::Env => Self::Env(scope.parse()?),
            Capability::ExecEnv => Self::ExecEnv(scope.parse()?),
            Capability::Resources => Self::Resources(scope.parse()?),
            Capability::Experimental => Self::Experimental(scope.parse()?),
            Capability::Network => Self::Network(scope.parse()?),
            Capability::Filesystem => match scope.split_once(':') {
                Some(("read", path)) => Self::FilesystemRead(path.parse()?),
                Some(("write", path)) => Self::FilesystemWrite(path.parse()?),
                _ => return Err(GrantError::Access { text: scope.to_owned() }),
            },
            Capability::Notification | Capability::ClipboardWrite => {
                return Err(GrantError::ScopeUnknown { capability });
            }
        })
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        match text.split_once('=') {
            None => Self::unscoped(text.parse()?),
            Some((capability, scope)) => Self::scoped(capability.parse()?, scope),
        }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.capability().name())?;
        match self {
            Self::ConfigRead(None) | Self::Notification | Self::ClipboardWrite => Ok(()),
            Self::ConfigRead(Some(pattern)) | Self::IpcPublish(pattern) => write!(f, "={pattern}"),
            Self::SecretRead(name) | Self::SecretWrite(name) => write!(f, "={name}"),
            Self::Env(name) => write!(f, "={name}"),
            Self::Network(rule) => write!(f, "={rule}"),
            Self::FilesystemRead(path) => write!(f, "=read:{path}"),
            Self::FilesystemWrite(path) => write!(f, "=write:{path}"),
            Self::ExecEnv(names) => write!(f, "={names}"),
            Self::Resources(rule) => write!(f, "={rule}"),
            Self::Experimental(feature) => write!(f, "={feature}"),
        }
    }
}

serde_as_text!(Grant);

impl Capabilities {
    /// Whether the permission is there already, by itself or as a part of a wider one.
    pub fn covers(&self, grant: &Grant) -> bool {
        match (grant, &self.config_read) {
            (Grant::ConfigRead(_), ConfigRead::All) => true,
            (Grant::ConfigRead(Some(pattern)), ConfigRead::Keys(keys)) => {
                keys.iter().any(|key| key.covers_all(pattern))
            }
            (Grant::ConfigRead(_), _) => false,
            (Grant::SecretRead(name), _) => self.secret_read.contains(name),
            (Grant::SecretWrite(name), _) => self.secret_write.contains(name),
            (Grant::Notification, _) => self.notification,
            (Grant::ClipboardWrite, _) => self.clipboard_write,
            (Grant::IpcPublish(topic), _) => {
                self.ipc_publish.iter().any(|pattern| pattern.covers_all(topic))
            }
            (Grant::Env(name), _) => self.env.contains(name),
            (Grant::Network(rule), _) => self.network.iter().any(|granted| granted.covers(rule)),
            (Grant::FilesystemRead(path), _) => self.filesystem.covers(path, false),
            (Grant::FilesystemWrite(path), _) => self.filesystem.covers(path, true),
            (Grant::ExecEnv(names), _) => {
                self.exec_env.iter().any(|granted| granted.covers_all(names))
            }
            (Grant::Resources(rule), _) => {
                self.resources.iter().any(|granted| granted.covers(rule))
            }
            (Grant::Experimental(feature), _) => self.experimental.contains(feature),
        }
    }

    /// Whether nothing more is within reach by this permission than already is: a directory under
    /// another path for the guest is still the same directory.
    pub fn reaches(&self, grant: &Grant) -> bool {
        match grant {
            Grant::FilesystemRead(path) => self.filesystem.reaches(path, false),
            Grant::FilesystemWrite(path) => self.filesystem.reaches(path, true),
            other => self.covers(other),
        }
    }

    /// Every permission that is there, one by one, in the order of the documentation.
    pub fn grants_in_full(&self) -> Vec<Grant> {
        let mut grants = Vec::new();
        match &self.config_read {
            ConfigRead::Denied => {}
            ConfigRead::All => grants.push(Grant::ConfigRead(None)),
            ConfigRead::Keys(keys) => {
                grants.extend(keys.iter().cloned().map(|key| Grant::ConfigRead(Some(key))))
            }
        }
        grants.extend(self.secret_read.iter().cloned().map(Grant::SecretRead));
        grants.extend(self.secret_write.iter().cloned().map(Grant::SecretWrite));
        grants.extend(self.notification.then_some(Grant::Notification));
        grants.extend(self.clipboard_write.then_some(Grant::ClipboardWrite));
        grants.extend(self.ipc_publish.iter().cloned().map(Grant::IpcPublish));
        grants.extend(self.env.iter().cloned().map(Grant::Env));
        grants.extend(self.network.iter().cloned().map(Grant::Network));
        grants.extend(self.filesystem.read.iter().cloned().map(Grant::FilesystemRead));
        grants.extend(self.filesystem.write.iter().cloned().map(Grant::FilesystemWrite));
        grants.extend(self.exec_env.iter().cloned().map(Grant::ExecEnv));
        grants.extend(self.resources.iter().cloned().map(Grant::Resources));
        grants.extend(self.experimental.iter().copied().map(Grant::Experimental));
        grants
    }

    /// Adds a permission. Gives back whether that changed anything.
    pub fn add(&mut self, grant: &Grant) -> bool {
        if self.covers(grant) {
            return false;
        }
        match grant {
            Grant::ConfigRead(None) => self.config_read = ConfigRead::All,
            Grant::ConfigRead(Some(pattern)) => match &mut self.config_read {
                ConfigRead::Keys(keys) => keys.push(pattern.clone()),
                other => *other = ConfigRead::Keys(vec![pattern.clone()]),
            },
            Grant::SecretRead(name) => self.secret_read.push(name.clone()),
            Grant::SecretWrite(name) => self.secret_write.push(name.clone()),
            Grant::Notification => self.notification = true,
            Grant::ClipboardWrite => self.clipboard_write = true,
            Grant::IpcPublish(topic) => self.ipc_publish.push(topic.clone()),
            Grant::Env(name) => self.env.push(name.clone()),
            Grant::Network(rule) => self.network.push(rule.clone()),
            Grant::FilesystemRead(path) => self.filesystem.read.push(path.clone()),
            Grant::FilesystemWrite(path) => self.filesystem.write.push(path.clone()),
            Grant::ExecEnv(names) => self.exec_env.push(names.clone()),
            Grant::Resources(rule) => self.resources.push(rule.clone()),
            Grant::Experimental(feature) => self.experimental.push(*feature),
        }
        true
    }

    /// Takes a permission away, if exactly this one is there. Gives back whether that changed
    /// anything. A directory without a path for the guest is taken away whatever path it has.
    ///
    /// A part of a permission that was given whole cannot be taken away: deny the whole and grant
    /// what remains.
    pub fn take(&mut self, grant: &Grant) -> bool {
        match grant {
            Grant::ConfigRead(None) => self.take_whole(Capability::ConfigRead),
            Grant::Notification => self.take_whole(Capability::Notification),
            Grant::ClipboardWrite => self.take_whole(Capability::ClipboardWrite),
            Grant::ConfigRead(Some(pattern)) => {
                let ConfigRead::Keys(keys) = &mut self.config_read else { return false };
                let taken = remove(keys, pattern);
                if keys.is_empty() {
                    self.config_read = ConfigRead::Denied;
                }
                taken
            }
            Grant::SecretRead(name) => remove(&mut self.secret_read, name),
            Grant::SecretWrite(name) => remove(&mut self.secret_write, name),
            Grant::IpcPublish(topic) => remove(&mut self.ipc_publish, topic),
            Grant::Env(name) => remove(&mut self.env, name),
            Grant::Network(rule) => remove(&mut self.network, rule),
            Grant::FilesystemRead(path) => {
                remove_where(&mut self.filesystem.read, |other| path.selects(other))
            }
            Grant::FilesystemWrite(path) => {
                remove_where(&mut self.filesystem.write, |other| path.selects(other))
            }
            Grant::ExecEnv(names) => remove(&mut self.exec_env, names),
            Grant::Resources(rule) => remove(&mut self.resources, rule),
            Grant::Experimental(feature) => remove(&mut self.experimental, feature),
        }
    }

    fn take_whole(&mut self, capability: Capability) -> bool {
        let had = self.grants(capability);
        self.deny(capability);
        had
    }
}

fn remove<T: PartialEq>(list: &mut Vec<T>, item: &T) -> bool {
    remove_where(list, |other| other == item)
}

fn remove_where<T>(list: &mut Vec<T>, is_meant: impl Fn(&T) -> bool) -> bool {
    let before = list.len();
    list.retain(|other| !is_meant(other));
    list.len() < before
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hint that is pasted as it stands would grant what nobody means.
    #[test]
    fn placeholder_scope_is_refused() {
        for text in [
            "secret-read=SCOPE",
            "secret-read=<name>",
            "env=SCOPE",
            "filesystem=read:DIRECTORY",
            "network=...",
        ] {
            let error = text.parse::<Grant>().expect_err(text);
            assert!(matches!(error, GrantError::Placeholder { .. }), "{text}: {error}");
        }
        for capability in Capability::ALL {
            assert!(Grant::example(capability).parse::<Grant>().is_ok(), "{capability}");
        }
        assert!("secret-read=scope".parse::<Grant>().is_ok());
    }

    const ALL: [&str; 16] = [
        "config-read",
        "config-read=greeting.*",
        "secret-read=a",
        "secret-write=a",
        "notification",
        "clipboard-write",
        "ipc-publish=a.*",
        "env=LANG",
        "network=*.example.org:8443",
        "filesystem=read:~/a",
        "filesystem=write:/b",
        "filesystem=read:~/notes::/notes",
        "exec-env=APP_MODE",
        "exec-env=APP_*",
        "resources=networking.k8s.io/v1/ingresses:get,create",
        "experimental=wasi-0.3",
    ];

    #[test]
    fn every_grant_prints_what_it_was_parsed_from_and_can_be_added_and_taken_once() {
        for text in ALL {
            let grant: Grant = text.parse().expect(text);
            assert_eq!(grant.to_string(), text);
            let mut capabilities = Capabilities::default();
            assert!(capabilities.add(&grant) && !capabilities.add(&grant), "{text}");
            assert!(
                capabilities.covers(&grant) && capabilities.grants(grant.capability()),
                "{text}"
            );
            assert_eq!(capabilities.grants_in_full(), std::slice::from_ref(&grant), "{text}");
            assert!(capabilities.take(&grant) && !capabilities.take(&grant), "{text}");
            assert_eq!(capabilities, Capabilities::default(), "{text}");
        }
    }

    #[test]
    fn a_part_of_a_whole_is_covered_but_cannot_be_taken_from_it() {
        let mut capabilities = Capabilities { config_read: ConfigRead::All, ..Default::default() };
        let part: Grant = "config-read=a".parse().expect("valid");
        assert!(
            capabilities.covers(&part) && !capabilities.add(&part) && !capabilities.take(&part)
        );
    }

    /// A second path for the guest is added to the first; the host path alone takes both away.
    #[test]
    fn guest_paths_add_up_and_go_together() {
        let grant = |text: &str| text.parse::<Grant>().expect(text);
        let mut capabilities = Capabilities::default();
        for text in ["filesystem=read:~/a", "filesystem=read:~/a::/a", "filesystem=read:~/a::/b"] {
            assert!(!capabilities.covers(&grant(text)), "{text}");
            assert!(capabilities.add(&grant(text)), "{text}");
        }
        assert!(capabilities.reaches(&grant("filesystem=read:~/a/x::/c")));
        assert!(!capabilities.reaches(&grant("filesystem=write:~/a::/a")));
        assert!(capabilities.take(&grant("filesystem=read:~/a::/b")));
        assert_eq!(capabilities.filesystem.read.len(), 2);
        assert!(capabilities.take(&grant("filesystem=read:~/a")));
        assert_eq!(capabilities, Capabilities::default());
    }

    #[test]
    fn a_grant_that_says_too_little_or_too_much_is_refused() {
        for text in [
            "",
            "root",
            "network",
            "network=",
            "notification=x",
            "filesystem=~/x",
            "filesystem=exec:/x",
            "filesystem=read:~/x::",
            "filesystem=read:~/x::/a::/b",
            "env=1",
            "experimental",
            "experimental=x",
        ] {
            assert!(text.parse::<Grant>().is_err(), "{text:?} must be refused");
        }
    }
}
