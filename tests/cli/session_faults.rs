//! The session service when processes, files and the machine do not do what they should.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;
use test_support::OnEvent;
use zbus::zvariant::OwnedValue;

use crate::bus_session::{
    Ending, NAME, OBJECT, RUNNING, Session, TICK, TICKS, add_waking, ask, call, in_session, limit,
    started, under, wait_for, waking, with_hostile,
};
use crate::notifications::Notifications;
use crate::support::manifest;

const SECONDS: &str = "[events.\"time.every\"]\nevery = \"1s\"\nexact = true\n";

/// Lets the service crash while a call of the extension runs.
fn crash_during_call(session: &mut Session) {
    let caller = session.connect();
    let waiting = std::thread::spawn(move || call(&caller, "hostile", "sleep", "[60000]"));
    let runs = || session.env.read(RUNNING).contains("hostile");
    wait_for(runs, || session.log());
    session.crash();
    assert!(waiting.join().expect("no panic").is_err());
    session.start_again();
}

/// Three crashes of the service in five minutes with the same extension running quarantine it, and no
/// other; a person is told once.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn crashing_service_quarantines() {
    let mut session = Session::start(with_hostile());
    let notifications = Notifications::start(&session);
    crash_during_call(&mut session);
    crash_during_call(&mut session);
    let program = session.connect();
    call(&program, "greet", "greet", "[\"World\"]").expect("called");
    session.crash();
    session.start_again();
    assert_eq!(notifications.shown(), Vec::<String>::new(), "nothing ran");
    crash_during_call(&mut session);
    let (name, text) = call(&program, "hostile", "flood", "[1]").expect_err("quarantined");
    assert_eq!(name, "Refused");
    insta::assert_snapshot!(text, @r#"
    `hostile` is quarantined: the session service crashed 3 times within five minutes while it ran
    hint: see `sesame extension logs hostile`, then: sesame extension enable hostile
    "#);
    call(&program, "greet", "greet", "[\"World\"]").expect("called");
    wait_for(|| !notifications.shown().is_empty(), || session.log());
    insta::assert_snapshot!(notifications.shown().join("\n"), @r#"
    hostile is quarantined
    The session service crashed 3 times while it ran. It is not called any more.
    Why: sesame extension info hostile
    To call it again: sesame extension enable hostile
    "#);
    session.run("extension enable hostile").ok();
    call(&program, "hostile", "flood", "[1]").expect("called again");
}

/// Failures quarantine an extension as well, which is shown once however often its event comes.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn quarantine_is_shown_once() {
    let session = Session::start(waking("ticks", OnEvent::Crashes, TICKS, TICK));
    let notifications = Notifications::start(&session);
    for _ in 0..8 {
        session.run("session emit tick").ok();
        std::thread::sleep(Duration::from_millis(200));
    }
    wait_for(|| !notifications.shown().is_empty(), || session.log());
    std::thread::sleep(Duration::from_millis(1_500));
    insta::assert_snapshot!(notifications.shown().join("\n---\n"), @r#"
    ticks is quarantined
    It failed 5 times in a row. It is not called any more.
    Why: sesame extension info ticks
    To call it again: sesame extension enable ticks
    "#);
}

/// A service that is told to end waits five seconds for a call, and one that was stopped for a while
/// goes on where it was.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn service_ends_and_stops_in_time() {
    let env = with_hostile();
    limit(&env, "hostile", 60_000);
    let mut session = Session::start(env);
    let caller = session.connect();
    session.signal(Signal::STOP);
    std::thread::scope(|scope| {
        let greets = scope.spawn(|| call(&caller, "greet", "greet", "[\"World\"]"));
        std::thread::sleep(Duration::from_secs(2));
        assert!(!greets.is_finished(), "it is stopped");
        session.signal(Signal::CONT);
        greets.join().expect("no panic").expect("called");
    });
    std::thread::scope(|scope| {
        let sleeps = scope.spawn(|| call(&caller, "hostile", "sleep", "[60000]"));
        wait_for(|| session.env.read(RUNNING).contains("hostile"), || session.log());
        let told = Instant::now();
        session.signal(Signal::TERM);
        assert!(sleeps.join().expect("no panic").is_err());
        let waited = told.elapsed();
        assert!(waited > Duration::from_secs(3), "it waits for the call: {waited:?}");
        assert!(waited < Duration::from_secs(20), "it waits five seconds: {waited:?}");
    });
    let ended = session.service.0.wait().expect("ended");
    assert_eq!(ended.code(), Some(0), "{}", session.log());
    assert_eq!(session.env.read(RUNNING), "", "what was left did not crash it");
}

/// Files that are no manifests make one extension broken each, and the others wake.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn odd_manifests_break_themselves() {
    let session = Session::start(waking("ticks", OnEvent::Handles, TICKS, TICK));
    let path = |name: &str| session.env.path(&manifest(name));
    mknodat(CWD, path("fifo"), FileType::Fifo, Mode::RUSR, 0).expect("made");
    fs::create_dir(path("directory")).expect("made");
    fs::File::create(path("large")).and_then(|file| file.set_len(100 << 20)).expect("made");
    symlink("/proc/self/environ", path("link")).expect("made");
    symlink("loop.toml", path("loop")).expect("made");
    fs::write(path("half"), "[extension]\nreference = \"").expect("written");
    let program = session.connect();
    let listed = || {
        let rows: Vec<HashMap<String, OwnedValue>> = ask(&program, "List", &()).expect("listed");
        let text = |value: &OwnedValue| String::try_from(value.clone()).expect("text");
        let row = |row: &HashMap<String, OwnedValue>| {
            format!("{} {}", text(&row["name"]), text(&row["state"]))
        };
        rows.iter().map(row).collect::<Vec<_>>()
    };
    insta::assert_snapshot!(listed().join("\n"), @r#"
    directory broken
    fifo broken
    half broken
    large broken
    link broken
    loop broken
    ticks ready
    "#);
    for number in 1..4 {
        session.run("session emit tick").ok();
        let handled = || session.log().matches("ticks: custom.tick: handled").count();
        wait_for(|| handled() == number, || session.log());
    }
}

/// A manifest that changes a thousand times a second costs a reading a second, and events go on.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn storm_of_manifests_is_bounded() {
    let env = waking("ticks", OnEvent::Handles, TICKS, TICK);
    add_waking(&env, "other", OnEvent::Handles, TICKS, "events=custom.other");
    let session = Session::start(env);
    let path = session.env.path(&manifest("other"));
    // So long that its readings can be told from all others.
    let text = fs::read_to_string(&path).expect("read");
    fs::write(&path, text + &"# a comment\n".repeat(20_000)).expect("written");
    let mut file = fs::File::options().append(true).open(&path).expect("opened");
    let size = file.metadata().expect("there").len();
    let read = || {
        let io = fs::read_to_string(format!("/proc/{}/io", session.process())).expect("counted");
        let read = io.lines().find_map(|line| line.strip_prefix("rchar: ")).expect("a line");
        read.parse::<u64>().expect("a number")
    };
    let before = read();
    let begun = Instant::now();
    let mut changes = 0_u64;
    while begun.elapsed() < Duration::from_secs(4) {
        file.write_all(b"#\n").expect("written");
        changes += 1;
        std::thread::sleep(Duration::from_micros(500));
    }
    session.run("session emit tick").ok();
    let readings = (read() - before) / size;
    assert!(changes > 1_000 && readings < 30, "{readings} readings for {changes} changes");
    wait_for(|| session.log().contains("ticks: custom.tick: handled"), || session.log());
}

/// Whoever replaces whom, one process is the service in the end, and its state is whole.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn storm_of_replacements_leaves_one() {
    let session = Session::start(with_hostile());
    let start = |_| {
        let mut command = session.env.command(["session", "run", "--replace"]);
        in_session(&session.env, &mut command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ending(command.spawn().expect("started"))
    };
    let mut services: Vec<_> = (0..50).map(start).collect();
    let mut alive = || {
        let is_alive = |service: &mut Ending| service.0.try_wait().expect("asked").is_none();
        services.iter_mut().map(is_alive).filter(|is_alive| *is_alive).count()
    };
    wait_for(|| alive() == 1, || "not one".to_owned());
    wait_for(|| session.run("session status").code == 0, || session.log());
    call(&session.connect(), "greet", "greet", "[\"World\"]").expect("called");
    session.run("extension activity verify").ok();
}

/// A service that finds the records of a newer one wakes all the same, says so, and leaves them alone.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn records_of_a_newer_service_stay() {
    let declared = format!("{TICKS}[events.\"time.every\"]\nevery = \"1s\"\nexact = true\n");
    let grants = "events=custom.tick events=time.every";
    let mut session = Session::on_one_bus(waking("ticks", OnEvent::Handles, &declared, grants));
    session.end();
    let newer = "{\"format_version\": 9, \"kept\": \"otherwise\"}";
    let records = ["state", "sessions", "crashes"].map(|record| {
        let path = format!(".local/state/pds/extensions/events/{record}");
        session.env.write(&path, newer);
        path
    });
    session.start_again();
    session.run("session emit tick").ok();
    wait_for(|| session.log().contains("custom.tick: handled"), || session.log());
    wait_for(|| session.log().contains("time.every: handled"), || session.log());
    assert!(session.log().contains("newer sesame"), "{}", session.log());
    session.end();
    for record in records {
        assert_eq!(session.env.read(&record), newer, "{record}");
    }
}

/// Without a runtime directory there are no grants of a session and no questions; events go on.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn events_need_no_runtime_directory() {
    let session = Session::start(waking("ticks", OnEvent::Handles, TICKS, TICK));
    session.run("session stop").ok();
    let mut command = session.env.command(["session", "run"]);
    in_session(&session.env, &mut command);
    command.env_remove("XDG_RUNTIME_DIR");
    let _service = started(&session.env, command, "bare.log");
    let log = || session.env.read("bare.log");
    wait_for(|| log().contains("waiting for events of ticks"), log);
    session.run("session emit tick").ok();
    wait_for(|| log().contains("ticks: custom.tick: handled"), log);
    let program = session.connect();
    let answer = program.call_method(Some(NAME), OBJECT, Some(NAME), "List", &());
    answer.expect("listed");
}

/// A change among more of them than the kernel keeps is found.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn lost_changes_are_found() {
    let session = Session::start(waking("ticks", OnEvent::Handles, SECONDS, "config-read"));
    session.signal(Signal::STOP);
    let other = session.env.path(".config/pds/extensions/other");
    for _ in 0..10_000 {
        fs::write(&other, "").and_then(|()| fs::remove_file(&other)).expect("written");
    }
    session.run("extension grant ticks events=time.every").ok();
    session.signal(Signal::CONT);
    wait_for(|| session.log().contains("ticks: time.every: handled"), || session.log());
}

/// Where no file can be watched, the service says so and looks once a second.
#[test]
#[ignore = "needs dbus-daemon and unshare, from Debian"]
fn unwatched_files_are_looked_at() {
    let session = Session::start(waking("ticks", OnEvent::Handles, SECONDS, "config-read"));
    session.run("session stop").ok();
    let without = "echo 0 >/proc/sys/user/max_inotify_instances && exec \"$@\"";
    let words = ["--user", "--map-root-user", "sh", "-c", without, "sh"];
    let _service = started(&session.env, under("unshare", &words, &session.env), "blind.log");
    let log = || session.env.read("blind.log");
    wait_for(|| log().contains("cannot watch files, and looks once a second"), log);
    session.run("extension grant ticks events=time.every").ok();
    wait_for(|| log().contains("ticks: time.every: handled"), log);
}

/// Code that stays mapped is the file that was checked: one that somebody changes, or removes, is not
/// used any more. That of a removed extension is let go.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn changed_code_is_mapped_anew() {
    let session = Session::start(waking("ticks", OnEvent::Handles, TICKS, "config-read"));
    let program = session.connect();
    let code = || {
        let files =
            fs::read_dir(session.env.path(".cache/pds/extensions")).expect("a cache").flatten();
        let is_code = |path: &PathBuf| path.extension().is_some_and(|it| it == "code");
        files.map(|file| file.path()).find(is_code).expect("code")
    };
    let used = || {
        let (result, _) = call(&program, "ticks", "f", "[]").expect("called");
        assert_eq!(result, "{\"result\":1}");
        code().metadata().expect("there").ino()
    };
    let first = used();
    assert_eq!(used(), first, "nothing was compiled");
    let size = code().metadata().expect("there").len();
    fs::write(code(), vec![0xcc; usize::try_from(size).expect("small")]).expect("written");
    let second = used();
    assert_ne!(second, first, "it was compiled again");
    fs::remove_file(code()).expect("removed");
    // Whether it gets the number of the one before is up to the file system.
    used();
    assert_eq!(fs::read(code()).expect("read").len() as u64, size);
    let is_mapped = || {
        let maps = fs::read_to_string(format!("/proc/{}/maps", session.process()));
        maps.expect("it runs").contains(".cache/pds/extensions")
    };
    assert!(is_mapped());
    session.run("extension remove ticks").ok();
    // Its removal is seen within a second.
    wait_for(|| !is_mapped(), || session.log());
}
