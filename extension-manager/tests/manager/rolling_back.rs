//! Rollbacks: which generation comes back, and with which grants.

use extension_manager::{Answer, Direction, InstallOptions, Nobody, RollbackError, UpdateOptions};

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
