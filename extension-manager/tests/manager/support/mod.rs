//! A home of a test with extensions in it, a person and a registry.

pub mod person;
pub mod registry;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use core_types::{Capabilities, ExtensionName};
use extension_depot::{Depot, InstallPlan, Places, Reason};
use extension_host::Arguments;
use extension_manager::{Event, Events, Manager, Options};
use tempfile::TempDir;

pub struct Home {
    directory: TempDir,
    events: Arc<Seen>,
}

/// The events that came, as text.
#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Events for Seen {
    fn event(&self, event: Event<'_>) {
        self.0.lock().expect("no test panics here").push(event.to_string());
    }
}

impl Home {
    /// A home with nothing installed and this system policy.
    pub fn new(policy: &str) -> Self {
        let home =
            Self { directory: tempfile::tempdir().expect("a directory"), events: Arc::default() };
        std::fs::write(home.places().system_policy, policy).expect("written");
        home
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    pub fn places(&self) -> Places {
        Places::below(self.directory.path())
    }

    pub fn manager(&self) -> Manager {
        self.manager_with(|_| {})
    }

    pub fn manager_with(&self, change: impl FnOnce(&mut Options)) -> Manager {
        let mut options = Options { events: self.events.clone(), ..Options::default() };
        change(&mut options);
        Manager::open(self.places(), options).expect("places")
    }

    pub fn events(&self) -> Vec<String> {
        self.events.0.lock().expect("no test panics here").clone()
    }

    /// Installs a guest under its own name, with these grants.
    pub fn install(&self, guest: &'static str, grants: &[&str]) {
        let depot = Depot::new(self.places());
        let staged = depot.stage_bytes(test_support::guest(guest), &name(guest)).expect("staged");
        let mut after = Capabilities::default();
        for grant in grants {
            after.add(&grant.parse().expect(grant));
        }
        let basis = depot.basis(&name(guest), &staged.reference).expect("readable");
        let order = InstallPlan {
            basis: &basis,
            source: guest,
            capabilities: Some(&after),
            reason: Reason::Installed,
            evidence: None,
            seed: None,
            claimed: None,
        };
        depot.lock().expect("free").install(&staged, &order).expect("installed");
    }

    /// Edits a manifest.
    pub fn edit(&self, extension: &str, change: impl FnOnce(String) -> String) {
        let path = self.places().manifest(&name(extension));
        let text = std::fs::read_to_string(&path).expect("a manifest");
        std::fs::write(path, change(text)).expect("written");
    }
}

pub fn name(text: &str) -> ExtensionName {
    text.parse().expect(text)
}

pub fn words<const N: usize>(words: [&str; N]) -> Arguments {
    Arguments::words(words)
}
