//! The place, the start and the pauses of the session service, and what becomes of events meanwhile.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use test_support::OnEvent;

use crate::bus_session::{
    NAME, RUNNING, Session, TICK, TICKS, add_waking, call, deliveries, in_session, limit, outcomes,
    service, started, wait_for, waking, with_hostile,
};
use crate::support::{env, manifest};

const EVERY_SECOND: &str = "[events.\"time.every\"]\nevery = \"1s\"\nexact = true\n";

/// A program that has taken the name keeps it: the service says so and ends.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn name_of_a_stranger_is_no_service() {
    let mut session = Session::start(with_hostile());
    session.end();
    let stranger = session.connect();
    stranger.request_name(NAME).expect("owned");
    insta::assert_snapshot!(session.run("session run"), @r#"
    exit 9
    err: error: another program is `org.opensesame.Extensions1` on the session bus
    err: hint: see which: busctl --user status org.opensesame.Extensions1
    "#);
}

/// A service with another runtime directory has a lock of its own. It is the service of this bus all the
/// same, and is replaced like one of the same directory.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn service_of_another_directory_is_replaced() {
    let mut session = Session::start(with_hostile());
    session.env.make_private("other");
    let elsewhere = |arguments: &[&str]| {
        let mut command = session.env.command([&["session", "run"], arguments].concat());
        in_session(&session.env, &mut command);
        command.env("XDG_RUNTIME_DIR", session.env.path("other"));
        command
    };
    insta::assert_snapshot!(session.env.finish(elsewhere(&[]), b""), @r#"
    exit 0
    err: the session service is already running
    "#);
    let program = session.connect();
    let asked = std::thread::spawn(move || call(&program, "hostile", "sleep", "[3000]"));
    let status = || session.run("session status --json").text();
    wait_for(|| status().contains("\"calls\":1"), status);
    let second = started(&session.env, elsewhere(&["--replace"]), "second.log");
    let log = || session.env.read("second.log");
    wait_for(|| log().contains("event"), log);
    let activity = session.run("extension activity hostile --json").ok().text();
    assert!(activity.contains("\"outcome\":\"returned\""), "its call had not ended: {activity}");
    assert!(asked.join().expect("no panic").is_ok());
    assert_eq!(session.service.0.try_wait().expect("it ends").and_then(|it| it.code()), Some(0));
    session.service = second;
    assert!(call(&session.connect(), "greet", "greet", "[\"World\"]").is_ok());
}

/// A battery at some percent, as UPower has it.
struct Battery(f64);

#[zbus::interface(name = "org.freedesktop.UPower.Device")]
impl Battery {
    #[zbus(property)]
    fn percentage(&self) -> f64 {
        self.0
    }
}

/// What an extension was told of the battery is not repeated by the next service of this login session,
/// also after a crash, and is told anew after the condition was not met.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn told_battery_is_not_repeated() {
    let declared = "[events.\"power.battery\"]\nbelow = 20\n";
    let env = waking("low", OnEvent::Handles, declared, "events=power.battery");
    add_waking(&env, "ticks", OnEvent::Handles, TICKS, TICK);
    let mut session = Session::on_one_bus(env);
    let upower = session.connect();
    let device = "/org/freedesktop/UPower/devices/DisplayDevice";
    assert!(upower.object_server().at(device, Battery(10.0)).expect("served"));
    session.serve(&upower, device, "org.freedesktop.UPower");
    let told = |session: &Session| deliveries(session, "low").len();
    wait_for(|| told(&session) == 1, || session.log());
    for is_crash in [true, false] {
        if is_crash {
            session.crash()
        } else {
            session.end()
        }
        session.start_again();
        session.wait_for_source("upower");
        // What it reads at its start has arrived by then.
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(told(&session), 1, "{}", session.log());
    }
    let battery = upower.object_server().interface::<_, Battery>(device).expect("served");
    let is_told = || {
        // Again and again, since two changes at once are one state.
        for percent in [50.0, 10.0] {
            let mut device = battery.get_mut();
            device.0 = percent;
            zbus::block_on(device.percentage_changed(battery.signal_emitter())).expect("told");
            drop(device);
            std::thread::sleep(Duration::from_millis(100));
        }
        told(&session) >= 2
    };
    wait_for(is_told, || session.log());
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

/// Starts a service that is to end when it was idle for so long.
fn ending_after(idle_exit: &str) -> Session {
    let env = env();
    env.write(".config/pds/config.toml", format!("[session]\nidle_exit = \"{idle_exit}\"\n"));
    Session::start(env)
}

/// Waits until a service has ended by itself, well.
fn ends_by_itself(session: &mut Session) {
    let service = &mut session.service.0;
    wait_for(|| service.try_wait().expect("asked").is_some(), || "it goes on".to_owned());
    assert_eq!(service.wait().expect("ended").code(), Some(0), "{}", session.log());
}

/// The settings say how long a service without anything to wait for stays.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn settings_end_an_idle_service() {
    ends_by_itself(&mut ending_after("1s"));
}

/// A service that programs ask stays, also where nothing may wake an extension.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn asked_service_stays() {
    let mut session = ending_after("3s");
    let program = session.connect();
    for _ in 0..6 {
        std::thread::sleep(Duration::from_secs(1));
        let missing = call(&program, "nothing", "f", "[]").expect_err("there is none");
        assert_eq!(missing.0, "NotFound", "{}", session.log());
    }
    assert_eq!(session.service.0.try_wait().expect("asked"), None, "{}", session.log());
    ends_by_itself(&mut session);
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
