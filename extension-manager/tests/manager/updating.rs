//! Updates: newer versions, their requests, and the state that stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use extension_manager::{
    Age, Answer, InstallError, InstallOptions, Nobody, UpdateError, UpdateOptions, known_tags,
};

use crate::fixture::{Fixture, grants, new};
use crate::support::name;
use crate::support::person::Person;
use crate::support::registry::{Remote, Response, component, install};

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

/// Returns a home with `a` in this version, below this policy.
fn with_version(tag: &str, requests: &str, policy: &str) -> Fixture {
    let fixture = Fixture::new(policy);
    let source = fixture.publish(&format!("a:{tag}"), &component(1, requests));
    new(install(&fixture.installer(&Nobody), &source, InstallOptions::default()));
    fixture
}

/// What a newer version asks for decides whether it is taken: an optional request does not keep it
/// back, and a denial of policy only where its user accepts the rest.
#[test]
fn requests_decide_about_an_update() {
    let denied = "deny = [\"notification\"]\n";
    for (requests, policy, accept, is_taken) in [
        ("", "", false, true),
        ("notification = true", "", false, false),
        ("notification = true", "", true, true),
        ("network = [{ host = \"a.example\", optional = true }]", "", false, true),
        ("notification = true", denied, false, false),
        ("notification = true", denied, true, true),
    ] {
        let fixture = with_version("1.0.0", "", policy);
        fixture.publish("a:2.0.0", &component(2, requests));
        let options = UpdateOptions { accept, ..UpdateOptions::default() };
        let updated = fixture.installer(&Nobody).update(&name("a"), &options);
        assert_eq!(updated.is_ok(), is_taken, "{requests} {policy} {accept}: {updated:?}");
        let expected = if is_taken { "2.0.0" } else { "1.0.0" };
        assert_eq!(fixture.version("a").as_deref(), Some(expected), "{requests} {policy}");
    }
}

/// A registry that has only older versions has nothing newer, and a version that cannot start here
/// leaves the installed one alone.
#[test]
fn unusable_versions_are_not_taken() {
    let fixture = with_version("2.0.0", "", "");
    fixture.publish("a:1.0.0", &component(2, ""));
    let installer = fixture.installer(&Nobody);
    let none = installer.update(&name("a"), &UpdateOptions::default()).expect("looked for");
    assert_eq!((none.age, none.to, none.is_applied), (Age::Newest, None, false));
    let unlinkable = wat::parse_str("(module (import \"unknown\" \"f\" (func)))").expect("valid");
    fixture.publish("a:3.0.0", &unlinkable);
    for dry_run in [true, false] {
        let options = UpdateOptions { dry_run, ..UpdateOptions::default() };
        let refused = installer.update(&name("a"), &options);
        let Err(UpdateError::Install(error)) = refused else { panic!("{refused:?}") };
        assert!(matches!(*error, InstallError::Examine(_)), "{error}");
    }
    assert_eq!(fixture.version("a").as_deref(), Some("2.0.0"));
    let missing = installer.update(&name("b"), &UpdateOptions::default());
    assert!(missing.is_err(), "it is not installed");
}

/// The state of each kind of tag in its registry; only a look without an update notices that a
/// version has moved.
#[test]
fn tags_are_compared_with_the_registry() {
    for (tag, moved, in_update) in
        [("1.0.0", Age::Moved, Age::Newest), ("stable", Age::Moved, Age::Moved)]
    {
        let fixture = with_version(tag, "", "");
        let installer = fixture.installer(&Nobody);
        let same = installer.available(&name("a")).expect("asked").age;
        let expected = if tag == "stable" { Age::NoVersion } else { Age::Newest };
        assert_eq!(same, expected, "{tag}");
        fixture.publish(&format!("a:{tag}"), &component(2, ""));
        assert_eq!(installer.available(&name("a")).expect("asked").age, moved, "{tag}");
        let newer = installer.newer(&name("a"), &UpdateOptions::default()).expect("asked");
        assert_eq!(newer.age, in_update, "{tag}");
        assert_eq!(newer.target.is_some(), in_update == Age::Moved, "{tag}");
    }
}

#[test]
fn withdrawn_tag_is_no_error() {
    let is_gone = Arc::new(AtomicBool::new(false));
    let intercepted = is_gone.clone();
    let remote = Remote::start_with(move |seen| {
        let is_tag = seen.path.contains("/manifests/stable");
        (is_tag && intercepted.load(Ordering::Relaxed)).then_some(Response(404))
    });
    let fixture = Fixture::beside(remote, "");
    let source = fixture.publish("a:stable", &component(1, ""));
    new(install(&fixture.installer(&Nobody), &source, InstallOptions::default()));
    is_gone.store(true, Ordering::Relaxed);
    let available = fixture.installer(&Nobody).available(&name("a")).expect("asked");
    assert_eq!((available.age, available.target), (Age::Withdrawn, None));
}

/// A file has no newer versions, and is not asked for.
#[test]
fn local_extension_has_no_newer() {
    let fixture = Fixture::new("");
    let file = fixture.file("a.wasm", &component(1, ""));
    let installer = fixture.installer(&Nobody);
    new(install(&installer, &file, InstallOptions::default()));
    let updated = installer.update(&name("a"), &UpdateOptions::default()).expect("looked at");
    assert_eq!((updated.age, updated.to), (Age::Local, None));
    assert_eq!(fixture.remote.requests(), 0);
}

/// Of several versions, the newest that has been known for long enough is taken; one that moved
/// since is news again.
#[test]
fn version_known_for_long_is_taken() {
    let fixture = with_version("1.0.0", "", "min_release_age = \"7d\"\n");
    let installer = fixture.installer(&Nobody);
    fixture.publish("a:2.0.0", &component(2, ""));
    let options = UpdateOptions::default();
    assert_eq!(installer.newer(&name("a"), &options).expect("asked").age, Age::TooNew);
    fixture.edit_state("first-seen", |text| {
        let at = text.find("\"since\"").expect("a time");
        let year = at + text[at..].find("20").expect("a year");
        format!("{}2020{}", &text[..year], &text[year + 4..])
    });
    fixture.publish("a:3.0.0", &component(3, ""));
    let found = installer.newer(&name("a"), &options).expect("asked");
    assert_eq!((found.age, found.newest.as_deref()), (Age::Outdated, Some("2.0.0")));
    let target = found.target.expect("a target");
    assert!(target.provenance().is_some(), "pinned to the bytes that were known: {target}");
    fixture.publish("a:2.0.0", &component(4, ""));
    assert_eq!(installer.newer(&name("a"), &options).expect("asked").age, Age::TooNew);
}

/// Tags are listed with the newest first, and kept for completions.
#[test]
fn tags_are_listed_and_kept() {
    let fixture = Fixture::new("");
    for tag in ["1.0.0", "1.10.0", "1.9.0"] {
        fixture.publish(&format!("a:{tag}"), &component(1, ""));
    }
    let query = fixture.remote.reference("a:x").repository_query();
    let tags = fixture.installer(&Nobody).tags(&query).expect("listed");
    assert_eq!(tags, ["1.10.0", "1.9.0", "1.0.0"]);
    let kept = known_tags(&fixture.home.places(), &query.to_string());
    assert_eq!(kept, tags);
}
