//! A home with a registry beside it, and the tools of its processes.

use core_types::Grant;
use extension_depot::EffectiveConfig;
use extension_manager::{Committed, InstallError, Installation, Manager};

use crate::support::registry::Remote;
use crate::support::{Home, name};

/// A home, with the tools of its processes.
pub struct Fixture {
    pub home: Home,
    pub manager: Manager,
    pub config: EffectiveConfig,
    pub remote: Remote,
}

impl Fixture {
    pub fn new(policy: &str) -> Self {
        let home = Home::new(policy);
        let manager = home.manager();
        let config = EffectiveConfig::load(&home.places()).expect("a configuration");
        Self { home, manager, config, remote: Remote::start() }
    }

    pub fn surroundings(&self) -> (&Manager, &EffectiveConfig) {
        (&self.manager, &self.config)
    }

    /// Writes a file, and returns its path.
    pub fn file(&self, name: &str, binary: &[u8]) -> String {
        let path = self.home.path(name);
        std::fs::write(&path, binary).expect("written");
        path.display().to_string()
    }

    /// Returns the grants of a manifest.
    pub fn granted(&self, extension: &str) -> Vec<String> {
        let loaded = self.manager.depot().manifest(&name(extension)).expect("readable");
        let granted = loaded.expect("a manifest").manifest.granted();
        granted.iter().map(ToString::to_string).collect()
    }
}

/// Returns the installed extension.
#[track_caller]
pub fn new(installation: Result<Installation, InstallError>) -> Committed {
    match installation.expect("installed") {
        Installation::New(committed) => *committed,
        Installation::Already { .. } => panic!("it is installed already"),
    }
}

pub fn grants(texts: &[&str]) -> Vec<Grant> {
    texts.iter().map(|text| text.parse().expect(text)).collect()
}
