//! Checks of what is installed: files, policy, state, and what nothing needs any more.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use core_types::{Capability, ExtensionName, OciReference};
use extension_depot::Depot;
use extension_host::{CacheError, CodeKey};
use extension_manager::{
    CheckedFiles, Damage, ExtensionState, Health, InstallError, InstallOptions, Manager, Nobody,
    PolicyCheck, PolicyStop, Restore, RollbackError, UpdateOptions,
};

use crate::fixture::{Fixture, new};
use crate::support::registry::{component, install};
use crate::support::{Home, name, words};

/// A home with `a` from a registry.
fn installed(policy: &str) -> Fixture {
    let fixture = Fixture::new(policy);
    let source = fixture.publish("a:1.0.0", &component(1, ""));
    new(install(&fixture.installer(&Nobody), &source, InstallOptions::default()));
    fixture
}

fn check(manager: &Manager, extension: &str) -> CheckedFiles<()> {
    manager.check_files(&name(extension), None).expect("there")
}

/// Checks and repairs with bytes of the registry.
fn repair(fixture: &Fixture) -> CheckedFiles<InstallError> {
    let restore: &Restore<'_, InstallError> = &|name: &ExtensionName, reference: &OciReference| {
        fixture.installer(&Nobody).restore(name, reference)
    };
    fixture.manager.check_files(&name("a"), Some(restore)).expect("there")
}

fn damage(fixture: &Fixture) {
    let installed = fixture.manager.depot().installed(&name("a")).expect("installed");
    fs::write(&installed.binary().path, "other bytes").expect("written");
}

#[test]
fn damaged_bytes_are_fetched_again() {
    let fixture = installed("");
    assert!(check(&fixture.manager, "a").is_sound());
    damage(&fixture);
    let found = check(&fixture.manager, "a");
    assert!(matches!(found.damage[..], [Damage::Artifact(_)]) && found.repaired.is_empty());
    let repaired = repair(&fixture);
    assert!(repaired.is_sound() && repaired.repaired.len() == 1, "{repaired:?}");
    assert!(check(&fixture.manager, "a").is_sound());
    let unknown = fixture.manager.check_files::<()>(&name("b"), None);
    assert_eq!(unknown.expect_err("not there").to_string(), "there is no extension `b`");
}

/// Bytes that the registry does not have any more stay damaged, with the reason.
#[test]
fn lost_bytes_stay_damaged() {
    let from = installed("");
    let text = fs::read_to_string(from.home.places().manifest(&name("a"))).expect("read");
    let fixture = Fixture::beside(crate::support::registry::Remote::start(), "");
    // The registry of the manifest is gone, and another listens elsewhere.
    drop(from);
    fixture.write_manifest("a", &text);
    let found = repair(&fixture);
    assert!(found.repaired.is_empty() && !found.is_sound());
    let last = found.damage.last().expect("a reason");
    assert!(matches!(last, Damage::NotRestored(InstallError::Registry(_))), "{last:?}");
}

#[test]
fn bytes_of_a_file_are_not_fetched() {
    let fixture = Fixture::new("");
    let file = fixture.file("a.wasm", &component(1, ""));
    new(install(&fixture.installer(&Nobody), &file, InstallOptions::default()));
    damage(&fixture);
    let found = repair(&fixture);
    assert!(matches!(found.damage[..], [Damage::Artifact(_), Damage::FromFile]), "{found:?}");
}

/// Wrong compiled code is removed and made again; missing code is nothing to say about.
#[test]
fn wrong_code_is_compiled_again() {
    let fixture = installed("");
    let binary = fixture.manager.depot().installed(&name("a")).expect("there").binary().digest;
    let (cache, key) = (fixture.manager.code_cache(), CodeKey::new(&binary));
    let path = cache.path(&key);
    let write = |path: &Path| fs::write(path, "code").map_err(|_| unreachable!("a new file"));
    cache.store::<CacheError>(&key, write).expect("stored");
    assert!(check(&fixture.manager, "a").is_sound());
    fs::write(&path, "other code").expect("written");
    assert!(matches!(check(&fixture.manager, "a").damage[..], [Damage::Code(_)]));
    let calls = Cell::new(0);
    let never: &Restore<'_, ()> = &|_: &ExtensionName, _: &OciReference| {
        calls.set(calls.get() + 1);
        Err(())
    };
    let repaired = fixture.manager.check_files(&name("a"), Some(never)).expect("there");
    assert!(repaired.is_sound() && matches!(repaired.repaired[..], [Damage::Code(_)]));
    assert_eq!(calls.get(), 0, "the binary was whole");
    assert!(!path.exists() && check(&fixture.manager, "a").is_sound());
}

/// Each policy stops for its own reason, as a call finds it out.
#[test]
fn policy_stops_as_a_call_does() {
    for (policy, expected) in [
        ("", None),
        ("deny = [\"notification\"]\n", None),
        ("deny = [\"config-read\"]\n", Some("import")),
        ("require_signature = true\n", Some("refused")),
        ("allowed_registries = [\"ghcr.io\"]\n", Some("refused")),
        ("deny = \"config-read\"\n", Some("unreadable")),
    ] {
        let home = Home::new(policy);
        home.install("greeting", &["config-read"]);
        let manager = home.manager();
        let policies = PolicyCheck::new(manager.depot());
        assert_eq!(policies.config().is_some(), expected != Some("unreadable"), "{policy}");
        let installed = manager.depot().installed(&name("greeting")).expect("installed");
        let stop = policies.stop(&installed);
        let found = stop.as_ref().map(|stop| match stop {
            PolicyStop::Unreadable(_) => "unreadable",
            PolicyStop::Refused(_) => "refused",
            PolicyStop::DeniedImport(decision) => {
                let text = decision.to_string();
                assert!(text.starts_with("policy denies `config-read`"), "{text}");
                "import"
            }
        });
        assert_eq!(found, expected, "{policy}");
        let mode = extension_manager::CallMode::Ordinary;
        let called = manager.callable(&name("greeting"), mode);
        assert_eq!(called.is_err(), expected.is_some(), "{policy}: {:?}", called.err());
    }
}

/// Where there is no policy, the documents of extensions are not read for it.
#[test]
fn missing_policy_cannot_stop() {
    let home = Home::new("");
    let depot = Depot::new(home.places());
    assert!(PolicyCheck::new(&depot).can_stop(), "an empty one is one");
    fs::remove_file(home.places().system_policy).expect("there");
    assert!(!PolicyCheck::new(&depot).can_stop());
    fs::write(home.places().system_policy, "[").expect("written");
    assert!(PolicyCheck::new(&depot).can_stop(), "a broken one stops all");
}

/// What is denied and not imported stops nothing, whatever the manifest grants.
#[test]
fn denied_grant_without_import_is_no_stop() {
    let home = Home::new("deny = [\"filesystem\"]\n");
    home.install("greeting", &["config-read", "filesystem=read:/srv"]);
    let manager = home.manager();
    let installed = manager.depot().installed(&name("greeting")).expect("installed");
    assert!(PolicyCheck::new(manager.depot()).stop(&installed).is_none());
    assert!(installed.loaded.manifest.granted().grants(Capability::Filesystem));
}

/// Returns the state of the only extension.
fn state(home: &Home) -> (&'static str, Health) {
    let manager = home.manager();
    let policies = PolicyCheck::new(manager.depot());
    let listed = manager.depot().list().expect("listed");
    let [listed] = &listed[..] else { panic!("{listed:?}") };
    let state = ExtensionState::of(manager.depot(), &policies, listed);
    let found = match &state {
        ExtensionState::Whole(_) => "whole",
        ExtensionState::NotInstalled(_) => "not installed",
        ExtensionState::Broken(_) => "broken",
        ExtensionState::WithoutBinary => "without binary",
        ExtensionState::Stopped(_) => "stopped",
        ExtensionState::Quarantined(_) => "quarantined",
    };
    (found, state.health())
}

#[test]
fn state_of_an_extension_is_found() {
    let with = |policy: &str| {
        let home = Home::new(policy);
        home.install("hostile", &[]);
        home
    };
    assert_eq!(state(&with("")), ("whole", Health::Good));
    assert_eq!(state(&with("require_signature = true\n")), ("stopped", Health::Warning));
    let home = with("");
    let manager = home.manager();
    for _ in 0..5 {
        let callable = manager.callable(&name("hostile"), Default::default()).expect("callable");
        callable.call_blocking("panic", &words(["boom"])).outcome.expect_err("it crashes");
    }
    assert_eq!(state(&home), ("quarantined", Health::Warning));
    let home = with("");
    let record = home.places().records(&name("hostile"));
    for entry in fs::read_dir(record).expect("records") {
        fs::write(entry.expect("an entry").path(), "{").expect("written");
    }
    assert_eq!(state(&home), ("broken", Health::Bad));
    let home = with("");
    let installed = home.manager().depot().installed(&name("hostile")).expect("installed");
    fs::remove_file(&installed.binary().path).expect("there");
    assert_eq!(state(&home).1, Health::Bad);
    let home = with("");
    home.edit("hostile", |_| "[extension]\noci = \"ghcr.io/o/hostile:1.0.0\"\n".to_owned());
    assert_eq!(state(&home), ("not installed", Health::Warning));
    let home = with("");
    home.edit("hostile", |_| "[".to_owned());
    assert_eq!(state(&home), ("broken", Health::Bad));
}

/// Old versions go with their bytes and their code, and cannot be restored after that.
#[test]
fn garbage_is_found_and_removed() {
    let fixture = installed("");
    fixture.publish("a:2.0.0", &component(2, ""));
    fixture.installer(&Nobody).update(&name("a"), &UpdateOptions::default()).expect("updated");
    let orphan = fixture.manager.code_cache().path(&CodeKey::new(&extension_depot::digest_of(b"")));
    private_files::create_directory(orphan.parent().expect("below")).expect("made");
    fs::write(&orphan, "code").expect("written");
    let found = fixture.manager.collect_garbage(1, false).expect("found");
    assert_eq!(found.generations, [(name("a"), 1)]);
    assert!(!found.blobs.is_empty() && found.bytes() > 4, "{found:?}");
    assert_eq!(found.compiled, [(orphan.clone(), 4)]);
    assert!(orphan.exists(), "nothing is removed yet");
    let removed = fixture.manager.collect_garbage(1, true).expect("removed");
    assert_eq!(removed, found);
    assert!(!orphan.exists() && check(&fixture.manager, "a").is_sound());
    let nothing = fixture.manager.collect_garbage(1, true).expect("looked for");
    assert_eq!((nothing.bytes(), nothing.generations.len()), (0, 0));
    let gone = fixture.installer(&Nobody).roll_back(&name("a"), Some(1), false);
    assert!(matches!(gone, Err(RollbackError::NoGeneration { number: 1, .. })), "{gone:?}");
}
