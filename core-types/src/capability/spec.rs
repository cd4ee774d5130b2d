//! What an extension may do.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::SerializeMap;

use crate::capability::scope::{
    EnvName, ExecEnv, Feature, GrantedPath, NetworkRule, Pattern, ResourceRule, SameGuestPath,
    SecretName, check_guest_paths,
};
use crate::serde_as_text;

/// A thing that the host can offer and a manifest can grant. All are denied by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Read the extension's own values of `[config]`.
    ConfigRead,
    /// Read secrets by name.
    SecretRead,
    /// Store secrets by name.
    SecretWrite,
    /// Show desktop notifications.
    Notification,
    /// Put text on the clipboard.
    ClipboardWrite,
    /// Send signals on the session bus.
    IpcPublish,
    /// See variables of the session's environment.
    Env,
    /// Ask web services.
    Network,
    /// Read or write directories.
    Filesystem,
    /// Set variables of a command that is run in its environment.
    ExecEnv,
    /// Use the resources around a workload.
    Resources,
    /// Use what its makers call experimental.
    Experimental,
}

/// A name that is no capability's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no capability; there are {}", name.escape_debug(), Capability::ALL.map(|c| format!("`{c}`")).join(", "))]
pub struct UnknownCapability {
    /// The name as given.
    pub name: String,
}

/// The `[capabilities]` of a manifest: all that an extension may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Capabilities {
    /// `config-read`: which values of `[config]` can be read. Default: none.
    pub config_read: ConfigRead,
    /// `secret-read`: names of secrets that can be read. Default: none.
    pub secret_read: Vec<SecretName>,
    /// `secret-write`: names of secrets that can be stored. Default: none.
    pub secret_write: Vec<SecretName>,
    /// `notification`: whether notifications can be shown. Default: no.
    pub notification: bool,
    /// `clipboard-write`: whether text can be put on the clipboard. Default: no.
    pub clipboard_write: bool,
    /// `ipc-publish`: topics on which signals can be sent. Default: none.
    pub ipc_publish: Vec<Pattern>,
    /// `env`: variables of the session that can be seen. Default: none.
    pub env: Vec<EnvName>,
    /// `network`: hosts that can be asked. Default: none.
    pub network: Vec<NetworkRule>,
    /// `filesystem`: directories that can be read or written. Default: none.
    pub filesystem: FilesystemGrant,
    /// `exec-env`: variables that it can set for a command that `exec` runs. Default: none.
    pub exec_env: Vec<ExecEnv>,
    /// `resources`: what it can do with which resources around a workload. Default: nothing.
    pub resources: Vec<ResourceRule>,
    /// `experimental`: features that may still change or go. Default: none.
    pub experimental: Vec<Feature>,
}

/// How much of `[config]` an extension sees: `true`, `false` or `{ keys = ["greeting.*"] }`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ConfigRead {
    /// Nothing.
    #[default]
    Denied,
    /// Every value.
    All,
    /// The values whose keys one of the patterns covers.
    Keys(Vec<Pattern>),
}

/// Directories by kind of access. A directory under `write` can be read as well. No two have one
/// path for the guest.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "FilesystemFile")]
pub struct FilesystemGrant {
    /// Directories that can be read.
    pub read: Vec<GrantedPath>,
    /// Directories that can be read and written.
    pub write: Vec<GrantedPath>,
}

/// The directories as they stand in a file.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct FilesystemFile {
    read: Vec<GrantedPath>,
    write: Vec<GrantedPath>,
}

impl TryFrom<FilesystemFile> for FilesystemGrant {
    type Error = SameGuestPath;

    fn try_from(FilesystemFile { read, write }: FilesystemFile) -> Result<Self, SameGuestPath> {
        let granted = Self { read, write };
        // Where `~` is depends on whose file it is, and is looked at again when it is known.
        granted.check_guest_paths(Path::new("~")).map(|()| granted)
    }
}

impl Capability {
    /// Every capability, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::ConfigRead,
        Self::SecretRead,
        Self::SecretWrite,
        Self::Notification,
        Self::ClipboardWrite,
        Self::IpcPublish,
        Self::Env,
        Self::Network,
        Self::Filesystem,
        Self::ExecEnv,
        Self::Resources,
        Self::Experimental,
    ];

    /// The key in `[capabilities]`, which is also the interface's name in `open-sesame:host`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ConfigRead => "config-read",
            Self::SecretRead => "secret-read",
            Self::SecretWrite => "secret-write",
            Self::Notification => "notification",
            Self::ClipboardWrite => "clipboard-write",
            Self::IpcPublish => "ipc-publish",
            Self::Env => "env",
            Self::Network => "network",
            Self::Filesystem => "filesystem",
            Self::ExecEnv => "exec-env",
            Self::Resources => "resources",
            Self::Experimental => "experimental",
        }
    }

    /// What it is, in a few words for the one who is asked.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::ConfigRead => "read its own settings, which you write in its manifest",
            Self::SecretRead => "read a secret that you keep for it in your keyring",
            Self::SecretWrite => "store and forget a secret of its own in your keyring",
            Self::Notification => "show notifications, ten a minute at most",
            Self::ClipboardWrite => "replace what is on your clipboard; it cannot read it",
            Self::IpcPublish => "send messages on a topic to other programs of your session",
            Self::Env => "see a variable of your session's environment",
            Self::Network => {
                "send anything that it knows to this host, and read what the host answers"
            }
            Self::Filesystem => {
                "read everything in this directory, and with `write` change and delete it"
            }
            Self::ExecEnv => "set this variable for commands that you run with `exec`",
            Self::Resources => "use these resources of the directory that you give a workload",
            Self::Experimental => "use WASI 0.3, which its makers call experimental",
        }
    }

    /// The capability that an interface `open-sesame:host/NAME@VERSION` stands for.
    ///
    /// WASI interfaces stand for none: toolchains import them wholesale, so they ask for nothing.
    /// Those of WASI 0.3 stand for [`Capability::Experimental`].
    pub fn of_interface(interface: &str) -> Option<Self> {
        if is_wasi_0_3(interface) {
            return Some(Self::Experimental);
        }
        let name = interface.strip_prefix("open-sesame:host/")?;
        let name = name.split('@').next().unwrap_or(name).parse().ok()?;
        let without_interface = [
            Self::Env,
            Self::Network,
            Self::Filesystem,
            Self::ExecEnv,
            Self::Resources,
            Self::Experimental,
        ];
        (!without_interface.contains(&name)).then_some(name)
    }
}

/// Whether an interface is one of WASI 0.3 as it was released. Drafts of it are not.
fn is_wasi_0_3(interface: &str) -> bool {
    let version = interface
        .strip_prefix("wasi:")
        .and_then(|name| name.split_once('@'))
        .map(|(_, version)| version);
    let patch = version.and_then(|version| version.strip_prefix("0.3."));
    patch.is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(name: &str) -> Result<Self, UnknownCapability> {
        let found = Self::ALL.into_iter().find(|capability| capability.name() == name);
        found.ok_or_else(|| UnknownCapability { name: name.to_owned() })
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

serde_as_text!(Capability);

impl Capabilities {
    /// The capabilities that are granted at least in part, in the order of the documentation.
    pub fn granted(&self) -> Vec<Capability> {
        Capability::ALL.into_iter().filter(|capability| self.grants(*capability)).collect()
    }

    /// Whether a capability is granted at least in part.
    pub fn grants(&self, capability: Capability) -> bool {
        match capability {
            Capability::ConfigRead => self.config_read != ConfigRead::Denied,
            Capability::SecretRead => !self.secret_read.is_empty(),
            Capability::SecretWrite => !self.secret_write.is_empty(),
            Capability::Notification => self.notification,
            Capability::ClipboardWrite => self.clipboard_write,
            Capability::IpcPublish => !self.ipc_publish.is_empty(),
            Capability::Env => !self.env.is_empty(),
            Capability::Network => !self.network.is_empty(),
            Capability::Filesystem => self.filesystem != FilesystemGrant::default(),
            Capability::ExecEnv => !self.exec_env.is_empty(),
            Capability::Resources => !self.resources.is_empty(),
            Capability::Experimental => !self.experimental.is_empty(),
        }
    }

    /// Takes away every part of a capability.
    pub fn deny(&mut self, capability: Capability) {
        match capability {
            Capability::ConfigRead => self.config_read = ConfigRead::Denied,
            Capability::SecretRead => self.secret_read.clear(),
            Capability::SecretWrite => self.secret_write.clear(),
            Capability::Notification => self.notification = false,
            Capability::ClipboardWrite => self.clipboard_write = false,
            Capability::IpcPublish => self.ipc_publish.clear(),
            Capability::Env => self.env.clear(),
            Capability::Network => self.network.clear(),
            Capability::Filesystem => self.filesystem = FilesystemGrant::default(),
            Capability::ExecEnv => self.exec_env.clear(),
            Capability::Resources => self.resources.clear(),
            Capability::Experimental => self.experimental.clear(),
        }
    }
}

impl FilesystemGrant {
    /// Whether everything in this directory may be read, or written as well, and is found under its
    /// path for the guest.
    pub fn covers(&self, path: &GrantedPath, write: bool) -> bool {
        self.any(write, |granted| granted.covers(path))
    }

    /// Whether everything in this directory may be read, or written as well, whatever path the
    /// guest finds it under.
    pub fn reaches(&self, path: &GrantedPath, write: bool) -> bool {
        self.any(write, |granted| granted.reaches(path))
    }

    fn any(&self, write: bool, fits: impl Fn(&GrantedPath) -> bool) -> bool {
        self.write.iter().any(&fits) || !write && self.read.iter().any(&fits)
    }

    /// Makes sure that the guest finds no two directories under one path, with `home` in the place
    /// of `~`.
    ///
    /// # Errors
    /// With the first two that have one.
    pub fn check_guest_paths(&self, home: &Path) -> Result<(), SameGuestPath> {
        check_guest_paths(self.read.iter().chain(&self.write), home)
    }
}

impl ConfigRead {
    /// Whether the value of this key can be read.
    pub fn covers(&self, key: &str) -> bool {
        match self {
            Self::Denied => false,
            Self::All => true,
            Self::Keys(patterns) => patterns.iter().any(|pattern| pattern.covers(key)),
        }
    }
}

impl<'de> Deserialize<'de> for ConfigRead {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConfigReadVisitor)
    }
}

struct ConfigReadVisitor;

impl<'de> Visitor<'de> for ConfigReadVisitor {
    type Value = ConfigRead;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`true`, `false` or `{ keys = [\"greeting.*\"] }`")
    }

    fn visit_bool<E: de::Error>(self, granted: bool) -> Result<ConfigRead, E> {
        Ok(if granted { ConfigRead::All } else { ConfigRead::Denied })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ConfigRead, A::Error> {
        let mut keys = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "keys" => keys = Some(map.next_value()?),
                _ => drop(map.next_value::<de::IgnoredAny>()?),
            }
        }
        keys.map(ConfigRead::Keys).ok_or_else(|| de::Error::missing_field("keys"))
    }
}

/// Only what is granted is written.
impl serde::Serialize for Capabilities {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for capability in self.granted() {
            map.serialize_key(capability.name())?;
            match capability {
                Capability::ConfigRead => map.serialize_value(&self.config_read)?,
                Capability::SecretRead => map.serialize_value(&self.secret_read)?,
                Capability::SecretWrite => map.serialize_value(&self.secret_write)?,
                Capability::Notification => map.serialize_value(&self.notification)?,
                Capability::ClipboardWrite => map.serialize_value(&self.clipboard_write)?,
                Capability::IpcPublish => map.serialize_value(&self.ipc_publish)?,
                Capability::Env => map.serialize_value(&self.env)?,
                Capability::Network => map.serialize_value(&self.network)?,
                Capability::Filesystem => map.serialize_value(&self.filesystem)?,
                Capability::ExecEnv => map.serialize_value(&self.exec_env)?,
                Capability::Resources => map.serialize_value(&self.resources)?,
                Capability::Experimental => map.serialize_value(&self.experimental)?,
            }
        }
        map.end()
    }
}

impl serde::Serialize for ConfigRead {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Denied => serializer.serialize_bool(false),
            Self::All => serializer.serialize_bool(true),
            Self::Keys(keys) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("keys", keys)?;
                map.end()
            }
        }
    }
}

impl serde::Serialize for FilesystemGrant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, paths) in [("read", &self.read), ("write", &self.write)] {
            if !paths.is_empty() {
                map.serialize_entry(key, paths)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_name_their_capability_and_wasi_names_none() {
        let of = Capability::of_interface;
        assert_eq!(of("open-sesame:host/config-read@0.1.0"), Some(Capability::ConfigRead));
        assert_eq!(of("open-sesame:host/secret-read"), Some(Capability::SecretRead));
        assert_eq!(of("open-sesame:host/log@0.1.0"), None);
        assert_eq!(of("open-sesame:host/network@0.1.0"), None);
        assert_eq!(of("open-sesame:host/experimental@0.1.0"), None);
        assert_eq!(of("wasi:filesystem/types@0.2.9"), None);
        assert_eq!(of("evil:host/config-read@0.1.0"), None);
    }

    #[test]
    fn nothing_is_granted_by_default() {
        assert_eq!(Capabilities::default().granted(), []);
        assert!(!Capabilities::default().config_read.covers("x"));
    }
}
