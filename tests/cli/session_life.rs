//! The place, the start and the pauses of the session service, and what becomes of events meanwhile.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use test_support::OnEvent;

use crate::bus_session::{
    NAME, RUNNING, Session, TICK, TICKS, add_waking, call, deliveries, limit, outcomes, service,
    wait_for, waking, with_hostile,
};
use crate::support::{env, manifest};

const EVERY_SECOND: &str = "[events.\"time.every\"]\nevery = \"1s\"\nexact = true\n";

/// A program that has taken the name keeps it: the service says so and ends.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn name_of_a_stranger_is_no_service() {
    let mut session = Session::start(with_hostile());
    session.run("session stop").ok();
    session.service.0.wait().expect("it ends");
    let stranger = session.connect();
    stranger.request_name(NAME).expect("owned");
    insta::assert_snapshot!(session.run("session run"), @r#"
    exit 9
    err: error: another program is `org.opensesame.Extensions1` on the session bus
    err: hint: see which: busctl --user status org.opensesame.Extensions1
    "#);
}

/// A service that is replaced ends its calls first, and its place is not free before.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn replaced_service_ends_its_calls() {
    let mut session = Session::start(with_hostile());
    let program = session.connect();
    let asked = std::thread::spawn(move || call(&program, "hostile", "sleep", "[3000]"));
    let status = || session.run("session status --json").text();
    wait_for(|| status().contains("\"calls\":1"), status);
    let second = service(&session.env, &["--replace"]);
    let activity = session.run("extension activity hostile --json").ok().text();
    assert!(activity.contains("\"outcome\":\"returned\""), "it had ended before: {activity}");
    let answer = asked.join().expect("no panic");
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(session.service.0.wait().expect("ended").code(), Some(0));
    session.service = second;
    let program = session.connect();
    assert!(call(&program, "greet", "greet", "[\"World\"]").is_ok());
}

/// A service that stood still catches up with one delivery, not with all that were due.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn pause_is_followed_by_one_delivery() {
    let env = waking("clock", OnEvent::Handles, EVERY_SECOND, "events=time.every");
    let session = Session::start(env);
    let count = || outcomes(&session, "clock").len();
    wait_for(|| count() > 0, || session.log());
    session.signal(Signal::STOP);
    let before = count();
    std::thread::sleep(Duration::from_secs(8));
    session.signal(Signal::CONT);
    let resumed = Instant::now();
    wait_for(|| count() > before, || session.log());
    std::thread::sleep(Duration::from_millis(500));
    // One for the pause, and one for each second since.
    let after = count() - before;
    let most = 1 + resumed.elapsed().as_secs() as usize + 1;
    assert!(after <= most, "{after} after the pause: {}", session.log());
}

/// What is due is recorded before it is delivered: a crash meanwhile loses it, and repeats nothing.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn delivery_of_a_crash_is_lost() {
    let env =
        waking("starts", OnEvent::Spins, "[events.\"session.start\"]\n", "events=session.start");
    limit(&env, "starts", 60_000);
    add_waking(&env, "ticks", OnEvent::Handles, TICKS, TICK);
    let mut session = Session::on_one_bus(env);
    wait_for(|| session.env.read(RUNNING).contains("starts"), || session.log());
    session.crash();
    assert!(outcomes(&session, "starts").is_empty());
    // A second delivery would end soon, and be in the log.
    limit(&session.env, "starts", 100);
    session.start_again();
    std::thread::sleep(Duration::from_secs(1));
    session.run("session emit tick").ok();
    wait_for(|| outcomes(&session, "ticks").len() == 1, || session.log());
    let status = || session.run("session status --json").text();
    wait_for(|| status().contains("\"deliveries\":0"), status);
    assert!(outcomes(&session, "starts").is_empty(), "{}", session.log());
}

/// A minute has ten times the fuel of one call.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn fuel_of_a_minute_is_limited() {
    let mut session = Session::start(waking("ticks", OnEvent::Handles, TICKS, TICK));
    session.run("session emit tick").ok();
    wait_for(|| outcomes(&session, "ticks").len() == 1, || session.log());
    let used = deliveries(&session, "ticks")[0]["fuel"].as_u64().expect("the fuel");
    let path = manifest("ticks");
    session.env.write(&path, format!("{}\n[limits]\nmax_fuel = {used}\n", session.env.read(&path)));
    session.restart();
    let why = || session.run("extension why ticks").text();
    let emits_until_it_waits = || {
        session.run("session emit tick").ok();
        why().contains("or their fuel, are used up")
    };
    wait_for(emits_until_it_waits, || session.log());
    let returned = outcomes(&session, "ticks").iter().filter(|it| *it == "returned").count();
    assert_eq!(returned, 1 + 10, "{}", why());
}

/// As many guests run at once as the settings say.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn settings_bound_guests_at_once() {
    for lanes in [1, 2] {
        let env = waking("one", OnEvent::Spins, TICKS, TICK);
        add_waking(&env, "other", OnEvent::Spins, TICKS, TICK);
        for name in ["one", "other"] {
            limit(&env, name, 1_500);
        }
        env.write(".config/pds/config.toml", format!("[session]\nmax_parallel = {lanes}\n"));
        let session = Session::start(env);
        session.run("session emit tick").ok();
        let ended = || ["one", "other"].iter().all(|name| outcomes(&session, name).len() == 1);
        let mut at_once = 0;
        let is_over = || {
            let running = session.env.read(RUNNING);
            at_once =
                at_once.max(running.matches("one").count() + running.matches("other").count());
            ended()
        };
        wait_for(is_over, || session.log());
        assert_eq!(at_once, lanes, "{}", session.log());
    }
}

/// The settings say how long a service without anything to wait for stays.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn settings_end_an_idle_service() {
    let env = env();
    env.write(".config/pds/config.toml", "[session]\nidle_exit = \"1s\"\n");
    let mut session = Session::start(env);
    let service = &mut session.service.0;
    wait_for(|| service.try_wait().expect("asked").is_some(), || "it goes on".to_owned());
    assert_eq!(service.wait().expect("ended").code(), Some(0), "{}", session.log());
}

/// A runtime directory of somebody else is not used, and events go on.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn foreign_runtime_directory_is_not_used() {
    let mut session = Session::start(waking("ticks", OnEvent::Handles, TICKS, TICK));
    let foreign = session.env.path("foreign");
    std::fs::create_dir(&foreign).expect("made");
    // Only root can give a directory away; for all others root's are foreign.
    let given = rustix::fs::chown(&foreign, Some(rustix::fs::Uid::from_raw(65_534)), None);
    let foreign = if given.is_ok() { foreign.display().to_string() } else { "/usr".to_owned() };
    session.restart_with(("XDG_RUNTIME_DIR", &foreign));
    session.run("session emit tick").ok();
    wait_for(|| outcomes(&session, "ticks").len() == 1, || session.log());
    assert!(given.is_err() || std::fs::read_dir(foreign).expect("readable").next().is_none());
}

/// The record of events is written at most once a minute, however many there are.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn record_of_events_is_written_rarely() {
    let env = waking("clock", OnEvent::Handles, EVERY_SECOND, "events=time.every");
    let session = Session::start(env);
    let state = session.env.path(".local/state/pds/extensions/events/state");
    let mut written = std::collections::BTreeSet::new();
    let has_gone_on = || {
        written.extend(std::fs::metadata(&state).and_then(|it| it.modified()).ok());
        outcomes(&session, "clock").len() >= 5
    };
    wait_for(has_gone_on, || session.log());
    assert_eq!(written.len(), 1, "{written:?}");
}
