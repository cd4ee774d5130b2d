//! What NetworkManager says, and what comes of it.

use std::collections::HashMap;

use proptest::prelude::*;
use zbus::zvariant::{ObjectPath, Value};

use super::*;
use crate::Wake;
use crate::engine::Forgetful;
use crate::testing::{Remembering, subscriber};

const FIRST: &str = "/org/freedesktop/NetworkManager/ActiveConnection/1";
const SECOND: &str = "/org/freedesktop/NetworkManager/ActiveConnection/2";

fn hearing(event: &str, settings: Settings) -> NetworkManager {
    hearing_with(Arc::new(Forgetful), event, settings)
}

fn hearing_with(memory: Arc<dyn SessionMemory>, event: &str, settings: Settings) -> NetworkManager {
    let by = Wake::by(event.parse().expect(event));
    let mut manager = NetworkManager::new(memory);
    manager.hear(&[subscriber("a", vec![Wake { settings, ..by }])]);
    manager
}

fn wifi(names: Option<&[&str]>) -> NetworkManager {
    let ssid = names.map(|names| names.iter().map(|name| name.parse().expect(name)).collect());
    hearing("network.wifi", Settings::Wifi { ssid })
}

fn path(path: &str) -> Value<'_> {
    ObjectPath::try_from(path).expect(path).into()
}

fn connections(manager: &mut NetworkManager, paths: &[&str]) -> Vec<Question> {
    let paths: Vec<_> = paths.iter().map(|it| ObjectPath::try_from(*it).expect("a path")).collect();
    let changed = HashMap::from([("ActiveConnections", Value::from(paths))]);
    manager.signal(
        NAME,
        &Signal::Properties { path: ROOT, interface: NAME, changed, is_partial: false },
    )
}

fn connection<'a>(kind: &'a str, state: u32, point: &'a str) -> Answer<'a> {
    Answer::Properties(HashMap::from([
        ("Type", kind.into()),
        ("State", state.into()),
        ("SpecificObject", path(point)),
    ]))
}

/// Joins a wireless network through a new access point, and returns the names that are told.
fn join(manager: &mut NetworkManager, point: &str, ssid: Value<'_>) -> Vec<Vec<EventValue>> {
    for question in connections(manager, &[FIRST]) {
        manager.answer(NAME, &question, &connection("802-11-wireless", 2, point));
    }
    let changed = HashMap::from([("SpecificObject", path(point))]);
    manager.signal(
        NAME,
        &Signal::Properties { path: FIRST, interface: CONNECTION, changed, is_partial: false },
    );
    let named = Answer::Properties(HashMap::from([("Ssid", ssid)]));
    manager.answer(NAME, &Question::properties(point, ACCESS_POINT), &named);
    told(manager)
}

fn told(manager: &mut NetworkManager) -> Vec<Vec<EventValue>> {
    let arrivals = manager.take(0).arrivals;
    let values =
        |arrival: Arrival| arrival.occurrence.values.into_iter().map(|(_, it)| it).collect();
    arrivals.into_iter().map(values).collect()
}

fn text(text: &str) -> EventValue {
    EventValue::Text(text.to_owned())
}

fn ssid(name: &str) -> Value<'_> {
    name.as_bytes().to_vec().into()
}

/// A change of the state is told with what is known of it, the first state is not.
#[test]
fn change_of_state_is_told() {
    let mut manager = hearing("network.changed", Settings::None);
    let mut change = |name: &'static str, value: Value<'static>| {
        let changed = HashMap::from([(name, value)]);
        let signal = Signal::Properties { path: ROOT, interface: NAME, changed, is_partial: false };
        manager.signal(NAME, &signal);
        told(&mut manager)
    };
    assert!(change("Connectivity", 4_u32.into()).is_empty());
    assert_eq!(change("Metered", 1_u32.into()), [[text("full"), EventValue::Truth(true)]]);
    assert!(change("Metered", 3_u32.into()).is_empty(), "guessed is the same");
    assert_eq!(change("Connectivity", 2_u32.into()), [[text("portal"), EventValue::Truth(true)]]);
    for bad in [Value::from(77_u32), "full".into(), f64::NAN.into()] {
        assert_eq!(change("Connectivity", bad), [[EventValue::Truth(true)]], "left out");
        assert_eq!(change("Connectivity", 1_u32.into()).len(), 1);
    }
}

/// A network is told when it is joined, once, and again after it was left.
#[test]
fn joined_network_is_told() {
    let mut manager = wifi(None);
    assert_eq!(join(&mut manager, "/ap/1", ssid("home")), [[text("home")]]);
    assert!(join(&mut manager, "/ap/2", ssid("home")).is_empty(), "another access point of it");
    assert_eq!(join(&mut manager, "/ap/3", ssid("work")), [[text("work")]]);
    connections(&mut manager, &[]);
    assert!(told(&mut manager).is_empty(), "left");
    assert_eq!(join(&mut manager, "/ap/3", ssid("work")), [[text("work")]]);
    manager.end(NAME);
    assert!(told(&mut manager).is_empty());
    assert!(join(&mut manager, "/ap/3", ssid("work")).is_empty(), "only NetworkManager restarted");
}

/// The next process does not tell the same network again, and does so after the machine left it.
#[test]
fn restart_repeats_no_network() {
    let memory = Arc::new(Remembering::default());
    let start = || hearing_with(memory.clone(), "network.wifi", Settings::Wifi { ssid: None });
    assert_eq!(join(&mut start(), "/ap/1", ssid("home")), [[text("home")]]);
    assert!(join(&mut start(), "/ap/1", ssid("home")).is_empty());
    let mut manager = start();
    assert_eq!(join(&mut manager, "/ap/2", ssid("work")), [[text("work")]]);
    connections(&mut manager, &[]);
    assert!(told(&mut manager).is_empty());
    assert_eq!(join(&mut start(), "/ap/2", ssid("work")), [[text("work")]]);
}

/// Connections by wire, and those that do not come up, have no name.
#[test]
fn other_connections_are_passed_over() {
    let mut manager = wifi(None);
    let asked = connections(&mut manager, &[FIRST, SECOND]);
    assert_eq!(asked.len(), 2);
    assert!(manager.answer(NAME, &asked[0], &connection("802-3-ethernet", 2, "/")).is_empty());
    assert!(manager.answer(NAME, &asked[1], &connection("802-11-wireless", 1, "/ap/1")).is_empty());
    let changed = HashMap::from([("State", 2_u32.into())]);
    let up = Signal::Properties { path: SECOND, interface: CONNECTION, changed, is_partial: false };
    let asked = manager.signal(NAME, &up);
    assert_eq!(asked, [Question::properties("/ap/1", ACCESS_POINT)]);
    manager.answer(NAME, &asked[0], &Answer::Failed);
    assert!(told(&mut manager).is_empty());
}

/// An access point that was left before its name came is not joined.
#[test]
fn late_name_is_ignored() {
    let mut manager = wifi(None);
    for question in connections(&mut manager, &[FIRST]) {
        manager.answer(NAME, &question, &connection("802-11-wireless", 2, "/ap/1"));
    }
    connections(&mut manager, &[]);
    let named = Answer::Properties(HashMap::from([("Ssid", ssid("home"))]));
    manager.answer(NAME, &Question::properties("/ap/1", ACCESS_POINT), &named);
    assert!(told(&mut manager).is_empty());
}

#[test]
fn only_wanted_networks_are_told() {
    let mut manager = wifi(Some(&["home", "wörk"]));
    assert!(join(&mut manager, "/ap/1", ssid("Home")).is_empty());
    assert_eq!(join(&mut manager, "/ap/2", ssid("home")), [[text("home")]]);
    assert!(join(&mut manager, "/ap/3", ssid("home\u{202e}")).is_empty());
    assert_eq!(join(&mut manager, "/ap/4", ssid("wörk")), [[text("wörk")]]);
}

/// A name that is not a text to show is left out, and never one that is waited for.
#[test]
fn hostile_names_are_left_out() {
    let long = "x".repeat(255);
    let names =
        [&b""[..], b"\xff\xfe", b"a\x1b[2Jb", b"a\0b", "\u{202e}emoh".as_bytes(), long.as_bytes()];
    for name in names {
        let none: [EventValue; 0] = [];
        assert_eq!(join(&mut wifi(None), "/ap/1", name.to_vec().into()), [none], "{name:?}");
        assert!(join(&mut wifi(Some(&["home"])), "/ap/1", name.to_vec().into()).is_empty());
    }
    for value in [Value::from("home"), 1_u32.into(), vec!["home"].into()] {
        assert!(join(&mut wifi(Some(&["home"])), "/ap/1", value).is_empty());
    }
}

/// Of endless connections few are asked for.
#[test]
fn connections_are_bounded() {
    let paths: Vec<_> = (0..1000).map(|at| format!("{CONNECTIONS}/{at}")).collect();
    let paths: Vec<_> = paths.iter().map(String::as_str).collect();
    assert_eq!(connections(&mut wifi(None), &paths).len(), MAX_CONNECTIONS);
}

proptest! {
    /// Whatever the bytes, a name that is told is one that a manifest can have.
    #[test]
    fn told_names_are_names(name in prop::collection::vec(any::<u8>(), 0..80)) {
        let told = join(&mut wifi(None), "/ap/1", name.into());
        prop_assert!(told.len() == 1);
        for value in &told[0] {
            let EventValue::Text(text) = value else { panic!("{value:?}") };
            prop_assert!(text.parse::<Ssid>().is_ok() && !text.contains(is_disruptive));
        }
    }
}
