//! The engine with real threads and clocks, and guests that only count.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use core_types::event::Settings;

use super::{Engine, Parts};
use crate::delivery::{Arrival, Delivery, Recipients, Subscriber, Wake};
use crate::sources::SourceState;
use crate::testing::{self, Changing, LONG, parts};

fn subscriber(name: &str, events: &[&str]) -> Subscriber {
    let wake = |event: &&str| Wake::by(event.parse().expect(event));
    testing::subscriber(name, events.iter().map(wake).collect())
}

fn started(subscribers: Vec<Subscriber>) -> (Engine, Changing, Receiver<Delivery>) {
    let changing = Changing::default();
    changing.set(subscribers);
    let (parts, delivered) = parts(&changing, Vec::new());
    (Engine::start(parts).expect("started"), changing, delivered)
}

fn custom(topic: &str) -> Arrival {
    let name = format!("custom.{topic}").parse().expect(topic);
    Arrival::custom(name, String::new(), "program", 0)
}

fn name_of(delivered: &Receiver<Delivery>) -> String {
    delivered.recv_timeout(LONG).expect("a delivery").occurrence.name.to_string()
}

/// An event reaches those that hear it, at once.
#[test]
fn event_is_delivered() {
    let (engine, _, delivered) = started(vec![subscriber("a", &["custom.*"])]);
    assert_eq!(engine.inbox().emit(custom("x")), Ok(Ok(1)));
    assert_eq!(name_of(&delivered), "custom.x");
}

/// A delivery that panics is an end like any other.
#[test]
fn panic_ends_one_delivery() {
    let (engine, _, delivered) = started(vec![subscriber("a", &["custom.*"])]);
    engine.inbox().put(custom("panic")).expect("running");
    engine.inbox().put(custom("x")).expect("running");
    assert_eq!(name_of(&delivered), "custom.x");
    let status = engine.status().expect("running");
    assert_eq!(status.extensions[0].deliveries, 2);
}

/// Timers fire by themselves, as often as their extension wants.
#[test]
fn timer_fires() {
    let mut every = subscriber("a", &["time.every"]);
    every.wakes[0].settings = Settings::Every { every: Duration::from_secs(1), exact: true };
    let (engine, _, delivered) = started(vec![every]);
    for _ in 0..2 {
        assert_eq!(name_of(&delivered), "time.every");
    }
    assert!(engine.status().expect("running").extensions[0].next_every.is_some());
}

/// A change of the extensions is seen, within a second, and of settings the extension is told.
#[test]
fn change_is_seen() {
    let (engine, changing, delivered) = started(Vec::new());
    assert_eq!(engine.inbox().emit(custom("x")), Ok(Ok(0)));
    let mut added = subscriber("a", &["custom.*", "config.changed"]);
    changing.set(vec![added.clone()]);
    engine.inbox().changed().expect("running");
    while engine.inbox().emit(custom("x")) == Ok(Ok(0)) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(name_of(&delivered), "custom.x");
    added.config = core_types::parse_toml("city = \"Oslo\"").expect("settings").value;
    changing.set(vec![added]);
    engine.inbox().changed().expect("running");
    assert_eq!(name_of(&delivered), "config.changed");
}

/// Waits for a look of the engine at these extensions.
fn look(engine: &Engine, changing: &Changing, subscribers: Vec<Subscriber>) {
    changing.set(subscribers);
    let before = changing.looks();
    engine.inbox().changed().expect("running");
    while changing.looks() == before {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An extension whose manifest cannot be read at one look keeps its waiting events, and is told of the
/// settings that it has after it. One that was removed in between is a new one.
#[test]
fn extension_outlasts_an_unreadable_manifest() {
    let named = |name| subscriber(name, &["custom.*", "config.changed"]);
    let other = |name| {
        let config = core_types::parse_toml("city = \"Oslo\"").expect("settings").value;
        Subscriber { config, ..named(name) }
    };
    let (engine, changing, delivered) = started(vec![named("removed"), named("broken")]);
    engine.inbox().set_locked(true).expect("running");
    assert_eq!(engine.inbox().emit(custom("x")), Ok(Ok(2)));
    look(&engine, &changing, Vec::new());
    look(&engine, &changing, vec![other("removed"), other("broken")]);
    engine.inbox().set_locked(false).expect("running");
    let told = || {
        let told = delivered.recv_timeout(LONG).expect("a delivery");
        (told.name.to_string(), told.occurrence.name.to_string())
    };
    let mut both = [told(), told()];
    both.sort();
    let expected = ["config.changed", "custom.x"];
    assert_eq!(both, expected.map(|event| ("broken".to_owned(), event.to_owned())));
    assert!(delivered.recv_timeout(Duration::from_millis(300)).is_err(), "nothing else changed");
}

/// One whose manifest stays broken is not heard any more.
#[test]
fn broken_manifest_ends_after_a_look() {
    let (engine, changing, _delivered) = started(vec![subscriber("broken", &["custom.*"])]);
    assert_eq!(engine.inbox().emit(custom("x")), Ok(Ok(1)));
    look(&engine, &changing, Vec::new());
    let begun = std::time::Instant::now();
    while engine.inbox().emit(custom("x")) != Ok(Ok(0)) {
        assert!(begun.elapsed() < LONG, "it hears still");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The lock holds events back, and they come after it.
#[test]
fn lock_holds_back() {
    let (engine, _, delivered) = started(vec![subscriber("a", &["custom.*"])]);
    engine.inbox().set_locked(true).expect("running");
    assert_eq!(engine.inbox().emit(custom("x")), Ok(Ok(1)), "it waits");
    assert_eq!(engine.status().expect("running").extensions[0].waiting, 1);
    engine.inbox().set_locked(false).expect("running");
    assert_eq!(name_of(&delivered), "custom.x");
}

/// A stopped engine ends its deliveries, and says so to everybody else.
#[test]
fn stop_ends_the_engine() {
    let (engine, _, delivered) = started(vec![subscriber("a", &["custom.*"])]);
    let inbox = engine.inbox();
    engine.stop();
    assert!(inbox.put(custom("x")).is_err() && inbox.emit(custom("x")).is_err());
    assert!(delivered.try_recv().is_err());
}

/// A source without listeners is idle, and the status has it.
#[test]
fn status_names_sources() {
    let files = crate::Files::new("/home/someone".into(), |_, _, _| Some(0));
    let (parts, _delivered) = parts(&Changing::default(), vec![Box::new(files)]);
    let engine = Engine::start(Parts { max_parallel: 0, ..parts }).expect("started");
    let status = engine.status().expect("running");
    assert_eq!(status.sources, [("files", SourceState::Idle)]);
    let lost = Arrival { to: Recipients::One("gone".parse().expect("a name")), ..custom("x") };
    assert_eq!(engine.inbox().emit(lost), Ok(Ok(0)));
}
