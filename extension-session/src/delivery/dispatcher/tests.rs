//! The rules of delivery, each with the case that it is for.

use std::time::Duration;

use core_types::BootTime;
use core_types::event::Occurrence;
use proptest::prelude::*;

use super::{Arrival, Delivery, Dispatcher, HeldBack, MAX_DEPTH, Recipients};
use crate::delivery::{MAX_DELIVERIES, Subscriber, Wake};

fn at(milliseconds: u64) -> BootTime {
    BootTime::since_boot(Duration::from_millis(milliseconds))
}

fn subscriber(name: &str, events: &[&str]) -> Subscriber {
    let wake = |event: &&str| Wake::by(event.parse().expect(event));
    let wakes = events.iter().map(wake).collect();
    Subscriber { max_fuel: 1_000, ..Subscriber::new(name.parse().expect(name), wakes) }
}

fn arrival(name: &str) -> Arrival {
    let name = name.parse().expect(name);
    let occurrence = Occurrence { name, values: Vec::new(), time: 0, missed: 0 };
    Arrival { occurrence, to: Recipients::All, depth: 0 }
}

/// A dispatcher with extensions that hear the same events.
fn dispatcher(names: &[&str], granted: &[&str]) -> Dispatcher {
    let mut dispatcher = Dispatcher::new(2);
    dispatcher.subscribe(names.iter().map(|name| subscriber(name, granted)).collect());
    dispatcher
}

fn next_name(dispatcher: &mut Dispatcher, now: u64) -> Option<String> {
    dispatcher.next(at(now)).map(|delivery| delivery.name.to_string())
}

/// Delivers everything that may be delivered now, and returns the events.
fn deliver_all(dispatcher: &mut Dispatcher, now: u64) -> Vec<String> {
    let mut delivered = Vec::new();
    while let Some(Delivery { name, occurrence, .. }) = dispatcher.next(at(now)) {
        dispatcher.finish(&name, 1);
        delivered.push(occurrence.name.to_string());
    }
    delivered
}

/// An event without a grant reaches no extension.
#[test]
fn only_granted_events_arrive() {
    let mut dispatcher = Dispatcher::new(2);
    dispatcher.subscribe(vec![
        subscriber("other", &["power.source", "power.battery"]),
        subscriber("wifi", &["network.*"]),
    ]);
    assert_eq!(dispatcher.arrive(&arrival("custom.a")), Ok(0));
    assert_eq!(dispatcher.arrive(&arrival("network.wifi")), Ok(0), "private: not by a pattern");
    assert_eq!(dispatcher.arrive(&arrival("power.source")), Ok(1));
}

/// An event that an extension handles and is refused is told of it, where others hear it or not; one
/// that sleeps, and one of another extension, is not. Nothing waits, and nothing may wake it.
#[test]
fn refused_events_are_told() {
    let mut dispatcher = Dispatcher::new(2);
    let refused = vec!["custom.*".parse().expect("a pattern")];
    let asleep = vec!["custom.quiet".parse().expect("a name")];
    let hears = Subscriber { refused: refused.clone(), ..subscriber("hears", &["custom.x"]) };
    let lacks = Subscriber { refused, asleep, ..subscriber("lacks", &[]) };
    dispatcher.subscribe(vec![hears, lacks]);
    for (event, reached, refused) in [
        ("custom.x", 1, &["lacks"][..]),
        ("custom.y", 0, &["hears", "lacks"]),
        ("custom.quiet", 0, &["hears"]),
        ("power.source", 0, &[]),
    ] {
        let arrival = arrival(event);
        assert_eq!(dispatcher.arrive(&arrival), Ok(reached), "{event}");
        let told: Vec<_> = dispatcher.refused(&arrival).map(|(name, _)| name.as_str()).collect();
        assert_eq!(told, refused, "{event}");
    }
    let lacks = "lacks".parse().expect("a name");
    let to_one = Arrival { to: Recipients::One(lacks), ..arrival("custom.y") };
    assert_eq!(dispatcher.refused(&to_one).count(), 1);
    let woken: Vec<_> = dispatcher.loads(at(0)).map(|load| load.name.as_str()).collect();
    assert_eq!((woken, dispatcher.subscribers().count()), (vec!["hears"], 1));
}

/// One delivery at a time for an extension, two in all, and the others are not kept waiting.
#[test]
fn extensions_run_beside_each_other() {
    let mut dispatcher = dispatcher(&["a", "b", "c"], &["custom.*"]);
    for _ in 0..2 {
        assert_eq!(dispatcher.arrive(&arrival("custom.x")), Ok(3));
    }
    assert_eq!(next_name(&mut dispatcher, 0).as_deref(), Some("a"));
    assert_eq!(next_name(&mut dispatcher, 0).as_deref(), Some("b"));
    assert_eq!(next_name(&mut dispatcher, 0), None, "two run");
    dispatcher.finish(&"b".parse().expect("a name"), 1);
    assert_eq!(next_name(&mut dispatcher, 0).as_deref(), Some("c"), "each has its turn");
}

/// A state event comes once a second; the last one is not lost.
#[test]
fn state_events_are_spaced() {
    let mut dispatcher = dispatcher(&["a"], &["power.source"]);
    for now in [0, 100, 200] {
        dispatcher.arrive(&arrival("power.source")).expect("heard");
        let delivered = deliver_all(&mut dispatcher, now).len();
        assert_eq!(delivered, usize::from(now == 0), "at {now}");
    }
    assert_eq!(dispatcher.wake_at(at(200)), Some(at(1_000)));
    assert_eq!(dispatcher.next(at(999)), None);
    assert_eq!(dispatcher.next(at(1_000)).expect("due").occurrence.missed, 1);
}

/// Over its budget an extension waits for the next minute.
#[test]
fn budget_ends_a_storm() {
    let mut dispatcher = dispatcher(&["a"], &["custom.*"]);
    let mut delivered = 0;
    for _ in 0..1_000 {
        dispatcher.arrive(&arrival("custom.a")).expect("heard");
        delivered += deliver_all(&mut dispatcher, 5).len();
    }
    assert_eq!(delivered, MAX_DELIVERIES as usize);
    assert_eq!(dispatcher.wake_at(at(6)), Some(at(60_005)));
    assert!(!deliver_all(&mut dispatcher, 60_005).is_empty());
}

/// A locked session hears of itself alone, and of events that its user wants.
#[test]
fn locked_session_is_quiet() {
    let mut dispatcher = Dispatcher::new(2);
    let mut own = subscriber("a", &["custom.*", "session.*", "system.*"]);
    own.wakes
        .push(Wake { is_while_locked: true, ..Wake::by("custom.b".parse().expect("a pattern")) });
    dispatcher.subscribe(vec![own]);
    dispatcher.set_locked(true);
    for name in ["custom.a", "custom.b", "session.idle", "system.sleep"] {
        dispatcher.arrive(&arrival(name)).expect("heard");
    }
    assert_eq!(deliver_all(&mut dispatcher, 0), ["custom.b", "session.idle", "system.sleep"]);
    assert_eq!(dispatcher.wake_at(at(0)), None, "nothing but the unlocking helps");
    dispatcher.set_locked(false);
    assert_eq!(deliver_all(&mut dispatcher, 0), ["custom.a"]);
}

/// States of a locked session come once after it, with the newest values.
#[test]
fn states_come_once_after_the_lock() {
    let mut dispatcher = dispatcher(&["a"], &["power.source"]);
    dispatcher.set_locked(true);
    for _ in 0..3 {
        dispatcher.arrive(&arrival("power.source")).expect("heard");
    }
    assert!(dispatcher.next(at(0)).is_none());
    dispatcher.set_locked(false);
    let delivery = dispatcher.next(at(0)).expect("it is due");
    assert_eq!(delivery.occurrence.missed, 2);
    dispatcher.finish(&delivery.name, 1);
    assert!(dispatcher.next(at(60_000)).is_none());
}

/// Extensions that wake each other come to an end.
#[test]
fn loop_ends() {
    let mut dispatcher = dispatcher(&["a"], &["custom.*"]);
    let mut event = arrival("custom.a");
    let mut delivered = 0;
    let end = loop {
        match dispatcher.arrive(&event) {
            Ok(reached) => assert_eq!(reached, 1),
            Err(dropped) => break dropped,
        }
        event.depth = dispatcher.next(at(0)).expect("due").depth + 1;
        dispatcher.finish(&"a".parse().expect("a name"), 1);
        delivered += 1;
    };
    assert_eq!((end, delivered), (HeldBack::TooDeep, MAX_DEPTH + 1));
}

/// A revoked grant ends with the next event, and a running delivery ends as it began.
#[test]
fn revoked_event_does_not_come() {
    let mut dispatcher = dispatcher(&["a"], &["custom.*", "power.*"]);
    for name in ["custom.a", "power.source", "custom.a"] {
        dispatcher.arrive(&arrival(name)).expect("heard");
    }
    let running = dispatcher.next(at(0)).expect("due");
    dispatcher.subscribe(vec![subscriber("a", &["power.*"])]);
    dispatcher.finish(&running.name, 1);
    assert_eq!(deliver_all(&mut dispatcher, 0), ["power.source"]);
    dispatcher.subscribe(Vec::new());
    assert_eq!(dispatcher.arrive(&arrival("power.source")), Ok(0));
}

proptest! {
    /// Whatever happens, no extension has two deliveries at once, at most two run, and when the
    /// dispatcher says that it waits for a moment, there is a delivery at that moment.
    #[test]
    fn rules_always_hold(steps in prop::collection::vec((0..4_u8, 0..3_usize, 0..400_u64), 1..300)) {
        let names = ["a", "b", "c"];
        let events = ["custom.a", "power.source", "session.idle"];
        let mut dispatcher = dispatcher(&names, &["custom.*", "power.*", "session.*"]);
        let (mut running, mut now): (Vec<Delivery>, u64) = (Vec::new(), 0);
        for (step, which, pause) in steps {
            now += pause;
            match step {
                0 | 1 => { dispatcher.arrive(&arrival(events[which])).expect("shallow"); }
                2 => running.extend(dispatcher.next(at(now))),
                _ if !running.is_empty() => {
                    let ended = running.remove(which % running.len());
                    dispatcher.finish(&ended.name, 100);
                }
                _ => {}
            }
            prop_assert!(running.len() <= 2);
            let mut at_once: Vec<_> = running.iter().map(|delivery| &delivery.name).collect();
            at_once.sort();
            at_once.dedup();
            prop_assert_eq!(at_once.len(), running.len());
            if let Some(delivery) = dispatcher.next(at(now)) {
                running.push(delivery);
            } else if let Some(moment) = dispatcher.wake_at(at(now)) {
                // An engine that woke at once, for nothing, would never sleep.
                prop_assert!(moment > at(now));
            }
        }
        for delivery in running {
            dispatcher.finish(&delivery.name, 1);
        }
        if let Some(moment) = dispatcher.wake_at(at(now)) {
            prop_assert!(dispatcher.next(moment).is_some());
        } else {
            prop_assert!(dispatcher.next(at(now)).is_none());
        }
    }
}
