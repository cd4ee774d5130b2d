//! The engine with real threads and clocks, and guests that only count.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_types::event::Settings;

use super::{Engine, Parts, Subscribers};
use crate::delivery::{Arrival, Delivery, Recipients, Subscriber, Wake};
use crate::engine::{Deliver, Delivered, Forgetful, SystemClock};
use crate::sources::SourceState;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(20);

/// Tells of each delivery.
struct Telling(Mutex<Sender<Delivery>>);

impl Deliver for Telling {
    fn deliver(&self, delivery: &Delivery) -> Delivered {
        assert_ne!(delivery.occurrence.name.as_str(), "custom.panic", "as asked");
        self.0.lock().expect("a sender").send(delivery.clone()).expect("a receiver");
        Delivered { fuel: 1, has_failed: false }
    }
}

/// Extensions that a test can change.
#[derive(Clone, Default)]
struct Changing(Arc<Mutex<Vec<Subscriber>>>);

impl Subscribers for Changing {
    fn list(&mut self) -> Vec<Subscriber> {
        self.0.lock().expect("subscribers").clone()
    }
}

fn subscriber(name: &str, events: &[&str]) -> Subscriber {
    let wake = |event: &&str| Wake::by(event.parse().expect(event));
    let wakes = events.iter().map(wake).collect();
    let min_interval = Duration::from_millis(1);
    Subscriber { min_interval, ..Subscriber::new(name.parse().expect(name), wakes) }
}

fn started(subscribers: Vec<Subscriber>) -> (Engine, Changing, Receiver<Delivery>) {
    let (sender, delivered) = channel();
    let changing = Changing::default();
    *changing.0.lock().expect("subscribers") = subscribers;
    let parts = Parts {
        deliver: Arc::new(Telling(Mutex::new(sender))),
        subscribers: Box::new(changing.clone()),
        sources: Vec::new(),
        clock: Box::new(SystemClock::new()),
        memory: Box::new(Forgetful),
        max_parallel: 2,
    };
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
    changing.0.lock().expect("subscribers").push(added.clone());
    engine.inbox().changed().expect("running");
    while engine.inbox().emit(custom("x")) == Ok(Ok(0)) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(name_of(&delivered), "custom.x");
    added.config = core_types::parse_toml("city = \"Oslo\"").expect("settings").value;
    *changing.0.lock().expect("subscribers") = vec![added];
    engine.inbox().changed().expect("running");
    assert_eq!(name_of(&delivered), "config.changed");
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
    let (sender, _delivered) = channel();
    let engine = Engine::start(Parts {
        deliver: Arc::new(Telling(Mutex::new(sender))),
        subscribers: Box::new(Changing::default()),
        sources: vec![Box::new(crate::Files::new("/home/someone".into(), |_, _| true))],
        clock: Box::new(SystemClock::new()),
        memory: Box::new(Forgetful),
        max_parallel: 0,
    })
    .expect("started");
    let status = engine.status().expect("running");
    assert_eq!(status.sources, [("files", SourceState::Idle)]);
    let lost = Arrival { to: Recipients::One("gone".parse().expect("a name")), ..custom("x") };
    assert_eq!(engine.inbox().emit(lost), Ok(Ok(0)));
}
