//! The storage of installed extensions: it belongs to the origin, through updates and rollbacks.

use core_types::{ExtensionName, StoredValues};
use extension_manager::{
    Answer, CallMode, InstallError, InstallOptions, Nobody, Session, SessionError, UpdateError,
    UpdateOptions,
};
use test_support::asking;

use crate::fixture::{Fixture, grants, new};
use crate::support::person::Person;
use crate::support::registry::install;
use crate::support::{name, words};

/// A guest that uses every function. It says in its head what its numbers mean.
const GUEST: &str = include_str!("../../../tests/guests/storage.wat");

/// Publishes a version that asks for this.
fn publish(fixture: &Fixture, version: &str, asks: &str) {
    let guest = wat::parse_str(GUEST).expect("valid text");
    // The version makes other bytes.
    let binary = asking(&guest, &format!("# {version}\n[capabilities]\n{asks}\n"));
    fixture.remote.publish(&format!("keeper:{version}"), &binary);
}

/// A home in which version 1 is installed with what it asks for.
fn keeper(asks: &str) -> Fixture {
    let fixture = Fixture::new("");
    publish(&fixture, "1.0.0", asks);
    let source = fixture.remote.reference("keeper:1.0.0").to_string();
    let installer = fixture.installer(&Nobody);
    new(install(
        &installer,
        &source,
        InstallOptions { grant_requested: true, ..Default::default() },
    ));
    fixture
}

fn keeper_name() -> ExtensionName {
    name("keeper")
}

fn called<const N: usize>(fixture: &Fixture, function: &str, arguments: [&str; N]) -> String {
    let callable = fixture.manager.callable(&keeper_name(), CallMode::Ordinary).expect("callable");
    callable.call_blocking(function, &words(arguments)).outcome.expect("a value").to_text()
}

fn stored(fixture: &Fixture) -> StoredValues {
    let depot = fixture.manager.depot();
    let installed = depot.installed(&keeper_name()).expect("installed");
    depot.storage(&installed.reference.identity()).peek().expect("readable")
}

/// An update and a rollback find the data of the version before.
#[test]
fn data_survives_update_and_rollback() {
    let fixture = keeper("storage = true");
    assert_eq!(called(&fixture, "count", []), "1001");
    publish(&fixture, "2.0.0", "storage = true");
    let installer = fixture.installer(&Nobody);
    installer.update(&keeper_name(), &UpdateOptions::default()).expect("updated");
    assert_eq!(fixture.version("keeper").as_deref(), Some("2.0.0"));
    assert_eq!(called(&fixture, "count", []), "1002");
    installer.roll_back(&keeper_name(), None, false).expect("rolled back");
    assert_eq!(fixture.version("keeper").as_deref(), Some("1.0.0"));
    assert_eq!(called(&fixture, "count", []), "1003");
    assert_eq!(stored(&fixture).len(), 1);
}

/// More room is asked for, and less is taken without a question.
#[test]
fn update_asks_for_more_room() {
    let fixture = keeper("storage = true");
    publish(&fixture, "2.0.0", "storage = { max_kib = 512 }");
    let refused = fixture.installer(&Nobody).update(&keeper_name(), &UpdateOptions::default());
    let Err(UpdateError::Install(error)) = refused else { panic!("{refused:?}") };
    let InstallError::AsksForMore { missing, .. } = *error else { panic!("{error:?}") };
    assert_eq!(missing[0].grant, "storage=512KiB");
    let person = Person::answering(&[Answer::Always]);
    let updated = fixture.installer(&person).update(&keeper_name(), &UpdateOptions::default());
    assert_eq!(updated.expect("updated").decision.granted, grants(&["storage=512KiB"]));
    assert_eq!(fixture.granted("keeper"), ["storage=512KiB"]);
    publish(&fixture, "3.0.0", "storage = { max_kib = 300 }");
    let updated = fixture.installer(&Nobody).update(&keeper_name(), &UpdateOptions::default());
    assert!(updated.expect("nothing is asked").is_applied);
}

/// An embedding program has the same storage, and a call that is stopped changes nothing there.
#[test]
fn session_keeps_data() {
    let fixture = keeper("storage = true");
    let session = Session::of(fixture.home.manager());
    session.call("keeper", "set", ["a", "1"]).expect("kept");
    session.call("keeper", "set-then", ["b", "1", "2"]).expect_err("it traps");
    let error = session.call("keeper", "set-then", ["c", "1", "1"]).expect_err("an error");
    assert!(matches!(error, SessionError::Returned(_)), "{error:?}");
    let values = stored(&fixture);
    let keys: Vec<_> = values.keys("").map(ToString::to_string).collect();
    assert_eq!(keys, ["a", "c"]);
}

/// A storage that cannot be opened is unavailable, and there again when it can.
#[test]
fn unusable_storage_is_unavailable() {
    let fixture = keeper("storage = true");
    let callable = fixture.manager.callable(&keeper_name(), CallMode::Ordinary).expect("callable");
    let directory = fixture.home.places().state.join("extensions/storage");
    std::fs::write(&directory, "in the way").expect("written");
    let report = callable.call_blocking("set", &words(["a", "1"]));
    assert_eq!(report.outcome.expect("told").to_text(), "3", "unavailable");
    std::fs::remove_file(&directory).expect("removed");
    callable.call_blocking("set", &words(["a", "1"])).outcome.expect("kept");
}
