//! A home with a registry beside it, and the tools of its processes.

use core_types::Grant;
use extension_depot::EffectiveConfig;
use extension_manager::{Committed, Consent, InstallError, Installation, Installer, Manager};

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
    /// A home under this policy, in which `HOST` is the registry.
    pub fn new(policy: &str) -> Self {
        Self::beside(Remote::start(), policy)
    }

    /// Another home, beside a registry that has something already.
    pub fn beside(remote: Remote, policy: &str) -> Self {
        let home = Home::new(&policy.replace("HOST", &remote.host()));
        let manager = home.manager();
        let config = EffectiveConfig::load(&home.places()).expect("a configuration");
        Self { home, manager, config, remote }
    }

    /// What changes extensions, with this person.
    pub fn installer<'a>(&'a self, consent: &'a dyn Consent) -> Installer<'a> {
        self.remote.installer(self.surroundings(), consent)
    }

    /// Publishes a version that asks for this, and returns its reference.
    pub fn publish(&self, rest: &str, binary: &[u8]) -> String {
        self.remote.publish(rest, binary);
        self.remote.reference(rest).to_string()
    }

    /// Returns the tag of the installed version; nothing where it is not installed.
    pub fn version(&self, extension: &str) -> Option<String> {
        let installed = self.manager.depot().installed(&name(extension)).ok()?;
        Some(installed.reference.revision().to_owned())
    }

    /// Writes a manifest as a person does.
    pub fn write_manifest(&self, extension: &str, text: &str) {
        let path = self.home.places().manifest(&name(extension));
        std::fs::create_dir_all(path.parent().expect("below")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    /// Changes each file in a directory of the state of this home.
    pub fn edit_state(&self, directory: &str, change: impl Fn(String) -> String) {
        let directory = self.home.places().state.join("extensions").join(directory);
        for entry in std::fs::read_dir(&directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a file");
            std::fs::write(&path, change(text)).expect("written");
        }
    }

    /// Returns whether an event of these words came.
    pub fn has_event(&self, words: &str) -> bool {
        self.home.events().iter().any(|event| event.contains(words))
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
