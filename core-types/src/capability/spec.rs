//! The table of capabilities: everything that is known of each, in one row.

use std::fmt;
use std::str::FromStr;

use crate::capability::scope::ScopeKind;
use crate::serde_as_text;

/// A thing that the host can offer and a manifest can grant. All are denied by default.
///
/// ```
/// use core_types::Capability;
///
/// let capability: Capability = "secret-read".parse()?;
/// assert_eq!(capability, Capability::SecretRead);
/// assert_eq!(capability.spec().example, "secret-read=github-token");
/// # Ok::<(), core_types::UnknownCapability>(())
/// ```
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
    /// Keep data of its own.
    Storage,
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
    /// Be woken by events.
    Events,
    /// Use features that their makers call experimental.
    Experimental,
}

/// A row of the table of capabilities.
///
/// ```
/// use core_types::{Capability, CapabilitySpec};
///
/// let spec: &CapabilitySpec = Capability::Notification.spec();
/// assert_eq!((spec.name, spec.requests_a_minute), ("notification", Some(10)));
/// ```
#[derive(Debug)]
pub struct CapabilitySpec {
    /// The capability.
    pub capability: Capability,
    /// The key in `[capabilities]`, which is also the interface's name in `open-sesame:host`.
    pub name: &'static str,
    /// Whether an import of `open-sesame:host/NAME` asks for it.
    pub has_interface: bool,
    /// The use of it, in a few words for the person who is asked.
    pub meaning: &'static str,
    /// A grant of it as people write it, for hints where the scope is not known.
    pub example: &'static str,
    /// The most requests in a minute that the host carries out, where there is a limit.
    pub requests_a_minute: Option<usize>,
    /// How far grants of it can reach.
    pub scope: ScopeKind,
}

/// Every capability, in the order of the documentation, which is that of [`Capability`].
const SPECS: &[CapabilitySpec] = &[
    CapabilitySpec {
        capability: Capability::ConfigRead,
        name: "config-read",
        has_interface: true,
        meaning: "read its own settings, which you write in its manifest",
        example: "config-read=greeting.*",
        requests_a_minute: None,
        scope: ScopeKind::Keys,
    },
    CapabilitySpec {
        capability: Capability::SecretRead,
        name: "secret-read",
        has_interface: true,
        meaning: "read a secret that you keep for it in your keyring",
        example: "secret-read=github-token",
        requests_a_minute: None,
        scope: ScopeKind::Secrets,
    },
    CapabilitySpec {
        capability: Capability::SecretWrite,
        name: "secret-write",
        has_interface: true,
        meaning: "store and forget a secret of its own in your keyring",
        example: "secret-write=github-token",
        requests_a_minute: None,
        scope: ScopeKind::Secrets,
    },
    CapabilitySpec {
        capability: Capability::Notification,
        name: "notification",
        has_interface: true,
        meaning: "show notifications, ten a minute at most",
        example: "notification",
        // A person can read one every six seconds; more would hide those of other programs.
        requests_a_minute: Some(10),
        scope: ScopeKind::Whole,
    },
    CapabilitySpec {
        capability: Capability::ClipboardWrite,
        name: "clipboard-write",
        has_interface: true,
        meaning: "replace the contents of your clipboard; it cannot read them",
        example: "clipboard-write",
        // One every two seconds: faster, and the person's own copies would be lost before a paste.
        requests_a_minute: Some(30),
        scope: ScopeKind::Whole,
    },
    CapabilitySpec {
        capability: Capability::IpcPublish,
        name: "ipc-publish",
        has_interface: true,
        meaning: "send messages on a topic to other programs of your session",
        example: "ipc-publish=greeting.*",
        // Every listener on the session bus is woken by each signal.
        requests_a_minute: Some(100),
        scope: ScopeKind::Topics,
    },
    CapabilitySpec {
        capability: Capability::Storage,
        name: "storage",
        has_interface: true,
        meaning: "keep data of its own on this machine from one call to the next",
        example: "storage",
        requests_a_minute: None,
        scope: ScopeKind::Size,
    },
    CapabilitySpec {
        capability: Capability::Env,
        name: "env",
        has_interface: false,
        meaning: "see a variable of your session's environment",
        example: "env=LANG",
        requests_a_minute: None,
        scope: ScopeKind::Variables,
    },
    CapabilitySpec {
        capability: Capability::Network,
        name: "network",
        has_interface: false,
        meaning: "send anything that it knows to this host, and read what the host answers",
        example: "network=api.example.com",
        requests_a_minute: None,
        scope: ScopeKind::Hosts,
    },
    CapabilitySpec {
        capability: Capability::Filesystem,
        name: "filesystem",
        has_interface: false,
        meaning: "read everything in this directory, and with `write` change and delete it",
        example: "filesystem=read:~/Documents",
        requests_a_minute: None,
        scope: ScopeKind::Directories,
    },
    CapabilitySpec {
        capability: Capability::ExecEnv,
        name: "exec-env",
        has_interface: false,
        meaning: "set this variable for commands that you run with `exec`",
        example: "exec-env=APP_MODE",
        requests_a_minute: None,
        scope: ScopeKind::CommandVariables,
    },
    CapabilitySpec {
        capability: Capability::Resources,
        name: "resources",
        has_interface: false,
        meaning: "use these resources of the directory that you give a workload",
        example: "resources=networking.k8s.io/v1/ingresses:get,create",
        requests_a_minute: None,
        scope: ScopeKind::Resources,
    },
    CapabilitySpec {
        capability: Capability::Events,
        name: "events",
        has_interface: false,
        meaning: "run without being called, each time that this happens",
        example: "events=power.battery",
        requests_a_minute: None,
        scope: ScopeKind::Events,
    },
    CapabilitySpec {
        capability: Capability::Experimental,
        name: "experimental",
        has_interface: false,
        meaning: "use WASI 0.3, which its authors call experimental",
        example: "experimental=wasi-0.3",
        requests_a_minute: None,
        scope: ScopeKind::Features,
    },
];

/// An unknown name of a capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a capability; there are {}", name.escape_debug(), Capability::ALL.map(|c| format!("`{c}`")).join(", "))]
pub struct UnknownCapability {
    /// The name as given.
    pub name: String,
}

impl Capability {
    /// Every capability, in the order of the documentation.
    pub const ALL: [Self; SPECS.len()] = crate::column!(SPECS, capability);

    /// Returns its row of the table.
    pub fn spec(self) -> &'static CapabilitySpec {
        &SPECS[self as usize]
    }

    /// Returns the key in `[capabilities]`, which is also the interface's name in
    /// `open-sesame:host`.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Returns the use of it, in a few words for the person who is asked.
    pub fn meaning(self) -> &'static str {
        self.spec().meaning
    }

    /// Returns the capability that an interface `open-sesame:host/NAME@VERSION` stands for.
    ///
    /// WASI interfaces stand for none: toolchains import them wholesale, so they ask for nothing.
    /// Those of WASI 0.3 stand for [`Capability::Experimental`].
    pub fn of_interface(interface: &str) -> Option<Self> {
        if is_wasi_0_3(interface) {
            return Some(Self::Experimental);
        }
        let name = interface.strip_prefix("open-sesame:host/")?;
        let name = name.split('@').next().unwrap_or(name);
        SPECS
            .iter()
            .find(|spec| spec.has_interface && spec.name == name)
            .map(|spec| spec.capability)
    }
}

/// Tells whether an interface is one of WASI 0.3 as it was released. Drafts of it are not.
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
        let found = SPECS.iter().find(|spec| spec.name == name).map(|spec| spec.capability);
        found.ok_or_else(|| UnknownCapability { name: name.to_owned() })
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

serde_as_text!(Capability);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Grant;

    /// Each capability finds its own row, and its example is a grant of it.
    #[test]
    fn rows_stand_in_order() {
        for (at, spec) in SPECS.iter().enumerate() {
            assert_eq!(spec.capability as usize, at, "{}", spec.name);
            let example: Grant = spec.example.parse().expect(spec.example);
            assert_eq!(example.capability(), spec.capability);
        }
    }

    /// An interface of WASI asks for nothing, but for those of WASI 0.3.
    #[test]
    fn interface_names_its_capability() {
        let of = Capability::of_interface;
        assert_eq!(of("open-sesame:host/config-read@0.1.0"), Some(Capability::ConfigRead));
        assert_eq!(of("open-sesame:host/secret-read"), Some(Capability::SecretRead));
        assert_eq!(of("wasi:cli/stdout@0.3.1"), Some(Capability::Experimental));
        assert_eq!(of("open-sesame:host/log@0.1.0"), None);
        assert_eq!(of("open-sesame:host/network@0.1.0"), None);
        assert_eq!(of("open-sesame:host/experimental@0.1.0"), None);
        assert_eq!(of("wasi:filesystem/types@0.2.9"), None);
        assert_eq!(of("evil:host/config-read@0.1.0"), None);
    }
}
