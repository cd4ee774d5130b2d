//! A change by another process during a download is decided upon again.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use core_types::Digest;
use extension_depot::serve::MemoryRegistry;
use sha2::{Digest as _, Sha256};

use crate::support::{Run, TestEnv, env, manifest, publish, small};

/// An environment with version 1 of `a`, and a registry whose download of version 2 runs a command
/// to its end.
struct Meanwhile {
    env: TestEnv,
    registry: MemoryRegistry,
    command: Arc<Mutex<Option<Command>>>,
}

impl Meanwhile {
    fn new(versions: &[u8]) -> Self {
        let command = Arc::new(Mutex::new(None::<Command>));
        let (waiting, binary) =
            (command.clone(), Digest::from_sha256(Sha256::digest(small(2)).into()));
        let registry = MemoryRegistry::start_with(move |seen| {
            let is_it = seen.method == "GET" && seen.path.ends_with(&format!("/blobs/{binary}"));
            let command = is_it
                .then(|| waiting.lock().unwrap_or_else(PoisonError::into_inner).take())
                .flatten();
            if let Some(mut command) = command {
                let output = command.stdin(Stdio::null()).output().expect("it runs");
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            }
            None
        });
        let registry = registry.expect("a registry");
        for version in versions {
            publish(&registry, &format!("my-org/a:{version}.0.0"), &small(*version), &[]);
        }
        let this = Self { env: env(), registry, command };
        for version in versions.iter().rev().filter(|version| **version != 2) {
            this.env.run(&format!("{} --allow-downgrade", this.install(*version))).ok();
        }
        this
    }

    fn install(&self, version: u8) -> String {
        format!("extension install {}/my-org/a:{version}.0.0", self.registry.host())
    }

    /// Runs a line that fetches version 2, and another in the middle of it.
    fn run(&self, line: &str, meanwhile: &str) -> Run {
        *self.command.lock().expect("not poisoned") = Some(self.env.command(meanwhile.split(' ')));
        let run = self.env.run(line);
        assert!(
            self.command.lock().expect("not poisoned").is_none(),
            "{line}: it fetched nothing: {run}"
        );
        run
    }

    fn version(&self) -> String {
        self.env.run("extension call a f").ok().text().trim().to_owned()
    }
}

/// A newer version that another command installs is not replaced by the fetched one.
#[test]
fn newer_version_meanwhile_stays() {
    let meanwhile = Meanwhile::new(&[1, 2, 3]);
    let run = meanwhile.run(&meanwhile.install(2), "extension rollback a");
    assert!(
        run.code == 6 && run.stderr.contains("2.0.0 is older than the installed 3.0.0 of `a`"),
        "{run}"
    );
    assert_eq!(meanwhile.version(), "3");
}

/// An extension that is removed during its update is installed as for the first time, with a
/// decision of its own.
#[test]
fn removed_meanwhile_asks_anew() {
    let meanwhile = Meanwhile::new(&[1, 2]);
    meanwhile.env.run("extension grant a notification").ok();
    let run = meanwhile.run(&meanwhile.install(2), "extension remove a").ok();
    assert!(run.stderr.contains("not granted"), "{run}");
    let manifest = meanwhile.env.read(&manifest("a"));
    assert!(
        manifest.contains("[capabilities]") && !manifest.contains("notification = true"),
        "{manifest}"
    );
}

/// An update neither restores a removed extension nor changes a pinned one.
#[test]
fn update_heeds_removal_and_pin() {
    let meanwhile = Meanwhile::new(&[1, 2]);
    let run = meanwhile.run("extension update a", "extension pin a").ok();
    assert!(!run.text().contains("2.0.0"), "{run}");
    assert_eq!(meanwhile.version(), "1");
    meanwhile.env.run("extension unpin a").ok();
    let run = meanwhile.run("extension update a", "extension remove a");
    assert!(run.code == 3 && !run.stderr.contains("missing"), "{run}");
    assert!(!meanwhile.env.path(&manifest("a")).exists());
}

/// Grants that change during an update are in force after it.
#[test]
fn update_keeps_concurrent_grants() {
    let meanwhile = Meanwhile::new(&[1, 2]);
    meanwhile.run("extension update a", "extension grant a notification").ok();
    assert_eq!(meanwhile.version(), "2");
    assert!(meanwhile.env.read(&manifest("a")).contains("notification = true"));
}
