//! The session service under more than anybody asks of it.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use test_support::OnEvent;
use zbus::blocking::{Connection, MessageIterator};
use zbus::message::Type as MessageType;
use zbus::zvariant::OwnedValue;
use zbus::{Message, interface};

use crate::bus_session::{
    NAME, OBJECT, Options, RUNNING, Session, add_waking, ask, call, is_woken, limit, wait_for,
    waking_session, with_hostile,
};
use crate::support::env;

/// Counts the open files and the threads of the service.
fn held(session: &Session) -> (usize, usize) {
    let count = |what: &str| {
        let entries = fs::read_dir(format!("/proc/{}/{what}", session.process()));
        entries.expect("listed").count()
    };
    (count("fd"), count("task"))
}

/// Waits until the service holds no more than before: its workers stay a while.
fn nothing_is_left(session: &Session, (files, threads): (usize, usize)) {
    let is_less = || {
        let now = held(session);
        now.0 <= files && now.1 <= threads
    };
    wait_for(is_less, || format!("{files} {threads}: {:?}", held(session)));
}

/// Returns the memory of the service in KiB.
fn resident(session: &Session) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", session.process()));
    let status = status.expect("read");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn list(connection: &Connection) -> Vec<HashMap<String, OwnedValue>> {
    ask(connection, "List", &()).expect("listed")
}

/// Ten thousand calls of one program are answered, as `Busy` where they are too many, and others are
/// listed to meanwhile.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn storm_of_one_caller_is_bounded() {
    let session = Session::start(with_hostile());
    let (busy, other) = (session.connect(), session.connect());
    list(&other);
    let before = held(&session);
    let (done, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let slowest = std::thread::scope(|scope| {
        let calls = || {
            for _ in 0..625 {
                match call(&busy, "greet", "greet", "[\"World\"]") {
                    Ok(_) => done.fetch_add(1, Ordering::Relaxed),
                    Err((name, text)) => {
                        assert_eq!(name, "Busy", "{text}");
                        refused.fetch_add(1, Ordering::Relaxed)
                    }
                };
            }
        };
        let callers: Vec<_> = (0..16).map(|_| scope.spawn(calls)).collect();
        let mut slowest = Duration::ZERO;
        while callers.iter().any(|caller| !caller.is_finished()) {
            let begun = Instant::now();
            assert_eq!(list(&other).len(), 2);
            slowest = slowest.max(begun.elapsed());
        }
        slowest
    });
    let (done, refused) = (done.into_inner(), refused.into_inner());
    assert_eq!(done + refused, 10_000);
    assert!(done > 0 && refused > 0, "{done} done, {refused} refused");
    assert!(slowest < Duration::from_secs(10), "a listing took {slowest:?}");
    nothing_is_left(&session, before);
}

/// Ten thousand calls that one program sends without waiting are answered: a few run, and the others are
/// `Busy` while those run. Others are listed to meanwhile.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn calls_without_waiting_are_bounded() {
    const CALLS: usize = 10_000;
    let env = with_hostile();
    limit(&env, "hostile", 60_000);
    let session = Session::start(env);
    let (sender, other) = (session.connect(), session.connect());
    // The code of both is mapped from now on.
    list(&other);
    let before = held(&session);
    let answers = MessageIterator::from(&sender);
    let (done, slowest) = std::thread::scope(|scope| {
        let done = scope.spawn(move || returned(answers, CALLS));
        let sent = scope.spawn(|| {
            let message = || sleeping(5_000);
            (0..CALLS).for_each(|_| sender.send(&message()).expect("sent"));
        });
        let mut slowest = Duration::ZERO;
        while !sent.is_finished() {
            let begun = Instant::now();
            list(&other);
            slowest = slowest.max(begun.elapsed());
        }
        (done.join().expect("answered"), slowest)
    });
    // Eight at a time; on a slow machine they end before the last one is sent.
    assert!((8..=64).contains(&done), "{done} done");
    assert!(slowest < Duration::from_secs(5), "a listing took {slowest:?}");
    nothing_is_left(&session, before);
}

/// Takes this many answers to calls, and returns the number of calls that returned.
fn returned(answers: MessageIterator, all: usize) -> usize {
    let mut answers = answers.map(|answer| answer.expect("an answer")).filter(|answer| {
        matches!(answer.message_type(), MessageType::MethodReturn | MessageType::Error)
    });
    let mut done = 0;
    for answer in answers.by_ref().take(all) {
        match answer.header().error_name() {
            Some(name) => assert_eq!(name.as_str(), "org.opensesame.Error.Busy"),
            None => done += 1,
        }
    }
    done
}

/// A thousand programs call at once: each gets an answer, and nothing of them is left when they go.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn thousand_callers_are_answered() {
    raise_open_files();
    let session = Session::start(with_hostile());
    let other = session.connect();
    list(&other);
    let before = held(&session);
    let callers: Vec<_> = (0..1_000).map(|_| session.connect()).collect();
    let (done, busy) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for callers in callers.chunks(5) {
            let (done, busy) = (&done, &busy);
            scope.spawn(move || {
                for caller in callers {
                    match call(caller, "greet", "greet", "[\"World\"]") {
                        Ok(_) => done.fetch_add(1, Ordering::Relaxed),
                        Err((name, text)) => {
                            assert_eq!(name, "Busy", "{text}");
                            busy.fetch_add(1, Ordering::Relaxed)
                        }
                    };
                }
            });
        }
    });
    let (done, busy) = (done.into_inner(), busy.into_inner());
    assert!(done + busy == 1_000 && done >= 32 && busy > 0, "{done} done, {busy} busy");
    drop(callers);
    nothing_is_left(&session, before);
    call(&other, "greet", "greet", "[\"World\"]").expect("called");
}

/// Lets this process have as many connections as the system lets it.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit { current: maximum, maximum };
    setrlimit(Resource::Nofile, limit).expect("raised");
}

/// A call that lasts so many milliseconds.
fn sleeping(milliseconds: u32) -> Message {
    let arguments = format!("[{milliseconds}]");
    let body = ("hostile", "sleep", arguments.as_str(), Options::new());
    let call = Message::method_call(OBJECT, "Call").and_then(|it| it.destination(NAME));
    call.and_then(|it| it.interface(NAME)?.build(&body)).expect("a message")
}

/// A program that goes in the middle of anything leaves nothing: its call ends soon.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn caller_that_goes_ends_its_call() {
    let env = with_hostile();
    limit(&env, "hostile", 60_000);
    let session = Session::start(env);
    let other = session.connect();
    // The code of both is mapped from now on.
    call(&other, "greet", "greet", "[\"World\"]").expect("called");
    call(&other, "hostile", "sleep", "[1]").expect("called");
    let before = held(&session);
    for pause in [0, 1, 2, 5, 10, 20, 50].repeat(10) {
        let caller = session.connect();
        caller.send(&sleeping(60_000)).expect("sent");
        std::thread::sleep(Duration::from_millis(pause));
        caller.close().expect("it goes");
    }
    // The soonest of ten: a busy machine holds some up.
    let soonest = (0..10).map(|_| time_to_end(&session)).min().expect("ten");
    assert!(soonest < Duration::from_millis(100), "its calls went on: {soonest:?}");
    let status = || session.run("session status --json").ok().text();
    wait_for(|| status().contains("\"calls\":0"), status);
    nothing_is_left(&session, before);
}

/// Returns the time from the end of a program to the end of its call.
fn time_to_end(session: &Session) -> Duration {
    let caller = session.connect();
    let running = || session.env.read(RUNNING).contains("hostile");
    caller.send(&sleeping(60_000)).expect("sent");
    wait_for(running, || session.log());
    caller.close().expect("it goes");
    let left = Instant::now();
    while running() {
        assert!(left.elapsed() < Duration::from_secs(30), "{}", session.log());
        std::thread::sleep(Duration::from_millis(1));
    }
    left.elapsed()
}

/// A hundred thousand signals of UPower, NetworkManager and a media player wake once a second at most,
/// take no memory, and hold up no other source.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn storm_of_signals_is_bounded() {
    let session = waking_session();
    let [power, network, player] = [(); 3].map(|()| session.connect());
    let (upower, network_manager) = ("org.freedesktop.UPower", "org.freedesktop.NetworkManager");
    power.request_name(upower).expect("owned");
    network.request_name(network_manager).expect("owned");
    let served = player.object_server().at("/org/mpris/MediaPlayer2", Player);
    assert!(served.expect("served"));
    session.serve(&player, "/org/mpris/MediaPlayer2", "org.mpris.MediaPlayer2.storm");
    std::thread::sleep(Duration::from_millis(500));
    let before = resident(&session);
    let begun = Instant::now();
    for number in 0..34_000_u32 {
        let is_even = number.is_multiple_of(2);
        changed(&power, "/org/freedesktop/UPower", upower, "OnBattery", is_even);
        let connectivity = if is_even { 4_u32 } else { 1 };
        let path = "/org/freedesktop/NetworkManager";
        changed(&network, path, network_manager, "Connectivity", connectivity);
        let status = if is_even { "Playing" } else { "Paused" };
        let (path, interface) = ("/org/mpris/MediaPlayer2", "org.mpris.MediaPlayer2.Player");
        changed(&player, path, interface, "PlaybackStatus", status);
    }
    let events = ["power.source", "network.changed", "media.changed"];
    events.iter().for_each(|event| is_woken(&session, event));
    session.run("session status").ok();
    let seconds = usize::try_from(begun.elapsed().as_secs()).expect("few");
    for event in events {
        let woken = session.log().matches(&format!("woken: {event}: handled")).count();
        assert!(woken <= seconds + 2, "{event}: {woken} in {seconds} s");
    }
    let grown = resident(&session).saturating_sub(before);
    assert!(grown < 32 << 10, "{grown} KiB more");
}

/// A media player.
struct Player;

#[interface(name = "org.mpris.MediaPlayer2.Player")]
impl Player {
    #[zbus(property)]
    fn playback_status(&self) -> &'static str {
        "Stopped"
    }

    #[zbus(property)]
    fn metadata(&self) -> HashMap<String, OwnedValue> {
        HashMap::new()
    }
}

fn changed<'a>(
    connection: &Connection,
    path: &str,
    interface: &str,
    property: &str,
    value: impl Into<zbus::zvariant::Value<'a>>,
) {
    let changed = HashMap::from([(property, value.into())]);
    let body = (interface, changed, Vec::<&str>::new());
    let (properties, signal) = ("org.freedesktop.DBus.Properties", "PropertiesChanged");
    connection.emit_signal(None::<&str>, path, properties, signal, &body).expect("sent");
}

/// A thousand extensions that wake each second keep to their budgets, and the service answers.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn thousand_timers_leave_the_service_free() {
    let env = env();
    let declared = "[events.\"time.every\"]\nevery = \"1s\"\n";
    add_waking(&env, "first", OnEvent::Handles, declared, "events=time.every");
    let directory = env.path(".config/pds/extensions");
    let text = fs::read_to_string(directory.join("first.toml")).expect("read");
    for number in 0..999 {
        let text = text.replace("name = \"first\"", &format!("name = \"n{number}\""));
        fs::write(directory.join(format!("n{number}.toml")), text).expect("written");
    }
    let session = Session::start(env);
    std::thread::sleep(Duration::from_secs(5));
    let begun = Instant::now();
    let status = session.run("session status --json").ok().text();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    let deliveries: Vec<_> = status["service"]["extensions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|extension| extension["deliveries"].as_u64().expect("a number"))
        .collect();
    assert_eq!(deliveries.len(), 1_000);
    assert!(deliveries.iter().all(|count| *count <= 120) && deliveries.iter().any(|it| *it > 0));
    call(&session.connect(), "first", "f", "[]").expect("called");
}
