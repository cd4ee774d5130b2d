//! The sources against real buses, with services that only say what a test wants.

mod failures;
mod mock;
mod services;

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use core_types::event::{EventValue, Settings};

use self::mock::Mock;
use crate::testing::{self, Changing, LONG, PrivateBus, parts};
use crate::{
    Delivery, Engine, Forgetful, LoginSession, SourceState, Subscriber, Wake, session_bus_sources,
    system_bus_sources,
};

const UPOWER: &str = "org.freedesktop.UPower";
const POWER: (&str, &str) = ("/org/freedesktop/UPower", UPOWER);
const LOGIND: &str = "org.freedesktop.login1";
const MANAGER: (&str, &str) = ("/org/freedesktop/login1", "org.freedesktop.login1.Manager");
const SESSION: (&str, &str) =
    ("/org/freedesktop/login1/session/_32", "org.freedesktop.login1.Session");

/// An engine over a bus of its own, with the deliveries to its extension.
struct Session {
    engine: Engine,
    changing: Changing,
    delivered: Receiver<Delivery>,
}

fn hearing(event: &str, settings: Settings) -> Subscriber {
    let wake = Wake { settings, ..Wake::by(event.parse().expect(event)) };
    testing::subscriber("a", vec![wake])
}

fn hearing_all(events: &[&str]) -> Subscriber {
    let wakes = events.iter().map(|event| Wake::by(event.parse().expect(event)));
    testing::subscriber("a", wakes.collect())
}

/// Starts an engine with the sources of both buses, which are one bus here.
fn session(bus: &PrivateBus, subscribers: Vec<Subscriber>) -> Session {
    let changing = Changing::default();
    changing.set(subscribers);
    let login = LoginSession { id: None, memory: std::sync::Arc::new(Forgetful) };
    let mut sources = system_bus_sources(Some(bus.address()), login);
    sources.extend(session_bus_sources(Some(bus.address())));
    let (parts, delivered) = parts(&changing, sources);
    Session { engine: Engine::start(parts).expect("started"), changing, delivered }
}

/// Starts logind with an open session.
fn logind(bus: &PrivateBus) -> Mock {
    let logind = Mock::connect(&bus.address());
    logind.set_session(SESSION.0);
    logind.set(SESSION, "Id", "2");
    logind.set(SESSION, "LockedHint", false);
    logind.set(SESSION, "IdleHint", false);
    logind.own(LOGIND);
    logind
}

/// Starts UPower on mains.
fn upower(bus: &PrivateBus) -> Mock {
    let upower = Mock::connect(&bus.address());
    upower.set(POWER, "OnBattery", false);
    upower.own(UPOWER);
    upower
}

impl Session {
    /// Waits for a delivery, and returns its event with its values.
    fn next(&self) -> String {
        shown(&self.delivered.recv_timeout(LONG).expect("a delivery"))
    }

    /// Returns what comes in a while, in which nothing should.
    fn nothing(&self) {
        let more = self.delivered.recv_timeout(Duration::from_millis(500)).ok();
        assert_eq!(more.map(|delivery| shown(&delivery)), None);
    }

    fn state(&self, name: &str) -> SourceState {
        let status = self.engine.status().expect("running");
        let state = status.sources.into_iter().find(|(source, _)| *source == name);
        state.expect(name).1
    }

    /// Waits for a state of a source.
    fn until(&self, name: &str, is_it: impl Fn(&SourceState) -> bool) {
        wait_for(|| is_it(&self.state(name)), name);
    }
}

fn wait_for(is_so: impl Fn() -> bool, what: &str) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONG, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn shown(delivery: &Delivery) -> String {
    let mut shown = delivery.occurrence.name.to_string();
    for (name, value) in &delivery.occurrence.values {
        shown += &match value {
            EventValue::Text(text) => format!(" {name}={text}"),
            EventValue::Whole(whole) => format!(" {name}={whole}"),
            EventValue::Truth(truth) => format!(" {name}={truth}"),
            EventValue::Number(number) => format!(" {name}={number}"),
        };
    }
    shown
}
