//! What one extension is given.

use crate::capability::{Capabilities, Capability, Grant, Scope};
use crate::documents::Config;
use crate::limits::EffectiveLimits;
use crate::policy::Authority;
use crate::reference::{ExtensionName, Identity};

/// What one extension may do and use. A depot makes it from an installed extension's manifest, the
/// grants of the login session and every policy; a program that brings its own extensions makes it
/// by hand.
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    /// Whose they are.
    pub owner: Owner,
    /// What decides what it may do. Nothing is allowed where nothing says so.
    pub authority: Authority,
    /// How much it may use.
    pub limits: EffectiveLimits,
    /// Its configuration, of which it sees what `config-read` grants.
    pub config: Config,
}

/// Who an extension is: what people call it, and to whom its secrets belong.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Its name on this machine.
    pub name: ExtensionName,
    /// Where it comes from. Two extensions with one name from two places share nothing.
    pub identity: Identity,
}

/// An extension that a program brings by itself and has no name for.
impl Default for Owner {
    fn default() -> Self {
        Self::embedded(ExtensionName::default())
    }
}

impl Owner {
    /// An extension that a program brings by itself, under a name of its choice.
    pub fn embedded(name: ExtensionName) -> Self {
        let identity = Identity::embedded(&name);
        Self { name, identity }
    }
}

impl Permissions {
    /// These capabilities, with the default limits and no configuration.
    pub fn of(capabilities: Capabilities) -> Self {
        Self { authority: Authority::of(capabilities), ..Self::default() }
    }

    /// The same permissions with all of the configuration readable.
    pub fn with_config_read(mut self) -> Self {
        let whole = Grant::new(Capability::ConfigRead, Scope::Whole);
        self.authority.capabilities.get_or_insert_default().add(&whole);
        self
    }
}
