//! What the session service keeps to itself.

use std::fs;
use std::time::Duration;

use test_support::OnEvent;
use zbus::MatchRule;
use zbus::blocking::MessageIterator;
use zbus::message::Type;
use zbus::zvariant::{OwnedObjectPath, Value};

use crate::bus_session::{
    Options, Session, TICK, TICKS, add_waking, ask, call, started, under, wait_for,
};
use crate::support::{ECHO, env};

/// What nobody but the extension and its caller is told.
const CANARY: &str = "canary-7b1c4d";

/// Arguments, results, payloads and what a guest prints are in no log but that of the guest, and in no
/// message for others.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn contents_are_in_no_log() {
    let env = env();
    env.write("work/echo.wasm", &*ECHO);
    env.run("extension install ./echo.wasm").ok();
    add_waking(&env, "echoes", OnEvent::Echoes, TICKS, TICK);
    let session = Session::start(env);
    let stranger = session.connect();
    let rule = MatchRule::builder().msg_type(Type::Signal).build();
    let signals = MessageIterator::for_match_rule(rule, &stranger, Some(1_000)).expect("heard");
    let program = session.connect();
    let argument = format!("[\"{CANARY}\"]");
    let (result, _) = call(&program, "echo", "echo-string", &argument).expect("called");
    assert!(result.contains(CANARY));
    call(&program, "echo", "print", &argument).expect("called");
    // Its last words are for a person at the terminal.
    for function in ["fail", "panic"] {
        let answer = call(&program, "echo", function, &argument);
        assert!(answer.as_ref().err().is_none_or(|error| !error.1.contains(CANARY)), "{answer:?}");
    }
    let options = Options::from([("every-ms", Value::from(1000_u32))]);
    let _: OwnedObjectPath =
        ask(&program, "Watch", &("echo", "echo-string", &argument, options)).expect("watched");
    let reached: u32 = ask(&program, "Emit", &("tick", CANARY)).expect("emitted");
    assert_eq!(reached, 1);
    wait_for(|| session.log().contains("echoes: custom.tick: returned an error"), || session.log());
    session.run("session stop").ok();
    stranger.emit_signal(None::<&str>, "/end", "org.example.End", "Last", &()).expect("sent");
    let is_last = |message: &zbus::Message| {
        message.header().member().is_some_and(|member| member.as_str() == "Last")
    };
    for message in signals.map(|message| message.expect("a message")) {
        if is_last(&message) {
            break;
        }
        let shown = String::from_utf8_lossy(message.data().bytes()).into_owned();
        assert!(!shown.contains(CANARY), "{shown}");
    }
    assert!(!session.log().contains(CANARY), "{}", session.log());
    let mut has_guest_log = false;
    for (path, bytes) in session.env.files() {
        let is_guest_log = path.to_string_lossy().contains("extensions/logs/");
        let contains = String::from_utf8_lossy(&bytes).contains(CANARY);
        has_guest_log |= is_guest_log && contains;
        assert!(is_guest_log || !contains, "{}", path.display());
    }
    assert!(has_guest_log, "the output of a guest is there");
}

/// The service connects to the two buses and to nothing else, whatever it is asked for.
#[test]
#[ignore = "needs dbus-daemon and strace, from Debian"]
fn service_connects_to_two_buses() {
    let mut session = crate::bus_session::waking_session();
    session.end();
    let trace = session.env.path("trace");
    let trace = trace.display().to_string();
    let calls = "trace=socket,connect,bind,listen,sendto";
    let words = ["-f", "-qq", "-e", calls, "-e", "signal=none", "-o", &trace];
    let mut command = under("strace", &words, &session.env);
    // The same bus by another name, to tell them apart.
    let system = session.env.path("run/system");
    std::os::unix::fs::symlink(session.env.path("run/bus"), &system).expect("linked");
    let system = system.display().to_string();
    command.env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={system}"));
    command.env("XDG_SESSION_ID", "c1");
    session.service = started(&session.env, command, "traced.log");
    let log = || session.env.read("traced.log");
    wait_for(|| log().contains("waiting for events of woken"), log);
    let _ = call(&session.connect(), "woken", "f", "[]").expect("called");
    session.run("session status").ok();
    std::thread::sleep(Duration::from_secs(1));
    session.end();
    let trace = fs::read_to_string(trace).expect("a trace");
    let bus = session.env.path("run/bus").display().to_string();
    for bus in [&bus, &system] {
        let is_connected = |line: &str| line.contains("connect(") && line.contains(bus.as_str());
        assert!(trace.lines().any(is_connected), "{bus}: {trace}");
    }
    for line in trace.lines().filter(|line| !line.contains("resumed>")) {
        let is_bus = line.contains("AF_UNIX") && (line.contains(&bus) || line.contains(&system));
        let is_socket = line.contains("socket(AF_UNIX");
        // Messages go over connections, which are checked.
        let is_message = line.contains("sendto(") && line.contains("NULL, 0");
        assert!(is_bus || is_socket || is_message, "{line}");
    }
}
