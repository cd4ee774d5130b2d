//! The permissions of one extension.

use crate::activity::Cause;
use crate::capability::{Capabilities, Capability, Grant, Scope};
use crate::documents::Config;
use crate::limits::EffectiveLimits;
use crate::policy::Authority;
use crate::reference::{ExtensionName, Identity};

/// The grants, limits and settings of one extension. A depot makes it from an installed extension's
/// manifest, the grants of the login session and every policy; a program that brings its own
/// extensions makes it by hand.
///
/// ```
/// use core_types::{BootTime, Capabilities, Capability, Permissions};
///
/// let granted = Capabilities::from_iter(["notification".parse()?]);
/// let permissions = Permissions::of(granted).with_config_read();
/// let in_force = permissions.authority.in_force(BootTime::default());
/// assert_eq!(in_force.granted(), [Capability::ConfigRead, Capability::Notification]);
/// # Ok::<(), core_types::GrantError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    /// Whose they are.
    pub owner: Owner,
    /// The rules and grants that decide about its requests. By default all are denied.
    pub authority: Authority,
    /// How much it may use.
    pub limits: EffectiveLimits,
    /// Its configuration, of which it sees what `config-read` grants.
    pub config: Config,
    /// The cause of the call, for the activity log. It decides nothing.
    pub cause: Option<Cause>,
}

/// The name of an extension, and the owner of its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Its name on this machine.
    pub name: ExtensionName,
    /// Where it comes from. Two extensions with one name from two places share nothing.
    pub identity: Identity,
}

/// An extension that a program brings by itself, without a name.
impl Default for Owner {
    fn default() -> Self {
        Self::embedded(ExtensionName::default())
    }
}

impl Owner {
    /// Makes the owner of an extension that a program brings by itself, under a name of its choice.
    pub fn embedded(name: ExtensionName) -> Self {
        let identity = Identity::embedded(&name);
        Self { name, identity }
    }
}

impl Permissions {
    /// Makes permissions of these capabilities, with the default limits and no configuration.
    pub fn of(capabilities: Capabilities) -> Self {
        Self { authority: Authority::of(capabilities), ..Self::default() }
    }

    /// Returns the same permissions with all of the configuration readable.
    pub fn with_config_read(mut self) -> Self {
        let whole = Grant::new(Capability::ConfigRead, Scope::Whole);
        self.authority.capabilities.get_or_insert_default().add(&whole);
        self
    }
}
