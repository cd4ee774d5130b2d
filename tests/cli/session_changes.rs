//! Changes of extensions and manifests under a running service, and the settings of events that outlast
//! them.

use std::time::Duration;

use test_support::{OnEvent, wakeable};
use zbus::blocking::Connection;
use zbus::zvariant::OwnedObjectPath;

use crate::bus_session::{
    Options, Session, TICK, TICKS, add_waking, ask, outcomes, wait_for, waking,
};
use crate::logind::{lock, logind};
use crate::support::{TestEnv, asking, env, manifest};

/// Emits until an event reaches as many extensions.
fn reaches(session: &Session, expected: u32) {
    // A program emits a hundred in a minute.
    let program: Connection = session.connect();
    let emit = || ask::<_, u32>(&program, "Emit", &("tick", "")).expect("emitted");
    let is_so = || {
        let is_reached = emit() == expected;
        if !is_reached {
            std::thread::sleep(Duration::from_millis(700));
        }
        is_reached
    };
    wait_for(is_so, || session.log());
}

/// Adds a section to the manifest of an extension.
fn add_section(env: &TestEnv, name: &str, section: &str) {
    let path = manifest(name);
    env.write(&path, env.read(&path) + "\n" + section);
}

/// An install, a removal, a grant and each other change holds from the next event on.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn changes_are_seen() {
    let session = Session::start(waking("first", OnEvent::Handles, TICKS, TICK));
    reaches(&session, 1);
    add_waking(&session.env, "second", OnEvent::Handles, TICKS, TICK);
    reaches(&session, 2);
    for (line, expected) in [
        ("disable second", 1),
        ("enable second", 2),
        ("revoke second events=custom.tick", 1),
        ("grant second events=custom.tick", 2),
        ("remove first", 1),
    ] {
        session.run(&format!("extension {line}")).ok();
        reaches(&session, expected);
    }
    // A file beside the configuration holds from the next event on as well.
    for off in [
        "[session]\nenabled = false\n",
        "[extensions.policy]\nsession = false\n",
        "[extensions.policy]\ndeny_events = [\"custom.*\"]\n",
    ] {
        session.env.write(".config/pds/config.d/10.toml", off);
        reaches(&session, 0);
        session.env.write(".config/pds/config.d/10.toml", "");
        reaches(&session, 1);
    }
    session.run("extension gc").ok();
    std::thread::sleep(Duration::from_millis(1_500));
    let before = outcomes(&session, "second").len();
    reaches(&session, 1);
    wait_for(|| outcomes(&session, "second").len() > before, || session.log());
    assert_eq!(outcomes(&session, "second").last().map(String::as_str), Some("returned"));
}

/// The code of an update is that of the next delivery, and so is that of a rollback.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn update_and_rollback_are_seen() {
    let session = Session::start(waking("ticks", OnEvent::Handles, TICKS, TICK));
    let ends_with = |outcome: &str| {
        let is_so = || {
            reaches(&session, 1);
            outcomes(&session, "ticks").last().is_some_and(|last| last == outcome)
        };
        wait_for(is_so, || session.log());
    };
    ends_with("returned");
    session.env.write("work/second.wasm", asking(&wakeable(2, OnEvent::Returns), TICKS));
    session.run("extension install ./second.wasm --replace ticks").ok();
    ends_with("error");
    session.run("extension rollback ticks").ok();
    ends_with("returned");
}

/// The settings of the user win over those of the author, and stay through updates, rollbacks and the
/// end of the service.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn settings_of_the_user_stay() {
    const DECLARED: &str = "[events.\"time.every\"]\nevery = \"30d\"\n";
    let env = waking("clock", OnEvent::Handles, DECLARED, "events=time.every");
    add_section(&env, "clock", "[events.\"time.every\"]\nevery = \"2s\"\n");
    env.write("work/second.wasm", asking(&wakeable(2, OnEvent::Handles), DECLARED));
    let is_kept = |env: &TestEnv| {
        let events = env.run("extension events clock").ok().text();
        assert!(events.contains("2s") && !events.contains("30d"), "{events}");
    };
    is_kept(&env);
    env.run("extension install ./second.wasm --replace clock").ok();
    is_kept(&env);
    env.run("extension rollback clock").ok();
    is_kept(&env);
    // A schedule is of the extension, and not of the version that was there when it was set.
    let path = manifest("clock");
    env.write(&path, env.read(&path).replace("\"2s\"", "\"3s\" # slower"));
    env.run("extension rollback clock").ok();
    assert!(env.read(&path).contains("every = \"3s\" # slower"), "{}", env.read(&path));
    let mut session = Session::start(env);
    for _ in 0..2 {
        let before = outcomes(&session, "clock").len();
        wait_for(|| outcomes(&session, "clock").len() > before, || session.log());
        session.restart();
    }
}

/// The schedule of the author and that of the user over it go with the extension into a bundle; what
/// the user alone decides, and the names of networks, do not.
#[test]
fn schedule_goes_with_a_bundle() {
    const DECLARED: &str = "[events.\"time.every\"]\nevery = \"15m\"\nexact = true\n";
    const CHANGED: &str = "[events.\"time.every\"]\nevery = \"7m\"\nwhile_locked = true\n\
                           [events.\"network.wifi\"]\nssid = [\"home network\"]\n";
    let export = |env: &TestEnv| {
        env.run("extension export clock -o clock.tar --force").ok();
        env.read_bytes("work/clock.tar")
    };
    let import = |bundle: Vec<u8>| {
        let env = env();
        env.write("work/clock.tar", bundle);
        env.run("extension import clock.tar --grant events=time.every").ok();
        (env.run("extension events clock").ok().text(), env.read(&manifest("clock")))
    };
    let first = waking("clock", OnEvent::Handles, DECLARED, "events=time.every");
    let (events, own) = import(export(&first));
    assert!(events.contains("15m") && !own.contains("[events"), "{events}\n{own}");
    add_section(&first, "clock", CHANGED);
    let bundle = export(&first);
    assert!(!String::from_utf8_lossy(&bundle).contains("home network"));
    let (events, own) = import(bundle);
    assert!(events.contains("7m") && events.contains("not later"), "{events}");
    assert!(own.contains("every = \"7m\"") && !own.contains("while_locked"), "{own}");
}

/// An event that the user has put to sleep is granted, wakes nothing, and is no reason to ask.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn sleeping_event_wakes_nothing() {
    // A pattern grants the other topics, and not this one.
    for grant in [TICK, "events=custom.*"] {
        let env = waking("ticks", OnEvent::Handles, TICKS, grant);
        let awake = env.read(&manifest("ticks"));
        add_section(&env, "ticks", "[events.\"custom.tick\"]\nenabled = false\n");
        let session = Session::start(env);
        let program = session.connect();
        assert_eq!(ask::<_, u32>(&program, "Emit", &("tick", "")), Ok(0), "{grant}");
        let options = Options::from([("on", vec!["custom.tick"].into())]);
        let watch: Result<OwnedObjectPath, _> =
            ask(&program, "Watch", &("ticks", "f", "[]", options));
        assert_eq!(watch.expect_err(grant).0, "Refused");
        session.env.write(&manifest("ticks"), awake);
        reaches(&session, 1);
        let why = session.run("extension why ticks").text();
        assert!(!why.contains("custom.tick"), "{why}");
    }
}

/// While the session is locked an event waits, unless the user lets it wake this extension then.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn locked_session_delivers_what_its_user_allows() {
    let env = waking("waits", OnEvent::Handles, TICKS, TICK);
    add_waking(&env, "goes-on", OnEvent::Handles, TICKS, TICK);
    add_section(&env, "goes-on", "[events.\"custom.tick\"]\nwhile_locked = true\n");
    let session = Session::on_one_bus(env);
    let login = logind(&session, true);
    let status = || session.run("session status --json").text();
    wait_for(|| status().contains("\"locked\":true"), status);
    for _ in 0..3 {
        session.run("session emit tick").ok();
    }
    wait_for(|| outcomes(&session, "goes-on").len() == 3, || session.log());
    assert!(outcomes(&session, "waits").is_empty(), "{}", session.log());
    lock(&login, false);
    wait_for(|| outcomes(&session, "waits").len() == 3, || session.log());
}
