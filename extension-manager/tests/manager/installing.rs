//! Installs through the pipeline: decisions, their basis, and the written state.

use core_types::Capabilities;
use extension_depot::{Depot, Reason};
use extension_manager::{Answer, InstallError, InstallOptions, Installation, NameUse, Nobody};

use crate::fixture::{Fixture, grants, new};
use crate::support::name;
use crate::support::person::Person;
use crate::support::registry::{component, install, install_as};

#[test]
fn file_is_installed_without_network() {
    let fixture = Fixture::new("");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let file = fixture.file("a.wasm", &component(1, "config-read = true"));
    let committed = new(install(&installer, &file, InstallOptions::default()));
    assert_eq!((committed.name, committed.replaced), (name("a"), None));
    assert_eq!(fixture.granted("a"), ["config-read"]);
    assert_eq!(fixture.remote.requests(), 0);
    let again = install(&installer, &file, InstallOptions::default()).expect("installed");
    assert!(matches!(again, Installation::Already { .. }));
}

/// One proposal has everything, and each answer is heeded.
#[test]
fn answers_are_heeded() {
    let fixture = Fixture::new("");
    let requests = "network = [\"a.example\", { host = \"b.example\", optional = true }]\n\
                    notification = true\nclipboard-write = true";
    fixture.remote.publish("a:1.0.0", &component(1, requests));
    let person = Person::answering(&[Answer::Always, Answer::Always, Answer::Always, Answer::No]);
    let installer = fixture.remote.installer(fixture.surroundings(), &person);
    let source = fixture.remote.reference("a:1.0.0").to_string();
    let committed = new(install(&installer, &source, InstallOptions::default()));
    let [shown] = &person.shown()[..] else { panic!("{:?}", person.shown()) };
    assert!(shown.starts_with("a 1.0.0, unsigned: "), "{shown}");
    assert!(shown.contains("network=b.example (optional)"), "{shown}");
    assert_eq!((committed.decision.granted.len(), committed.decision.denied.len()), (3, 1));
    assert_eq!(fixture.granted("a").len(), 3);
}

/// What policy denies is neither asked about nor granted.
#[test]
fn denied_request_is_not_asked() {
    let fixture = Fixture::new("deny = [\"notification\"]\n");
    let file = fixture.file("a.wasm", &component(1, "notification = true\nenv = [\"LANG\"]"));
    let person = Person::answering(&[Answer::Always]);
    let installer = fixture.remote.installer(fixture.surroundings(), &person);
    let committed = new(install(&installer, &file, InstallOptions::default()));
    assert_eq!(person.shown(), ["a 0.0.0, unsigned: env=LANG"]);
    assert_eq!(fixture.granted("a"), ["env=LANG"]);
    let denied: Vec<_> = committed.decision.denied.iter().map(|it| it.policy.is_some()).collect();
    assert_eq!(denied, [true]);
}

/// A manifest that another process changes while a person thinks is decided upon again.
#[test]
fn change_meanwhile_is_decided_again() {
    let fixture = Fixture::new("");
    let file = fixture.file("a.wasm", &component(1, "notification = true"));
    let mut has_changed = false;
    let manifest = fixture.home.places().manifest(&name("a"));
    let person = Person::answering(&[Answer::Always]).while_thinking(|| {
        if !std::mem::replace(&mut has_changed, true) {
            std::fs::create_dir_all(manifest.parent().expect("below")).expect("made");
            std::fs::write(&manifest, "[capabilities]\nconfig-read = true\n").expect("written");
        }
    });
    let installer = fixture.remote.installer(fixture.surroundings(), &person);
    let committed = new(install(&installer, &file, InstallOptions::default()));
    // The second time, its owner has decided, so there is no question.
    assert_eq!(person.shown().len(), 1);
    assert_eq!(fixture.granted("a"), ["config-read"]);
    assert_eq!(committed.decision.denied.len(), 1);
}

/// A manifest that names another reference than when its pin was planned is left alone.
#[test]
fn edited_reference_ends_the_pin() {
    let fixture = Fixture::new("");
    fixture.remote.publish("a:1.0.0", &component(1, ""));
    let (one, two) = (fixture.remote.reference("a:1.0.0"), fixture.remote.reference("a:2.0.0"));
    let manifest = fixture.home.places().manifest(&name("a"));
    std::fs::create_dir_all(manifest.parent().expect("below")).expect("made");
    let edited = format!("[extension]\noci = \"{two}\"\n");
    std::fs::write(&manifest, &edited).expect("written");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let options = InstallOptions { planned: Some(&one), ..Default::default() };
    let ended = install(&installer, &one.to_string(), options);
    assert!(matches!(ended, Err(InstallError::Changed(_))));
    assert_eq!(std::fs::read_to_string(&manifest).expect("there"), edited);
}

#[test]
fn moved_tag_and_downgrade_are_refused() {
    let fixture = Fixture::new("");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let source = |rest: &str| fixture.remote.reference(rest).to_string();
    for version in [1, 2] {
        fixture.remote.publish(&format!("a:{version}.0.0"), &component(version, ""));
    }
    new(install(&installer, &source("a:2.0.0"), InstallOptions::default()));
    let older = install(&installer, &source("a:1.0.0"), InstallOptions::default());
    assert!(matches!(older, Err(InstallError::Downgrade(_))));
    let digest = fixture.remote.publish("a:2.0.0", &component(3, ""));
    let moved = install(&installer, &source("a:2.0.0"), InstallOptions::default());
    assert!(matches!(moved, Err(InstallError::TagMoved(_))));
    let named = source(&format!("a:2.0.0@{digest}"));
    let options = InstallOptions { names_bytes: true, ..InstallOptions::default() };
    assert!(new(install(&installer, &named, options)).replaced.is_some());
    let options = InstallOptions { allow_downgrade: true, ..InstallOptions::default() };
    new(install(&installer, &source("a:1.0.0"), options));
}

/// A pinned and installed artifact is not requested, and an unchanged tag is not fetched.
#[test]
fn installed_bytes_are_not_fetched() {
    let fixture = Fixture::new("");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    fixture.remote.publish("a:1.0.0", &component(1, ""));
    let source = fixture.remote.reference("a:1.0.0").to_string();
    let committed = new(install(&installer, &source, InstallOptions::default()));
    let before = fixture.remote.requests();
    let pinned = committed.reference.to_string();
    let again = install(&installer, &pinned, InstallOptions::default()).expect("installed");
    assert!(matches!(again, Installation::Already { .. }));
    assert_eq!(fixture.remote.requests(), before);
    install(&installer, &source, InstallOptions::default()).expect("installed");
    assert_eq!(fixture.remote.requests(), before + 1, "the tag alone");
}

#[test]
fn name_of_other_bytes_is_kept() {
    let fixture = Fixture::new("");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let old = fixture.file("a.wasm", &component(1, ""));
    let options = InstallOptions { grant: &grants(&["notification"]), ..Default::default() };
    new(install(&installer, &old, options));
    let new_file = fixture.file("b.wasm", &component(2, ""));
    let refused = install_as(&installer, &new_file, Some(&name("a")), InstallOptions::default());
    assert!(matches!(refused, Err(InstallError::OtherFile { .. })));
    let replacing = || InstallOptions { name_use: NameUse::Replace, ..Default::default() };
    let person = Person::refusing();
    let installer = fixture.remote.installer(fixture.surroundings(), &person);
    let refused = install_as(&installer, &new_file, Some(&name("a")), replacing());
    assert!(matches!(refused, Err(InstallError::NotReplaced { .. })));
    assert_eq!(person.shown(), ["replace a, which keeps notification"]);
    let person = Person::answering(&[]);
    let installer = fixture.remote.installer(fixture.surroundings(), &person);
    let committed = new(install_as(&installer, &new_file, Some(&name("a")), replacing()));
    assert!(committed.replaced.is_some());
    assert_eq!(fixture.granted("a"), ["notification"]);
}

#[test]
fn source_policy_comes_first() {
    let fixture = Fixture::new("allowed_registries = [\"ghcr.io\"]\n");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let source = fixture.remote.reference("a:1.0.0").to_string();
    let refused = install(&installer, &source, InstallOptions::default());
    assert!(matches!(refused, Err(InstallError::Policy(_))));
    assert_eq!(fixture.remote.requests(), 0);
}

/// Of a repository, the newest version is taken.
#[test]
fn newest_version_is_chosen() {
    let fixture = Fixture::new("");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let repository = fixture.remote.reference("a:x").to_string().replace(":x", "");
    let none = install(&installer, &repository, InstallOptions::default());
    assert!(none.is_err());
    for tag in ["1.0.0", "1.10.0", "1.9.0", "stable"] {
        fixture.remote.publish(&format!("a:{tag}"), &component(1, ""));
    }
    let committed = new(install(&installer, &repository, InstallOptions::default()));
    assert_eq!(committed.reference.revision(), "1.10.0");
}

/// A binary that cannot start here is not installed.
#[test]
fn unlinkable_code_is_refused() {
    let fixture = Fixture::new("");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let binary = wat::parse_str("(module (import \"unknown\" \"f\" (func)))").expect("valid");
    let file = fixture.file("a.wasm", &binary);
    let refused = install(&installer, &file, InstallOptions::default());
    assert!(matches!(refused, Err(InstallError::Examine(_))));
    assert!(fixture.manager.depot().manifest(&name("a")).expect("readable").is_none());
}

/// A look-alike of an installed name is warned of, and its user decides.
#[test]
fn look_alike_is_warned_of() {
    let fixture = Fixture::new("");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    for file in ["weather.wasm", "wether.wasm"] {
        let file = fixture.file(file, &component(1, ""));
        new(install(&installer, &file, InstallOptions::default()));
    }
    let warning = "`wether` is one letter away from the installed `weather`";
    assert!(fixture.home.events().iter().any(|event| event == warning));
}

/// A manifest that its user wrote before decides about the grants.
#[test]
fn earlier_manifest_decides() {
    let fixture = Fixture::new("");
    let depot = Depot::new(fixture.home.places());
    let file = fixture.file("a.wasm", &component(1, "notification = true"));
    let manifest = fixture.home.places().manifest(&name("a"));
    std::fs::create_dir_all(manifest.parent().expect("below")).expect("made");
    std::fs::write(&manifest, "[capabilities]\n").expect("written");
    let person = Person::answering(&[Answer::Always]);
    let installer = fixture.remote.installer(fixture.surroundings(), &person);
    let grant_requested = InstallOptions { grant_requested: true, ..Default::default() };
    new(install(&installer, &file, grant_requested));
    assert!(person.shown().is_empty() && fixture.granted("a").is_empty());
    let history = depot.history(&name("a")).expect("a history");
    let last = history.generations.last().expect("a generation");
    assert_eq!(last.reason, Reason::Installed);
    let loaded = depot.manifest(&name("a")).expect("readable").expect("there");
    assert_eq!(loaded.manifest.capabilities, Some(Capabilities::default()));
}

/// A declined required permission ends the install, and so does a no.
#[test]
fn refusal_installs_nothing() {
    let fixture = Fixture::new("");
    let file = fixture.file("a.wasm", &component(1, "notification = true"));
    for (person, is_declined) in
        [(Person::answering(&[Answer::No]), false), (Person::refusing(), true)]
    {
        let installer = fixture.remote.installer(fixture.surroundings(), &person);
        let refused = install(&installer, &file, InstallOptions::default());
        assert_eq!(matches!(refused, Err(InstallError::Declined { .. })), is_declined);
        assert_eq!(matches!(refused, Err(InstallError::NotAllowed { .. })), !is_declined);
        assert!(fixture.manager.depot().manifest(&name("a")).expect("readable").is_none());
    }
}
