//! What a program of the session hears of the service, and its watches.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use test_support::{OnEvent, component, wakeable};
use zbus::blocking::{Connection, MessageIterator};
use zbus::message::Type;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{MatchRule, Message};

use crate::bus_session::{
    Ending, NAME, OBJECT, Options, Session, TICK, TICKS, add_waking, ask, call, in_session,
    wait_for, waking, waking_session, with_hostile,
};
use crate::notifications::Notifications;
use crate::support::{TestEnv, asking, env};

const LONG: Duration = Duration::from_secs(60);
const WATCH: &str = "org.opensesame.Watch1";

/// Hears the signals of the service from now on.
pub fn signals(connection: &Connection) -> Receiver<Message> {
    let rule = MatchRule::builder().msg_type(Type::Signal).sender(NAME).expect("a name").build();
    let messages = MessageIterator::for_match_rule(rule, connection, Some(100)).expect("heard");
    let (sender, receiver) = channel();
    std::thread::spawn(move || messages.flatten().try_for_each(|message| sender.send(message)));
    receiver
}

/// Waits for a signal, and returns its values.
pub fn next<T>(signals: &Receiver<Message>, member: &str) -> T
where
    T: serde::de::DeserializeOwned + zbus::zvariant::Type,
{
    loop {
        let message = signals.recv_timeout(LONG).expect(member);
        if message.header().member().is_some_and(|it| it.as_str() == member) {
            return message.body().deserialize().expect("its type");
        }
    }
}

fn property(connection: &Connection, path: &str, interface: &str, name: &str) -> OwnedValue {
    let properties = Some("org.freedesktop.DBus.Properties");
    let answer = connection.call_method(Some(NAME), path, properties, "Get", &(interface, name));
    answer.expect("a property").body().deserialize().expect("a value")
}

/// Programs hear what extensions publish, which of them changed, and what one was refused.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn signals_reach_programs() {
    let grants = "events=custom.tick ipc-publish=tick";
    let session = Session::start(waking("ping", OnEvent::Publishes, TICKS, grants));
    let program = session.connect();
    let signals = signals(&program);
    session.run("session emit tick").ok();
    let (identity, topic, payload): (String, String, String) = next(&signals, "Published");
    assert_eq!((topic.as_str(), payload.as_str()), ("tick", "tick"));
    assert!(identity.contains("ping"), "{identity}");
    session.run("extension disable ping").ok();
    assert_eq!(next::<String>(&signals, "Changed"), "ping");
    session.run("extension enable ping").ok();
    assert_eq!(next::<String>(&signals, "Changed"), "ping");
    session.run("extension revoke ping ipc-publish=tick").ok();
    session.run("extension grant ping ipc-publish=other").ok();
    assert_eq!(next::<String>(&signals, "Changed"), "ping");
    std::thread::sleep(Duration::from_millis(1_500));
    session.run("session emit tick").ok();
    let refused: (String, String) = next(&signals, "Refused");
    assert_eq!(refused, ("ping".to_owned(), "ipc-publish".to_owned()));
    std::thread::sleep(Duration::from_millis(1_500));
    signals.try_iter().for_each(drop);
    session.run("extension remove ping").ok();
    assert_eq!(next::<String>(&signals, "Changed"), "ping");
}

/// The version and safe mode are properties.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn service_has_properties() {
    let session = Session::start(with_hostile());
    let program = session.connect();
    let get = |name: &str| property(&program, OBJECT, NAME, name);
    assert_eq!(u32::try_from(get("Version")).expect("a number"), 1);
    assert!(!bool::try_from(get("SafeMode")).expect("a truth"));
}

fn counting() -> TestEnv {
    let env = env();
    for version in [1, 2] {
        env.write(&format!("work/{version}.wasm"), component(version));
    }
    env.run("extension install ./1.wasm --name count").ok();
    env
}

/// A watch looks again when it is asked to, tells a new value to its program alone, and ends when it is
/// closed.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn watch_refreshes_and_closes() {
    let session = Session::start(counting());
    let (program, stranger) = (session.connect(), session.connect());
    let (own, others) = (signals(&program), signals(&stranger));
    let hourly = Options::from([("every-ms", Value::from(3_600_000_u32))]);
    let path: OwnedObjectPath =
        ask(&program, "Watch", &("count", "f", "[]", hourly)).expect("watched");
    let of_watch = |connection: &Connection, method: &str| {
        connection.call_method(Some(NAME), path.as_str(), Some(WATCH), method, &()).map(drop)
    };
    of_watch(&program, "Refresh").expect("its own");
    std::thread::sleep(Duration::from_millis(500));
    let is_change = |message: &Message| {
        message.header().member().is_some_and(|it| it.as_str() == "PropertiesChanged")
    };
    assert_eq!(own.try_iter().filter(is_change).count(), 0, "the same result is no change");
    session.run("extension install ./2.wasm --replace count").ok();
    assert!(of_watch(&stranger, "Refresh").is_err() && of_watch(&stranger, "Close").is_err());
    of_watch(&program, "Refresh").expect("its own");
    let (interface, changed, _): (String, HashMap<String, OwnedValue>, Vec<String>) =
        next(&own, "PropertiesChanged");
    let value = String::try_from(changed["Value"].clone()).expect("text");
    assert_eq!((interface.as_str(), value.as_str()), (WATCH, "{\"result\":2}"));
    of_watch(&program, "Close").expect("its own");
    assert!(of_watch(&program, "Refresh").is_err(), "it is gone");
    // Behind everything that was sent to it.
    let _: Vec<HashMap<String, OwnedValue>> = ask(&stranger, "List", &()).expect("listed");
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(others.try_iter().filter(is_change).count(), 0, "a result is not for every program");
}

/// There are 64 watches at most; the next one is refused until one is gone.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn watches_are_bounded() {
    let session = Session::start(counting());
    let program = session.connect();
    let watch = || {
        let hourly = Options::from([("every-ms", Value::from(3_600_000_u32))]);
        ask::<_, OwnedObjectPath>(&program, "Watch", &("count", "f", "[]", hourly))
    };
    let watches: Vec<_> = (0..64).map(|_| watch().expect("a place")).collect();
    assert_eq!(watch().expect_err("too many").0, "Busy");
    let close = program.call_method(Some(NAME), watches[0].as_str(), Some(WATCH), "Close", &());
    close.expect("closed");
    watch().expect("a place again");
}

/// A watch can look again when an event reached the extension, if that was granted it.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn watch_looks_on_an_event() {
    let session = Session::start(waking("ticks", OnEvent::Handles, TICKS, TICK));
    let program = session.connect();
    let on = |event: &str| Options::from([("on", Value::from(vec![event.to_owned()]))]);
    let watch =
        |options| ask::<_, OwnedObjectPath>(&program, "Watch", &("ticks", "f", "[]", options));
    assert_eq!(watch(on("power.source")).expect_err("not granted").0, "Refused");
    watch(on("custom.tick")).expect("watched");
    let calls = || {
        let activity = session.run("extension activity ticks --json").ok().text();
        activity.matches("\"cause\":\"bus\"").count()
    };
    assert_eq!(calls(), 1, "for its first value");
    session.run("session emit tick").ok();
    wait_for(|| calls() == 2, || session.log());
}

/// The command prints a line for a bar after each event that the extension was woken by.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn watch_command_follows_an_event() {
    let env = waking("ticks", OnEvent::Handles, TICKS, TICK);
    env.write("work/second.wasm", asking(&wakeable(2, OnEvent::Handles), TICKS));
    let session = Session::start(env);
    let words = ["extension", "watch", "ticks", "f", "--on", "custom.tick", "--format", "i3bar"];
    let mut command = session.env.command(words);
    in_session(&session.env, &mut command);
    let out = std::fs::File::create(session.env.path("bar")).expect("a file");
    let _watch = Ending(command.stdin(Stdio::null()).stdout(out).spawn().expect("started"));
    let printed = || session.env.read("bar");
    wait_for(|| printed().contains("\"full_text\":\"1\""), printed);
    session.run("extension install ./second.wasm --replace ticks").ok();
    // Longer than a change takes to be seen.
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(!printed().contains("\"full_text\":\"2\""), "nothing woke it: {}", printed());
    session.run("session emit tick").ok();
    wait_for(|| printed().contains("\"full_text\":\"2\""), printed);
    let array = printed().split_once('\n').map(|(_, array)| format!("{array}]")).expect("a header");
    serde_json::from_str::<serde_json::Value>(&array).expect("an array");
}

/// Services that the machine does not have are no error, and the status names them.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn status_names_absent_sources() {
    let session = waking_session();
    let status = || session.run("session status").text();
    wait_for(|| status().matches("absent").count() == 3, status);
    let is_source = |line: &&str| line.starts_with("source ");
    insta::assert_snapshot!(status().lines().filter(is_source).collect::<Vec<_>>().join("\n"), @r#"
    source changes  listening
    source files  idle
    source logind  absent: `org.freedesktop.login1` is not on the bus
    source upower  absent: `org.freedesktop.UPower` is not on the bus
    source network-manager  absent: `org.freedesktop.NetworkManager` is not on the bus
    source media-players  listening
    "#);
}

/// `doctor` says whether the service can ask for permissions.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn doctor_says_whether_questions_can_be_asked() {
    let session = Session::start(counting());
    session.run("session install").ok();
    let row = || {
        let text = session.run("doctor --offline").text();
        let row = text.lines().find(|row| row.starts_with("session questions"));
        row.map(str::to_owned).unwrap_or(text)
    };
    let none =
        "session questions\twarning\textensions cannot ask for permissions: no program shows";
    assert!(row().starts_with(none), "{}", row());
    let server = Notifications::start(&session);
    insta::assert_snapshot!(row(), @"session questions	good	by notification");
    drop(server);
    session.env.write(".config/pds/config.toml", "[session]\nconsent = \"never\"\n");
    insta::assert_snapshot!(row(), @"session questions	good	none: `session.consent` is `never`");
}

/// A result over 1 MiB is too much for the bus, and the way out is named.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn large_result_names_the_way_out() {
    let session = Session::start(with_hostile());
    let program = session.connect();
    call(&program, "hostile", "long-string", "[1000000]").expect("it fits");
    let (name, text) =
        call(&program, "hostile", "long-string", "[1048577]").expect_err("over 1 MiB");
    assert_eq!(name, "Limit");
    insta::assert_snapshot!(text, @r#"
    the result is over 1 MiB, which is too much for the bus
    hint: sesame extension call hostile 'long-string' --json-args '[1048577]'
    "#);
}

/// The payload of an event can come from standard input.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn payload_comes_from_standard_input() {
    let session = Session::start(waking("echoes", OnEvent::Echoes, TICKS, TICK));
    let mut emit = session.env.command(["session", "emit", "tick", "-"]);
    in_session(&session.env, &mut emit);
    assert_eq!(session.env.finish(emit, b"from a pipe").ok().text(), "1\n");
    let log = || session.run("extension logs echoes").text();
    wait_for(|| log().contains("from a pipe"), || session.log());
}

/// An event says whether a program, the user or which extension it comes from.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn event_says_whom_it_is_from() {
    let env = waking("hears", OnEvent::EchoesSecond, TICKS, TICK);
    let grants = "events=custom.go ipc-publish=tick";
    add_waking(&env, "publishes", OnEvent::Publishes, "[events.\"custom.go\"]\n", grants);
    let session = Session::start(env);
    let log = || session.run("extension logs hears").text();
    let _: u32 = ask(&session.connect(), "Emit", &("tick", "")).expect("emitted");
    wait_for(|| log().contains("program"), || session.log());
    session.run("session emit tick").ok();
    wait_for(|| log().contains("user"), || session.log());
    session.run("session emit go").ok();
    wait_for(|| log().contains("extension local/file"), || session.log() + &log());
}

/// In safe mode the service lists with the reason, calls nothing, and says so.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn safe_mode_is_a_property() {
    let mut session = Session::start(waking("ticks", OnEvent::Handles, TICKS, TICK));
    session.restart_with(("SESAME_SAFE_MODE", "1"));
    let program = session.connect();
    assert!(bool::try_from(property(&program, OBJECT, NAME, "SafeMode")).expect("a truth"));
    let listed: Vec<HashMap<String, OwnedValue>> = ask(&program, "List", &()).expect("listed");
    let reason = String::try_from(listed[0]["reason"].clone()).expect("text");
    assert!(reason.contains("safe mode"), "{reason}");
    assert_eq!(call(&program, "ticks", "f", "[]").expect_err("safe mode").0, "Refused");
    assert_eq!(ask::<_, u32>(&program, "Emit", &("tick", "")), Ok(0));
}

/// `doctor` names the services of the machine that tell of events.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn doctor_names_the_sources() {
    let mut session = Session::start(counting());
    let power = session.connect();
    power.request_name("org.freedesktop.UPower").expect("owned");
    let row = |session: &Session| {
        let mut doctor = session.env.command(["doctor", "--offline"]);
        in_session(&session.env, &mut doctor);
        doctor.env("DBUS_SYSTEM_BUS_ADDRESS", session.address());
        let text = session.env.finish(doctor, b"").text();
        text.lines().find(|row| row.starts_with("session sources")).map(str::to_owned)
    };
    let said = "upower can be heard; the machine does not have logind, network-manager";
    assert!(row(&session).expect("it runs").contains(said), "{:?}", row(&session));
    session.end();
    assert_eq!(row(&session), None, "nobody wants it");
    session.run("session install").ok();
    assert!(row(&session).expect("it is wanted").contains(said), "{:?}", row(&session));
}
