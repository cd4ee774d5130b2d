//! The session service: extensions that wake by themselves.

use std::time::{Duration, Instant};

use test_support::{OnEvent, wakeable};

use crate::bus_session::{self, Ending};
use crate::support::{TestEnv, asking, env, manifest, send};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// Starts the service and waits until it waits for events.
fn started(env: &TestEnv) -> Ending {
    started_with(env, &[])
}

/// Starts the service with variables of its own.
fn started_with(env: &TestEnv, variables: &[(&str, &str)]) -> Ending {
    let mut command = env.command(["session", "run"]);
    command.env("XDG_RUNTIME_DIR", env.path("run")).envs(variables.iter().copied());
    let service = bus_session::started(env, command, "service.log");
    until(env, "for");
    service
}

/// Waits until the service has said something.
fn until(env: &TestEnv, said: &str) {
    let begun = Instant::now();
    while !env.read("service.log").contains(said) {
        assert!(begun.elapsed() < LONG, "{said}: {}", env.read("service.log"));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the deliveries of an event in the activity log.
fn delivered(env: &TestEnv, name: &str, event: &str) -> usize {
    let activity = env.run(&format!("extension activity {name} --json")).ok().text();
    activity.matches(&format!("\"cause\":\"event:{event}\"")).count()
}

/// An environment with an extension that declares these events.
fn waking(declared: &str, on_event: OnEvent) -> TestEnv {
    let env = env();
    env.make_runtime_directory();
    env.write("work/clock.wasm", asking(&wakeable(1, on_event), declared));
    env.run("extension install ./clock.wasm").ok();
    env
}

const EVERY_SECOND: &str = "[events.\"time.every\"]\nevery = \"1s\"\nexact = true\n";

/// A granted timer wakes, also one that is granted while the service runs, and a revoked one does
/// not wake any more.
#[test]
fn timer_wakes_while_granted() {
    let env = waking(EVERY_SECOND, OnEvent::Handles);
    let _service = started(&env);
    until(&env, "no event may wake an extension yet");
    env.run("extension grant clock events=time.every").ok();
    until(&env, "clock: time.every: handled");
    env.run("extension revoke clock events=time.every").ok();
    std::thread::sleep(Duration::from_secs(2));
    let after = delivered(&env, "clock", "time.every");
    assert!(after >= 1);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(delivered(&env, "clock", "time.every"), after, "{}", env.read("service.log"));
}

/// A login session starts once, also if the service ends and starts again, and needs no bus for it.
#[test]
fn login_session_starts_once() {
    let env = waking("[events.\"session.start\"]\n", OnEvent::Handles);
    env.run("extension grant clock events=session.start").ok();
    let no_bus = [("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/none"), ("XDG_SESSION_ID", "7")];
    let service = started_with(&env, &no_bus);
    until(&env, "clock: session.start: handled");
    drop(service);
    let _again = started_with(&env, &no_bus);
    until(&env, "waiting for events of clock");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(delivered(&env, "clock", "session.start"), 1, "{}", env.read("service.log"));
}

/// A signal ends the service well, and there is one at a time.
#[test]
fn service_is_alone_and_ends() {
    let env = waking(EVERY_SECOND, OnEvent::Handles);
    let mut service = started(&env);
    let mut second = env.command(["session", "run"]);
    second.env("XDG_RUNTIME_DIR", env.path("run"));
    insta::assert_snapshot!(env.finish(second, b""), @r#"
    exit 0
    err: the session service is already running
    "#);
    send(&service.0, rustix::process::Signal::TERM);
    let status = service.0.wait().expect("ended");
    assert_eq!(status.code(), Some(0), "{}", env.read("service.log"));
}

/// A crash costs one delivery, and five in a row put the extension aside.
#[test]
fn crashing_handler_is_put_aside() {
    let env = waking(EVERY_SECOND, OnEvent::Crashes);
    env.run("extension grant clock events=time.every").ok();
    let _service = started(&env);
    until(&env, "is quarantined");
    let before = delivered(&env, "clock", "time.every");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(delivered(&env, "clock", "time.every"), before, "{}", env.read("service.log"));
}

/// A file wakes while it may be read, and its path is told to no extension that may not.
#[test]
fn file_wakes_who_may_read_it() {
    let declared = "[events.\"file.changed\"]\npaths = [\"~/notes\"]\n";
    let env = waking(declared, OnEvent::Handles);
    std::fs::create_dir(env.path("notes")).expect("made");
    env.run("extension grant clock events=file.changed").ok();
    let _service = started(&env);
    until(&env, "waiting for events of clock");
    env.write("notes/a.txt", "one");
    std::thread::sleep(Duration::from_secs(1));
    // One line says that it was not told.
    assert_eq!(delivered(&env, "clock", "file.changed"), 1, "it may not read the file");
    let why = env.run("extension why clock").text();
    assert!(why.contains("extension grant clock 'filesystem=read:~/notes'"), "{why}");
    env.run("extension grant clock filesystem=read:~/notes").ok();
    let begun = Instant::now();
    while delivered(&env, "clock", "file.changed") == 1 {
        assert!(begun.elapsed() < LONG, "{}", env.read("service.log"));
        env.write("notes/a.txt", "two");
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// A changed file has the path that the extension finds it under, and not the one on this machine.
#[test]
fn changed_file_has_its_path_in_the_guest() {
    let declared = "[events.\"file.changed\"]\npaths = [\"~/notes\"]\n";
    let env = waking(declared, OnEvent::Echoes);
    std::fs::create_dir(env.path("notes")).expect("made");
    let grants = "events=file.changed filesystem=read:~/notes::/of-guest";
    env.run(&format!("extension grant clock {grants}")).ok();
    let _service = started(&env);
    until(&env, "waiting for events of clock");
    env.write("notes/a.txt", "one");
    until(&env, "clock: file.changed: returned an error");
    let said = env.run("extension logs clock").ok().text();
    assert!(said.contains(": /of-guest/a.txt"), "{said}");
    assert!(!said.contains(&env.path("notes").display().to_string()), "{said}");
}

/// An event that waits says nothing of a file that may not be read any more.
#[test]
fn waiting_change_needs_its_grant() {
    let declared = "[events.\"file.changed\"]\npaths = [\"~/notes\"]\n";
    let env = waking(declared, OnEvent::Handles);
    let policy = "[extensions.policy]\nmin_event_interval = \"4s\"\n";
    env.write(".config/pds/config.toml", policy);
    std::fs::create_dir(env.path("notes")).expect("made");
    env.run("extension grant clock events=file.changed filesystem=read:~/notes").ok();
    let _service = started(&env);
    until(&env, "waiting for events of clock");
    let begun = Instant::now();
    while delivered(&env, "clock", "file.changed") == 0 {
        assert!(begun.elapsed() < LONG, "{}", env.read("service.log"));
        env.write("notes/a.txt", "one");
        std::thread::sleep(Duration::from_millis(100));
    }
    env.write("notes/b.txt", "two");
    env.run("extension revoke clock filesystem=read:~/notes").ok();
    let why = || env.run("extension why clock").text();
    let begun = Instant::now();
    while !why().contains("filesystem=read:~/notes") {
        assert!(begun.elapsed() < LONG, "{}", env.read("service.log"));
        std::thread::sleep(Duration::from_millis(200));
    }
    let activity = env.run("extension activity clock --json").ok().text();
    assert_eq!(activity.matches("\"outcome\":\"returned\"").count(), 1, "{activity}");
}

/// A changed setting wakes the extension that may read it.
#[test]
fn own_setting_wakes() {
    let env = waking("[events.\"config.changed\"]\n", OnEvent::Returns);
    env.run("extension grant clock events=config.changed config-read").ok();
    let _service = started(&env);
    until(&env, "waiting for events of clock");
    let path = manifest("clock");
    let text = env.read(&path) + "\n[config]\ncity = \"Oslo\"\n";
    // An editor that writes in place leaves it empty for a moment, which the service sees.
    env.write(&path, "");
    std::thread::sleep(Duration::from_millis(400));
    env.write(&path, text);
    until(&env, "clock: config.changed: returned an error");
}

/// A changed setting that the extension may not read does not wake it.
#[test]
fn hidden_setting_wakes_nothing() {
    let env = waking("[events.\"config.changed\"]\n", OnEvent::Returns);
    env.run("extension grant clock events=config.changed config-read=city").ok();
    let _service = started(&env);
    until(&env, "waiting for events of clock");
    let path = manifest("clock");
    let text = env.read(&path);
    env.write(&path, format!("{text}\n[config]\nhidden = 1\n"));
    // It has been read by then.
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(delivered(&env, "clock", "config.changed"), 0);
    env.write(&path, format!("{text}\n[config]\nhidden = 1\ncity = \"Oslo\"\n"));
    until(&env, "clock: config.changed: returned an error");
}

/// In safe mode nothing wakes.
#[test]
fn safe_mode_wakes_nothing() {
    let env = waking(EVERY_SECOND, OnEvent::Handles);
    env.run("extension grant clock events=time.every").ok();
    let _service = started_with(&env, &[("SESAME_SAFE_MODE", "1")]);
    until(&env, "no event may wake an extension yet");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(delivered(&env, "clock", "time.every"), 0);
}
