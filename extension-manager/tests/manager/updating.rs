//! Updates: newer versions, their requests, and the state that stays.

use extension_manager::{
    Age, Answer, InstallError, InstallOptions, Nobody, UpdateError, UpdateOptions,
};

use crate::fixture::{Fixture, grants, new};
use crate::support::name;
use crate::support::person::Person;
use crate::support::registry::{component, install};

/// A home with version 1 of `a`, and a registry with version 2, which asks for more.
fn outdated() -> Fixture {
    let fixture = Fixture::new("");
    fixture.remote.publish("a:1.0.0", &component(1, "config-read = true"));
    let source = fixture.remote.reference("a:1.0.0").to_string();
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    new(install(&installer, &source, InstallOptions::default()));
    let asking = component(2, "config-read = true\nnotification = true");
    fixture.remote.publish("a:2.0.0", &asking);
    fixture
}

#[test]
fn newer_version_is_found() {
    let fixture = outdated();
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let available = installer.available(&name("a")).expect("asked");
    assert_eq!((available.age, available.newest.as_deref()), (Age::Outdated, Some("2.0.0")));
    assert_eq!(installer.installed_names().expect("listed"), [name("a")]);
}

/// Without an answer, the installed version stays and is as it was.
#[test]
fn more_requests_are_refused() {
    let fixture = outdated();
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let refused = installer.update(&name("a"), &UpdateOptions::default());
    let Err(UpdateError::Install(error)) = refused else { panic!("{refused:?}") };
    let InstallError::AsksForMore { missing, to, .. } = *error else { panic!("{error:?}") };
    let missing: Vec<_> = missing.iter().map(|denied| denied.grant.as_str()).collect();
    assert_eq!((to.as_str(), &missing[..]), ("2.0.0", &["notification"][..]));
    assert_eq!(fixture.granted("a"), ["config-read"]);
}

#[test]
fn only_the_difference_is_asked() {
    let fixture = outdated();
    let person = Person::answering(&[Answer::Always]);
    let installer = fixture.remote.installer(fixture.surroundings(), &person);
    let updated = installer.update(&name("a"), &UpdateOptions::default()).expect("updated");
    assert!(updated.is_applied && updated.decision.granted == grants(&["notification"]));
    assert_eq!(person.shown(), ["a 2.0.0, unsigned: notification"]);
    let again = installer.update(&name("a"), &UpdateOptions::default()).expect("looked for");
    assert_eq!((again.to, again.age), (None, Age::Newest));
}

#[test]
fn dry_run_changes_nothing() {
    let fixture = outdated();
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let options = UpdateOptions { dry_run: true, ..UpdateOptions::default() };
    let updated = installer.update(&name("a"), &options).expect("looked at");
    assert!(!updated.is_applied && updated.to.is_some());
    assert_eq!(updated.decision.denied.len(), 1);
    assert_eq!(fixture.granted("a"), ["config-read"]);
}

/// A grant that comes while a person thinks is in force afterwards.
#[test]
fn grant_meanwhile_is_kept() {
    let fixture = outdated();
    let mut has_changed = false;
    let person = Person::answering(&[Answer::Always]).while_thinking(|| {
        if !std::mem::replace(&mut has_changed, true) {
            fixture.home.edit("a", |text| text + "clipboard-write = true\n");
        }
    });
    let installer = fixture.remote.installer(fixture.surroundings(), &person);
    installer.update(&name("a"), &UpdateOptions::default()).expect("updated");
    assert_eq!(person.shown().len(), 2, "decided again");
    let granted = fixture.granted("a");
    assert!(granted.contains(&"clipboard-write".to_owned()), "{granted:?}");
}

#[test]
fn pinned_version_stays() {
    let fixture = outdated();
    fixture.manager.depot().lock().expect("free").set_pinned(&name("a"), true).expect("pinned");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let updated = installer.update(&name("a"), &UpdateOptions::default()).expect("looked at");
    assert_eq!((updated.age, updated.to), (Age::Pinned, None));
}

/// A tag that is not a version is followed where it leads, unless its user wants the same bytes.
#[test]
fn moved_tag_is_an_update() {
    let fixture = Fixture::new("");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    fixture.remote.publish("a:stable", &component(1, ""));
    let source = fixture.remote.reference("a:stable").to_string();
    new(install(&installer, &source, InstallOptions::default()));
    fixture.remote.publish("a:stable", &component(2, ""));
    let locked = UpdateOptions { locked: true, ..UpdateOptions::default() };
    let refused = installer.update(&name("a"), &locked);
    assert!(matches!(refused, Err(UpdateError::MovedWhileLocked { .. })));
    let updated = installer.update(&name("a"), &UpdateOptions::default()).expect("updated");
    assert!(updated.is_applied && updated.age == Age::Moved);
}

/// A version that is younger than policy wants is not taken, unless its user says so.
#[test]
fn young_version_waits() {
    let fixture = Fixture::new("min_release_age = \"7d\"\n");
    fixture.remote.publish("a:1.0.0", &component(1, ""));
    let source = fixture.remote.reference("a:1.0.0").to_string();
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    new(install(&installer, &source, InstallOptions::default()));
    fixture.remote.publish("a:2.0.0", &component(2, ""));
    let waiting = installer.newer(&name("a"), &UpdateOptions::default()).expect("looked for");
    assert_eq!((waiting.age, waiting.target), (Age::TooNew, None));
    let now = UpdateOptions { now: true, ..UpdateOptions::default() };
    assert!(installer.update(&name("a"), &now).expect("updated").is_applied);
}
