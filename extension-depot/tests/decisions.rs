//! A decision about an extension counts only as long as nothing that it is based on changes.

mod support;

use std::fs;

use core_types::{Capabilities, Digest, OciReference};
use extension_depot::serve::MemoryRegistry;
use extension_depot::{
    Basis, ChangeTimedGrantsError, CommitError, Evidence, FindError, FirstSigner,
    GrantInstalledError, InstallPlan, InstalledError, NoteSignatureError, Reason, RestoreError,
    SignatureState, Signer, Staged, media_type,
};
use support::{Home, basis, component, home, install, name, order, publish, reference, stage};

/// Returns an extension `a` of which version 1 is installed and version 2 has arrived.
fn decided() -> (MemoryRegistry, Home, Staged) {
    let (registry, home) = (MemoryRegistry::start().expect("a registry"), home());
    for version in ["1", "2", "3"] {
        publish(&registry, "my-org/a", version, media_type::WASM, &component(version));
    }
    install(&home, &text(&registry, "1")).expect("installed");
    let staged = stage(&home, &text(&registry, "2")).expect("staged");
    (registry, home, staged)
}

fn text(registry: &MemoryRegistry, version: &str) -> String {
    format!("{}/my-org/a:{version}", registry.host())
}

fn installed(home: &Home) -> OciReference {
    home.depot.installed(&name("a")).expect("installed").reference
}

fn notification() -> Capabilities {
    Capabilities::from_iter(["notification".parse().expect("a grant")])
}

/// Each change between a decision and its commit ends the commit, and nothing is written by it.
#[test]
fn change_ends_the_commit() {
    type Change = fn(&MemoryRegistry, &Home);
    let changes: [(&str, Change); 7] = [
        ("another version", |registry, home| {
            install(home, &text(registry, "3")).expect("installed")
        }),
        ("a removal", |_, home| {
            home.depot.lock().expect("free").remove(&name("a"), false).map(drop).expect("removed")
        }),
        ("a grant", |_, home| {
            let add = |all: &mut Capabilities| all.add(&"notification".parse().expect("a grant"));
            assert!(
                home.depot
                    .lock()
                    .expect("free")
                    .change_capabilities(&name("a"), Reason::Granted, add)
                    .expect("granted")
            );
        }),
        ("a pin", |_, home| {
            assert!(home.depot.lock().expect("free").set_pinned(&name("a"), true).expect("pinned"))
        }),
        ("a signer", |registry, home| {
            let looked_at = home.depot.installed(&name("a")).expect("installed");
            home.depot.lock().expect("free").note_signature(&looked_at, &signed(1)).expect("noted");
            assert!(
                home.depot
                    .first_use(&reference(&text(registry, "1")).identity())
                    .expect("read")
                    .is_some()
            );
        }),
        ("an edit of `oci`", |_, home| edit(home, |text| text.replace(":1@", ":1.0@"))),
        ("an edit of `[capabilities]`", |_, home| {
            edit(home, |text| text + "notification = true\n")
        }),
    ];
    for (what, change) in changes {
        let (registry, home, staged) = decided();
        let seen = basis(&home, &name("a"), &staged);
        change(&registry, &home);
        let manifest = || fs::read_to_string(home.depot.places().manifest(&name("a"))).ok();
        let (before, blobs) =
            (manifest(), fs::read_dir(home.depot.places().blobs()).expect("there").count());
        let refused = home
            .depot
            .lock()
            .expect("free")
            .install(&staged, &order(&seen, "a", Some(&notification())));
        assert!(matches!(refused, Err(CommitError::Changed(_))), "{what}: {refused:?}");
        assert_eq!(manifest(), before, "{what}");
        assert_eq!(
            fs::read_dir(home.depot.places().blobs()).expect("there").count(),
            blobs,
            "{what}"
        );
        assert!(!seen.still_holds(&home.depot).expect("readable"), "{what}");
        // Decided upon anew, it is carried out.
        let seen = basis(&home, &name("a"), &staged);
        home.depot
            .lock()
            .expect("free")
            .install(&staged, &order(&seen, "a", Some(&notification())))
            .expect(what);
        assert_eq!(installed(&home), staged.reference, "{what}");
    }
}

fn edit(home: &Home, edit: impl FnOnce(String) -> String) {
    let path = home.depot.places().manifest(&name("a"));
    let text = fs::read_to_string(&path).expect("there");
    fs::write(&path, edit(text)).expect("written");
}

/// Changes that a decision is not based on are kept.
#[test]
fn other_edits_are_kept() {
    let (_registry, home, staged) = decided();
    let seen = basis(&home, &name("a"), &staged);
    edit(&home, |text| format!("# mine\n{text}\n[limits]\nmax_fuel = 7\n"));
    home.depot
        .lock()
        .expect("free")
        .install(&staged, &order(&seen, "a", Some(&notification())))
        .expect("installed");
    let loaded = home.depot.installed(&name("a")).expect("installed").loaded;
    let text = fs::read_to_string(&loaded.path).expect("there");
    assert!(text.starts_with("# mine\n") && text.contains("max_fuel = 7"), "{text}");
    assert_eq!(loaded.manifest.granted(), notification());
}

/// An extension that appears under a name for which nothing was seen is not replaced unseen.
#[test]
fn new_manifest_ends_the_commit() {
    let (_registry, home, staged) = decided();
    let seen = basis(&home, &name("b"), &staged);
    fs::write(home.depot.places().manifest(&name("b")), "[capabilities]\nclipboard-write = true\n")
        .expect("written");
    let refused = home
        .depot
        .lock()
        .expect("free")
        .install(&staged, &order(&seen, "a", Some(&notification())));
    assert!(matches!(refused, Err(CommitError::Changed(_))), "{refused:?}");
}

fn signed(by: u8) -> Evidence {
    let key = Digest::from_sha256([by; 32]);
    Evidence { signature: SignatureState::Verified { by: Signer::Key { key } }, is_secure: false }
}

fn install_signed(home: &Home, staged: &Staged, seen: &Basis, by: u8) -> Result<(), CommitError> {
    let evidence = signed(by);
    home.depot
        .lock()
        .expect("free")
        .install(staged, &InstallPlan { evidence: Some(&evidence), ..order(seen, "a", None) })
}

/// The pinned signer is not overwritten by one that could not follow it, whatever was seen.
#[test]
fn pinned_signer_kept_under_lock() {
    let (registry, home, staged) = decided();
    let seen = basis(&home, &name("a"), &staged);
    let looked_at = home.depot.installed(&name("a")).expect("installed");
    home.depot.lock().expect("free").note_signature(&looked_at, &signed(1)).expect("noted");
    assert!(matches!(install_signed(&home, &staged, &seen, 2), Err(CommitError::Changed(_))));
    let seen = basis(&home, &name("a"), &staged);
    assert!(matches!(install_signed(&home, &staged, &seen, 2), Err(CommitError::Signature(_))));
    assert!(matches!(
        home.depot.lock().expect("free").note_signature(&looked_at, &signed(2)),
        Err(NoteSignatureError::Signature(_))
    ));
    let first = home
        .depot
        .first_use(&reference(&text(&registry, "1")).identity())
        .expect("read")
        .expect("noted");
    assert_eq!(first.signer, FirstSigner::Known(Signer::Key { key: Digest::from_sha256([1; 32]) }));
    install_signed(&home, &staged, &seen, 1).expect("installed");
}

/// The signature of one version is not noted for another that came in the meantime.
#[test]
fn evidence_stays_with_its_version() {
    let (_registry, home, staged) = decided();
    let looked_at = home.depot.installed(&name("a")).expect("installed");
    home.depot
        .lock()
        .expect("free")
        .install(&staged, &order(&basis(&home, &name("a"), &staged), "a", None))
        .expect("installed");
    assert!(matches!(
        home.depot.lock().expect("free").note_signature(&looked_at, &signed(1)),
        Err(NoteSignatureError::Changed(_))
    ));
    let grant = ["notification".parse().expect("a grant")];
    assert!(matches!(
        home.depot.lock().expect("free").grant_installed(&looked_at, &grant),
        Err(GrantInstalledError::Changed(_))
    ));
    assert!(matches!(
        home.depot.lock().expect("free").set_needs(&looked_at, &notification(), &[]),
        Err(GrantInstalledError::Changed(_))
    ));
    let add = |_: &mut core_types::TimedGrants| true;
    let timed = home.depot.lock().expect("free").change_timed_grants(
        &name("a"),
        Some(&looked_at.reference),
        add,
    );
    assert!(matches!(timed, Err(ChangeTimedGrantsError::Changed(_))));
}

/// A rollback is decided on the grants of today.
#[test]
fn rollback_compares_its_basis() {
    let (_registry, home, staged) = decided();
    home.depot
        .lock()
        .expect("free")
        .install(&staged, &order(&basis(&home, &name("a"), &staged), "a", None))
        .expect("installed");
    let history = home.depot.history(&name("a")).expect("a history");
    let generation = history.before(&staged.artifact.digest).expect("version 1");
    let seen = basis(&home, &name("a"), &staged);
    home.depot.lock().expect("free").remove(&name("a"), false).expect("removed");
    let refused = home.depot.lock().expect("free").roll_back(&seen, generation, &notification());
    assert!(matches!(refused, Err(RestoreError::Changed(_))), "{refused:?}");
    assert!(home.depot.manifest(&name("a")).expect("readable").is_none());
}

/// A broken manifest is what one goes back from, as long as it is the same.
#[test]
fn broken_manifest_is_a_basis() {
    let (_registry, home, staged) = decided();
    home.depot
        .lock()
        .expect("free")
        .install(&staged, &order(&basis(&home, &name("a"), &staged), "a", None))
        .expect("installed");
    let history = home.depot.history(&name("a")).expect("a history");
    let generation = history.before(&staged.artifact.digest).expect("version 1");
    edit(&home, |_| "[broken".to_owned());
    let seen = home.depot.basis_of_broken(&name("a"), &staged.reference).expect("readable");
    assert!(seen.is_broken() && home.depot.basis(&name("a"), &staged.reference).is_err());
    edit(&home, |_| "[broken otherwise".to_owned());
    let refused =
        home.depot.lock().expect("free").roll_back(&seen, generation, &Capabilities::default());
    assert!(matches!(refused, Err(RestoreError::Changed(_))), "{refused:?}");
    let seen = home.depot.basis_of_broken(&name("a"), &staged.reference).expect("readable");
    home.depot
        .lock()
        .expect("free")
        .roll_back(&seen, generation, &Capabilities::default())
        .expect("rolled back");
    assert_eq!(installed(&home).revision(), "1");
}

/// A reader finds the old version, the new one or none while others replace and remove, and never
/// damage.
#[test]
fn readers_survive_many_changes() {
    let (registry, home, _) = decided();
    let places = home.depot.places().clone();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..30 {
                install(&home, &text(&registry, if round % 2 == 0 { "2" } else { "3" }))
                    .expect("installed");
                match round % 3 {
                    0 => drop(
                        home.depot
                            .lock()
                            .expect("free")
                            .remove(&name("a"), false)
                            .expect("removed"),
                    ),
                    _ => {
                        drop(home.depot.lock().expect("free").collect(1, true).expect("collected"))
                    }
                }
            }
        });
        let reader = extension_depot::Depot::new(places);
        while !writer.is_finished() {
            match reader.installed(&name("a")) {
                Ok(_) | Err(InstalledError::Find(FindError::NotFound(_))) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        writer.join().expect("no panic");
    });
}
