//! Rollbacks: which generation comes back, and with which grants.

use core_types::{ActivityEvent, ChangeKind, ChangeOutcome};
use extension_depot::{EffectiveConfig, GenerationError, Reason};
use extension_manager::{
    Answer, Direction, InstallError, InstallOptions, Nobody, RollbackError, UpdateOptions,
};

use crate::fixture::{Fixture, grants, new};
use crate::support::name;
use crate::support::person::Person;
use crate::support::registry::{component, install};

/// A home in which `a` was version 1 with a grant, and is version 2 without.
fn updated() -> Fixture {
    let fixture = Fixture::new("");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    fixture.remote.publish("a:1.0.0", &component(1, "notification = true"));
    let source = fixture.remote.reference("a:1.0.0").to_string();
    let options = InstallOptions { grant: &grants(&["notification"]), ..Default::default() };
    new(install(&installer, &source, options));
    fixture.remote.publish("a:2.0.0", &component(2, ""));
    installer.update(&name("a"), &UpdateOptions::default()).expect("updated");
    fixture
}

#[test]
fn earlier_version_comes_back() {
    let fixture = updated();
    let requests = fixture.remote.requests();
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let back = installer.roll_back(&name("a"), None, false).expect("rolled back");
    assert_eq!(back.committed.version, "1.0.0");
    let direction = back.committed.replaced.map(|replaced| replaced.direction);
    assert_eq!(direction, Some(Direction::Downgrade));
    assert_eq!(fixture.granted("a"), ["notification"], "it has it still");
    assert_eq!(fixture.remote.requests(), requests, "nothing is fetched");
}

/// A grant that was revoked since is asked for again.
#[test]
fn revoked_grant_is_asked_for() {
    for (answers, expected) in [(&[Answer::Always][..], 1), (&[], 0)] {
        let fixture = updated();
        fixture.home.edit("a", |text| text.replace("notification = true\n", ""));
        let person = Person::answering(answers);
        let installer = fixture.remote.installer(fixture.surroundings(), &person);
        let back = installer.roll_back(&name("a"), None, false).expect("rolled back");
        assert_eq!(person.shown(), ["a 1.0.0, : notification"]);
        assert_eq!(back.committed.decision.granted.len(), expected);
        assert_eq!(fixture.granted("a").len(), expected);
    }
}

#[test]
fn missing_generation_is_named() {
    let fixture = Fixture::new("");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let file = fixture.file("a.wasm", &component(1, ""));
    new(install(&installer, &file, InstallOptions::default()));
    let none = installer.roll_back(&name("a"), Some(7), false).expect_err("there is none");
    assert_eq!(none.to_string(), "`a` has no generation 7");
    let other = installer.roll_back(&name("a"), None, false);
    assert!(matches!(other, Err(RollbackError::NoOther { .. })));
}

/// A generation whose bytes are gone is refused, and the installed version stays.
#[test]
fn lost_bytes_are_not_restored() {
    let fixture = updated();
    let depot = fixture.manager.depot();
    let history = depot.history(&name("a")).expect("a history");
    let binary = history.generation(1).and_then(|first| first.binary).expect("a digest");
    let path = fixture.home.places().blob(&binary);
    let bytes = std::fs::read(&path).expect("there");
    for damage in [&|| std::fs::write(&path, "other").expect("written") as _, &|| {
        std::fs::remove_file(&path).expect("there");
    }] as [&dyn Fn(); 2]
    {
        damage();
        let gone = fixture.installer(&Nobody).roll_back(&name("a"), None, false);
        let Err(RollbackError::Generation(error)) = gone else { panic!("{gone:?}") };
        assert!(matches!(error, GenerationError::Gone { number: 1, .. }), "{error}");
        assert_eq!(fixture.version("a").as_deref(), Some("2.0.0"));
    }
    std::fs::write(&path, bytes).expect("written");
    fixture.installer(&Nobody).roll_back(&name("a"), Some(1), false).expect("its bytes are back");
}

/// Grants of then that are gone are given without a question on request.
#[test]
fn accepted_grants_come_back() {
    let fixture = updated();
    fixture.home.edit("a", |text| text.replace("notification = true\n", ""));
    let person = Person::answering(&[]);
    let back = fixture.installer(&person).roll_back(&name("a"), None, true).expect("rolled back");
    assert!(person.shown().is_empty());
    assert_eq!(back.committed.decision.granted, grants(&["notification"]));
    assert_eq!(fixture.granted("a"), ["notification"]);
}

/// A person who does not want it keeps the installed version.
#[test]
fn declined_rollback_changes_nothing() {
    let fixture = updated();
    fixture.home.edit("a", |text| text.replace("notification = true\n", ""));
    let person = Person::refusing();
    let refused = fixture.installer(&person).roll_back(&name("a"), None, false);
    let error = refused.expect_err("declined");
    assert_eq!(error.to_string(), "`a` is not rolled back");
    assert_eq!(fixture.version("a").as_deref(), Some("2.0.0"));
}

/// A broken manifest is what one goes back from: the last known grants count as present.
#[test]
fn broken_manifest_is_left_behind() {
    let fixture = updated();
    fixture.home.edit("a", |text| text + "[[[\n");
    let back = fixture.installer(&Nobody).roll_back(&name("a"), Some(1), false);
    assert_eq!(back.expect("rolled back").to, 1);
    assert_eq!(fixture.granted("a"), ["notification"]);
    let history = fixture.manager.depot().history(&name("a")).expect("a history");
    let last = history.generations.last().expect("a generation");
    assert_eq!(last.reason, Reason::RolledBack(1));
}

/// A place that a policy has blocked since is not gone back to, and the refusal is logged.
#[test]
fn blocked_place_is_not_restored() {
    let fixture = updated();
    let policy = format!("blocked_namespaces = [\"{}/my-org\"]\n", fixture.remote.host());
    std::fs::write(fixture.home.places().system_policy, policy).expect("written");
    let fixture = Fixture {
        config: EffectiveConfig::load(&fixture.home.places()).expect("a configuration"),
        ..fixture
    };
    let refused = fixture.installer(&Nobody).roll_back(&name("a"), None, false);
    let Err(RollbackError::Install(error)) = refused else { panic!("{refused:?}") };
    assert!(matches!(*error, InstallError::Policy(_)), "{error}");
    let entries = fixture.manager.depot().activity().entries();
    let last = entries.last().map(|entry| &entry.event);
    let Some(ActivityEvent::Change(change)) = last else { panic!("{last:?}") };
    assert_eq!((change.kind, change.outcome), (ChangeKind::Rollback, ChangeOutcome::Refused));
}

/// Going back twice leads to and fro.
#[test]
fn rollback_is_undone_by_another() {
    let fixture = updated();
    let installer = fixture.installer(&Nobody);
    installer.roll_back(&name("a"), None, false).expect("rolled back");
    assert_eq!(fixture.version("a").as_deref(), Some("1.0.0"));
    let forth = installer.roll_back(&name("a"), None, false).expect("rolled back");
    assert_eq!(fixture.version("a").as_deref(), Some("2.0.0"));
    let direction = forth.committed.replaced.map(|replaced| replaced.direction);
    assert_eq!(direction, Some(Direction::Upgrade));
}
