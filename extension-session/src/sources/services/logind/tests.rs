//! What logind says, and what comes of it.

use std::collections::HashMap;

use zbus::zvariant::{ObjectPath, Value};

use super::*;
use crate::Wake;
use crate::testing::{Remembering, subscriber};

const OWN: &str = "/org/freedesktop/login1/session/_32";
const OTHER: &str = "/org/freedesktop/login1/session/_33";

fn logind(kept: &Remembering) -> Logind {
    listening(Logind::new((4, 1000), None, Arc::new(kept.clone())))
}

fn listening(mut logind: Logind) -> Logind {
    let wake = Wake::by("custom.a".parse().expect("a pattern"));
    assert_eq!(logind.hear(&[subscriber("a", vec![wake])]).len(), 3, "for any event");
    logind
}

fn properties<'a>(values: &[(&'a str, Value<'a>)]) -> Properties<'a> {
    values.iter().map(|(name, value)| (*name, value.try_clone().expect("a copy"))).collect()
}

fn session(id: &str, is_locked: bool) -> Answer<'_> {
    Answer::Properties(properties(&[
        ("Id", id.into()),
        ("LockedHint", is_locked.into()),
        ("IdleHint", false.into()),
    ]))
}

/// Answers until the session is known.
fn known(logind: &mut Logind, is_locked: bool) {
    let asked = logind.begin(NAME);
    assert_eq!(asked, [Question::SessionOfProcess(4)]);
    let asked = logind.answer(NAME, &asked[0], &Answer::Object(OWN.to_owned()));
    assert_eq!(asked, [Question::properties(OWN, SESSION)]);
    assert!(logind.answer(NAME, &asked[0], &session("2", is_locked)).is_empty());
}

/// Returns the names of the events that came, and what the engine is told of the lock.
fn taken(logind: &mut Logind) -> (Vec<String>, Option<bool>) {
    let Taken { arrivals, locked } = logind.take(0);
    (arrivals.iter().map(|arrival| arrival.occurrence.name.to_string()).collect(), locked)
}

fn signal(logind: &mut Logind, path: &str, member: &str) -> (Vec<String>, Option<bool>) {
    logind.signal(NAME, &Signal::Other { path, member, arguments: Vec::new() });
    taken(logind)
}

fn hint(
    logind: &mut Logind,
    path: &str,
    name: &str,
    value: Value<'_>,
) -> (Vec<String>, Option<bool>) {
    let changed = HashMap::from([(name, value)]);
    logind
        .signal(NAME, &Signal::Properties { path, interface: SESSION, changed, is_partial: false });
    taken(logind)
}

fn told(events: &[&str], locked: Option<bool>) -> (Vec<String>, Option<bool>) {
    (events.iter().map(|event| (*event).to_owned()).collect(), locked)
}

/// Until logind answers, nothing passes the lock; then what it says holds.
#[test]
fn lock_holds_until_known() {
    for is_locked in [true, false] {
        let mut logind = logind(&Remembering::default());
        assert_eq!(taken(&mut logind), told(&[], None), "nothing opens it");
        known(&mut logind, is_locked);
        let now = (!is_locked).then_some(false);
        assert_eq!(taken(&mut logind), told(&["session.start"], now), "not told as a change");
        assert_eq!(taken(&mut logind), told(&[], None));
    }
}

/// Hints and signals of the own session are events when something changes.
#[test]
fn changes_of_session_are_told() {
    let mut logind = logind(&Remembering::default());
    known(&mut logind, false);
    taken(&mut logind);
    let logind = &mut logind;
    assert_eq!(hint(logind, OWN, "LockedHint", true.into()), told(&["session.locked"], Some(true)));
    assert_eq!(hint(logind, OWN, "LockedHint", true.into()), told(&[], None));
    assert_eq!(signal(logind, OWN, "Unlock"), told(&[], None), "the locker decides");
    let unlocked = told(&["session.unlocked"], Some(false));
    assert_eq!(hint(logind, OWN, "LockedHint", false.into()), unlocked);
    assert_eq!(signal(logind, OWN, "Lock"), told(&["session.locked"], Some(true)));
    assert_eq!(signal(logind, OWN, "Unlock"), unlocked, "a locker without a hint");
    assert_eq!(hint(logind, OWN, "IdleHint", true.into()), told(&["session.idle"], None));
    assert_eq!(hint(logind, OWN, "IdleHint", false.into()), told(&["session.active"], None));
}

/// Sessions of others, other signals and values of another type change nothing.
#[test]
fn foreign_and_odd_values_are_ignored() {
    let mut logind = logind(&Remembering::default());
    known(&mut logind, false);
    taken(&mut logind);
    let logind = &mut logind;
    assert_eq!(signal(logind, OTHER, "Lock"), told(&[], None));
    assert_eq!(hint(logind, OTHER, "LockedHint", true.into()), told(&[], None));
    for value in [Value::from("true"), 1_u32.into(), f64::NAN.into()] {
        assert_eq!(hint(logind, OWN, "LockedHint", value), told(&[], None));
    }
    assert_eq!(signal(logind, OWN, "PauseDevice"), told(&[], None));
    assert_eq!(signal(logind, ROOT, "PrepareForSleep"), told(&[], None), "without its value");
}

#[test]
fn sleep_and_wake_queue() {
    let mut logind = logind(&Remembering::default());
    known(&mut logind, false);
    taken(&mut logind);
    let mut prepare = |is_asleep: bool| {
        let arguments = vec![is_asleep.into()];
        logind.signal(NAME, &Signal::Other { path: ROOT, member: "PrepareForSleep", arguments });
    };
    prepare(true);
    prepare(false);
    assert_eq!(taken(&mut logind), told(&["system.sleep", "system.wake"], None));
    for _ in 0..1000 {
        logind.signal(
            NAME,
            &Signal::Other { path: ROOT, member: "PrepareForSleep", arguments: vec![true.into()] },
        );
    }
    assert_eq!(taken(&mut logind).0.len(), MAX_WAITING);
}

/// A process in no session: the id of the environment, then the session on the screen.
#[test]
fn session_is_found_in_three_ways() {
    let given = Some("7".to_owned());
    let mut logind = listening(Logind::new((4, 1000), given, Arc::new(Remembering::default())));
    let asked = logind.begin(NAME);
    let asked = logind.answer(NAME, &asked[0], &Answer::Failed);
    assert_eq!(asked, [Question::SessionById("7".to_owned())]);
    let asked = logind.answer(NAME, &asked[0], &Answer::Failed);
    assert_eq!(asked, [Question::User(1000)]);
    let user = "/org/freedesktop/login1/user/_1000";
    let asked = logind.answer(NAME, &asked[0], &Answer::Object(user.to_owned()));
    assert_eq!(asked, [Question::properties(user, USER)]);
    let path = ObjectPath::try_from(OWN).expect("a path");
    let display = Answer::Properties(properties(&[("Display", ("2", path).into())]));
    let asked = logind.answer(NAME, &asked[0], &display);
    assert_eq!(asked, [Question::properties(OWN, SESSION)]);
    logind.answer(NAME, &asked[0], &session("2", true));
    assert_eq!(taken(&mut logind), told(&["session.start"], None));
}

/// The session of a service manager is not the one on the screen.
#[test]
fn session_without_screen_is_passed_over() {
    let mut logind = logind(&Remembering::default());
    let asked = logind.begin(NAME);
    let asked = logind.answer(NAME, &asked[0], &Answer::Object(OTHER.to_owned()));
    let manager = Answer::Properties(properties(&[("Class", "manager".into())]));
    assert_eq!(logind.answer(NAME, &asked[0], &manager), [Question::User(1000)]);
}

/// Without a session nothing is locked, and the next one is looked for.
#[test]
fn missing_session_is_not_locked() {
    let mut logind = logind(&Remembering::default());
    taken(&mut logind);
    assert!(logind.answer(NAME, &Question::User(1000), &Answer::Failed).is_empty());
    assert_eq!(taken(&mut logind), told(&["session.start"], Some(false)));
    assert!(logind.problem().is_some());
    let arguments = vec!["2".into(), ObjectPath::try_from(OWN).expect("a path").into()];
    let added = Signal::Other { path: ROOT, member: "SessionNew", arguments };
    assert_eq!(logind.signal(NAME, &added), [Question::SessionOfProcess(4)]);
    known(&mut logind, true);
    assert_eq!(taken(&mut logind), told(&[], Some(true)), "it began before it had a name");
    assert_eq!(logind.problem(), None);
}

/// A logind that hangs after a restart unlocks nothing.
#[test]
fn hanging_logind_keeps_the_lock() {
    let mut logind = logind(&Remembering::default());
    known(&mut logind, true);
    taken(&mut logind);
    logind.end(NAME);
    let process = logind.begin(NAME).remove(0);
    let user = logind.answer(NAME, &process, &Answer::Failed);
    assert_eq!(user, [Question::User(1000)]);
    assert!(logind.answer(NAME, &user[0], &Answer::Failed).is_empty());
    assert_eq!(taken(&mut logind).1, None, "it is locked still");
    assert!(logind.problem().is_some());
    known(&mut logind, false);
    assert_eq!(taken(&mut logind).1, Some(false));
    assert_eq!(logind.problem(), None);
}

/// A bus or logind that ends unlocks nothing, and locks nothing where it never was.
#[test]
fn absent_logind_keeps_the_lock() {
    let mut logind = logind(&Remembering::default());
    logind.end(NAME);
    assert_eq!(taken(&mut logind).1, Some(false));
    known(&mut logind, true);
    taken(&mut logind);
    logind.end(NAME);
    assert_eq!(taken(&mut logind), told(&[], None));
    known(&mut logind, false);
    assert_eq!(taken(&mut logind), told(&["session.unlocked"], Some(false)));
}

/// A session starts once, whatever restarts, and another session starts again.
#[test]
fn session_starts_once() {
    let kept = Remembering::default();
    for expected in [&["session.start"][..], &[]] {
        let mut logind = logind(&kept);
        known(&mut logind, false);
        assert_eq!(taken(&mut logind).0, expected);
        known(&mut logind, false);
        assert!(taken(&mut logind).0.is_empty());
    }
    let mut logind = logind(&kept);
    known(&mut logind, false);
    let arguments = vec!["2".into(), ObjectPath::try_from(OWN).expect("a path").into()];
    let removed = Signal::Other { path: ROOT, member: "SessionRemoved", arguments };
    let asked = logind.signal(NAME, &removed);
    let asked = logind.answer(NAME, &asked[0], &Answer::Object(OTHER.to_owned()));
    logind.answer(NAME, &asked[0], &session("3", false));
    assert_eq!(taken(&mut logind).0, ["session.start"]);
}

/// A start that nothing could hear is not made up for, and neither is one that cannot be kept.
#[test]
fn start_is_not_made_up_for() {
    let mut late = Logind::new((4, 1000), None, Arc::new(Remembering::default()));
    assert!(late.hear(&[]).is_empty());
    let mut late = listening(late);
    known(&mut late, false);
    assert!(taken(&mut late).0.is_empty());
    let mut broken = listening(Logind::new((4, 1000), None, Arc::new(Remembering::broken())));
    known(&mut broken, false);
    assert!(taken(&mut broken).0.is_empty());
    assert!(broken.problem().is_some_and(|problem| problem.contains("the disk is full")));
}
