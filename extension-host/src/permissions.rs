//! What one extension is given.

use core_types::{Capabilities, Config, ConfigRead, EffectiveLimits};

/// What one extension may do and use: the union of what its manifest and its timed grants say, within policy.
///
/// The default denies everything and has the default limits.
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    /// What it may do.
    pub capabilities: Capabilities,
    /// How much it may use.
    pub limits: EffectiveLimits,
    /// Its configuration, of which it sees what `config-read` grants.
    pub config: Config,
}

impl Permissions {
    /// The same permissions with all of the configuration readable.
    pub fn with_config_read(mut self) -> Self {
        self.capabilities.config_read = ConfigRead::All;
        self
    }
}
