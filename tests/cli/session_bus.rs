//! The session service on a bus: programs that list, call and watch extensions.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use test_support::{OnEvent, component, wakeable};
use zbus::blocking::Connection;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use crate::bus_session::{
    Answer, Ending, NAME, OBJECT, Options, Session, TICK, TICKS, add_waking, ask, call, call_with,
    in_session, limit, service, wait_for, with_hostile,
};
use crate::support::{GREETING, TestEnv, asking, env, manifest, with_guest};

fn kind(answer: Answer) -> String {
    answer.expect_err("an error").0
}

fn greeting() -> TestEnv {
    with_guest("greet", &GREETING)
}

/// A program calls an extension as the command line does, and the log says by whom.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn program_calls_over_the_bus() {
    let session = Session::start(greeting());
    let program = session.connect();
    let (result, report) = call(&program, "greet", "greet", "[\"World\"]").expect("called");
    assert_eq!(result, "{\"result\":\"Hello, World!\"}");
    for used in ["fuel", "memory"] {
        assert!(u64::try_from(report[used].clone()).expect("a number") > 0, "{used}");
    }
    assert!(report.contains_key("millis"));
    let activity = session.run("extension activity greet --json").ok().text();
    let cause = "\"cause\":\"bus\"";
    let name = program.unique_name().expect("a name").to_string();
    assert!(activity.contains(cause) && activity.contains(&name), "{activity}");
    let executable = std::env::current_exe().expect("a path").display().to_string();
    assert!(activity.contains(&executable), "{activity}");
    let mut gdbus = Command::new("gdbus");
    in_session(&session.env, &mut gdbus);
    gdbus.args(["call", "--session", "-d", NAME, "-o", OBJECT, "-m"]);
    gdbus.args([&format!("{NAME}.Call"), "greet", "greet", "[\"World\"]", "{}"]);
    let output = gdbus.output().expect("gdbus runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("('{\"result\":\"Hello, World!\"}', {"), "{text}{output:?}");
}

/// What is wrong is named by its kind, with the words of the command line, and nothing runs.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn wrong_calls_run_nothing() {
    let session = Session::start(greeting());
    let program = session.connect();
    let (name, text) = call(&program, "nobody", "greet", "[]").expect_err("an error");
    assert_eq!(name, "NotFound");
    assert!(text.contains("`nobody`"), "{text}");
    let (name, text) = call(&program, "greet", "great", "[\"World\"]").expect_err("an error");
    assert_eq!(name, "NotFound");
    assert!(text.contains("did you mean `greet`?"), "{text}");
    let deep = "[".repeat(10_000);
    let nested = format!("[{}{}]", deep, "]".repeat(10_000));
    let long = format!("[\"{}\"]", "x".repeat(1 << 20));
    let twice = "[{\"a\": 1, \"a\": 2}]";
    for arguments in
        ["", "{}", "[", "[NaN]", "[\"\\ud800\"]", "[1, 2]", twice, &deep, &nested, &long]
    {
        let shown: String = arguments.chars().take(20).collect();
        assert_eq!(kind(call(&program, "greet", "greet", arguments)), "Usage", "{shown}");
    }
    for name in ["../greet", "GREET", "", "a b"] {
        assert_eq!(kind(call(&program, name, "greet", "[\"World\"]")), "Usage", "{name}");
    }
    let with = |key, value| {
        let options = Options::from([(key, value)]);
        kind(call_with(&program, ("greet", "greet", "[\"World\"]"), options))
    };
    assert_eq!(with("wait", Value::from(5_u32)), "Usage");
    assert_eq!(with("timeout-ms", Value::from("5")), "Usage");
    assert_eq!(with("handle_token", Value::from("")), "Usage");
    let activity = session.run("extension activity greet --json").ok().text();
    assert!(!activity.contains("\"outcome\":\"returned\""), "{activity}");
}

/// A function that two interfaces have is called by its full name alone, and the answer says both.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn ambiguous_function_is_named_in_full() {
    let twice = wat::parse_str(
        r#"(component
            (core module $m (func (export "f") (result i32) (i32.const 7)))
            (core instance $i (instantiate $m))
            (func $f (result u32) (canon lift (core func $i "f")))
            (instance $x (export "f" (func $f)))
            (export "a:b/one@1.0.0" (instance $x))
            (export "a:b/two" (instance $x)))"#,
    );
    let session = Session::start(with_guest("twice", &twice.expect("valid")));
    let program = session.connect();
    let (kind, text) = call(&program, "twice", "f", "[]").expect_err("ambiguous");
    insta::assert_snapshot!(format!("{kind}: {text}"), @r#"
    NotFound: `f` is exported by several interfaces
    these have the name:
      a:b/one@1.0.0#f: func() -> u32
      a:b/two#f: func() -> u32
    hint: sesame extension call twice 'a:b/one@1.0.0#f'
    "#);
    for function in ["a:b/one#f", "a:b/one@1.0.0#f", "a:b/two#f"] {
        assert_eq!(call(&program, "twice", function, "[]").expect(function).0, "{\"result\":7}");
    }
}

/// A caller can shorten a call, and cancel it.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn caller_shortens_and_cancels() {
    let session = Session::start(with_hostile());
    let program = session.connect();
    let short = Options::from([("timeout-ms", Value::from(200_u32))]);
    let (name, text) = call_with(&program, ("hostile", "spin", "[]"), short).expect_err("an error");
    assert_eq!(name, "Limit", "{text}");
    assert!(text.contains("set by the caller"), "{text}");
    // It lowers the limit of the manifest, and never raises it.
    limit(&session.env, "hostile", 400);
    let long = Options::from([("timeout-ms", Value::from(60_000_u32))]);
    let (name, text) =
        call_with(&program, ("hostile", "sleep", "[30000]"), long).expect_err("an error");
    assert_eq!(name, "Limit", "{text}");
    assert!(text.contains("400 ms (set in the manifest)"), "{text}");
    limit(&session.env, "hostile", 60_000);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let named = Options::from([("handle_token", Value::from("mine"))]);
            call_with(&program, ("hostile", "sleep", "[60000]"), named)
        });
        let cancel = |connection: &Connection| {
            let path = format!("{OBJECT}/call/mine");
            connection.call_method(Some(NAME), path, Some("org.opensesame.Call1"), "Cancel", &())
        };
        let stranger = session.connect();
        let refused = |error: &zbus::Error| error.to_string().contains("of another program");
        wait_for(|| cancel(&stranger).is_err_and(|error| refused(&error)), || session.log());
        cancel(&program).expect("its own call");
        assert_eq!(kind(waiting.join().expect("no panic")), "Unavailable");
        let gone = cancel(&program).expect_err("the object ended with the call").to_string();
        assert!(gone.contains("Unknown"), "{gone}");
    });
}

/// A program that leaves the bus ends its calls, and one that asks for too much waits for its own.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn one_caller_holds_up_no_other() {
    let session = Session::start(with_hostile());
    let busy = session.connect();
    let sleeps = || call(&busy, "hostile", "sleep", "[60000]");
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..8).map(|_| scope.spawn(sleeps)).collect();
        let calls = || session.run("session status --json").ok().text();
        wait_for(|| calls().contains("\"calls\":8"), calls);
        assert_eq!(kind(sleeps()), "Busy");
        let other = session.connect();
        let listed: Vec<HashMap<String, OwnedValue>> = ask(&other, "List", &()).expect("listed");
        assert_eq!(listed.len(), 2);
        busy.clone().close().expect("it leaves");
        wait_for(|| calls().contains("\"calls\":0"), calls);
        for call in waiting {
            assert!(call.join().expect("no panic").is_err());
        }
        call(&other, "greet", "greet", "[\"World\"]").expect("called");
    });
    let activity = session.run("extension activity hostile --json").ok().text();
    assert_eq!(activity.matches("\"outcome\":\"cancelled\"").count(), 8, "{activity}");
}

/// The object of the service has the documented methods, signals and properties alone, with the types of
/// their arguments: none installs, grants, enables or trusts anything.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn bus_changes_no_permissions() {
    let session = Session::start(greeting());
    let introspect = Some("org.freedesktop.DBus.Introspectable");
    let answer = session.connect().call_method(Some(NAME), OBJECT, introspect, "Introspect", &());
    let xml: String = answer.expect("an answer").body().deserialize().expect("text");
    let is_declaration = |line: &str| {
        ["<method", "<signal", "<property", "<arg"].iter().any(|it| line.starts_with(it))
    };
    let mut interfaces = BTreeMap::<_, Vec<_>>::new();
    let mut interface = String::new();
    for line in xml.lines().map(str::trim) {
        if line.starts_with("<interface ") {
            interface = line.split('"').nth(1).unwrap_or_default().to_owned();
        } else if is_declaration(line) && interface.starts_with("org.opensesame.") {
            interfaces.entry(interface.clone()).or_default().push(line);
        }
    }
    let shown = interfaces.iter().map(|(name, lines)| format!("{name}\n{}", lines.join("\n")));
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r#"
    org.opensesame.Extensions1
    <method name="List">
    <arg name="extensions" type="aa{sv}" direction="out"/>
    <method name="Call">
    <arg name="name" type="s" direction="in"/>
    <arg name="function" type="s" direction="in"/>
    <arg name="arguments" type="s" direction="in"/>
    <arg name="options" type="a{sv}" direction="in"/>
    <arg name="result" type="s" direction="out"/>
    <arg name="report" type="a{sv}" direction="out"/>
    <method name="Emit">
    <arg name="topic" type="s" direction="in"/>
    <arg name="payload" type="s" direction="in"/>
    <arg name="reached" type="u" direction="out"/>
    <method name="Watch">
    <arg name="name" type="s" direction="in"/>
    <arg name="function" type="s" direction="in"/>
    <arg name="arguments" type="s" direction="in"/>
    <arg name="options" type="a{sv}" direction="in"/>
    <arg name="watch" type="o" direction="out"/>
    <signal name="Published">
    <arg name="identity" type="s"/>
    <arg name="topic" type="s"/>
    <arg name="payload" type="s"/>
    <signal name="Changed">
    <arg name="name" type="s"/>
    <signal name="Refused">
    <arg name="name" type="s"/>
    <arg name="capability" type="s"/>
    <property name="SafeMode" type="b" access="read">
    <property name="Version" type="u" access="read">
    org.opensesame.Session1
    <method name="Status">
    <arg name="status" type="s" direction="out"/>
    <method name="Emit">
    <arg name="topic" type="s" direction="in"/>
    <arg name="payload" type="s" direction="in"/>
    <arg name="reached" type="u" direction="out"/>
    <method name="Stop">
    "#);
}

/// A service that its user or a policy switches off wakes and calls nothing, and says by which line.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn switched_off_service_calls_nothing() {
    let session = Session::start(greeting());
    let program = session.connect();
    for off in ["[session]\nenabled = false\n", "[extensions.policy]\nsession = false\n"] {
        session.env.write(".config/pds/config.toml", off);
        let answer = call(&program, "greet", "greet", "[\"World\"]");
        let (name, text) = answer.expect_err("switched off");
        assert_eq!(name, "Refused");
        assert!(text.contains("config.toml`, line 2"), "{text}");
    }
    let listed: Vec<HashMap<String, OwnedValue>> = ask(&program, "List", &()).expect("listed");
    let state = String::try_from(listed[0]["state"].clone()).expect("text");
    assert_eq!(state, "refused");
    wait_for(|| ask::<_, u32>(&program, "Emit", &("tick", "")) == Ok(0), || session.log());
    session.run("call greet greet World").ok();
}

/// The keys of every extension in a list.
const LISTED: [&str; 10] = [
    "capabilities",
    "digest",
    "enabled",
    "events",
    "functions",
    "name",
    "reason",
    "reference",
    "state",
    "version",
];

/// Every extension is listed with its state and the reason.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn list_tells_each_state() {
    let env = with_hostile();
    add_waking(&env, "crashes", OnEvent::Crashes, TICKS, TICK);
    let session = Session::start(env);
    session.run("extension disable hostile").ok();
    session.env.write(&manifest("broken"), "[extension");
    for _ in 0..5 {
        session.run("extension trigger crashes custom.tick");
    }
    let listed: Vec<HashMap<String, OwnedValue>> =
        ask(&session.connect(), "List", &()).expect("listed");
    let text = |row: &HashMap<String, OwnedValue>, key: &str| {
        row.get(key).and_then(|value| String::try_from(value.clone()).ok()).unwrap_or_default()
    };
    let states: Vec<_> = listed.iter().map(|row| [text(row, "name"), text(row, "state")]).collect();
    assert_eq!(
        states,
        [["broken", "broken"], ["crashes", "put-aside"], ["greet", "ready"], ["hostile", "asleep"]]
    );
    let functions = Vec::<String>::try_from(listed[2]["functions"].clone()).expect("a list");
    assert!(functions.contains(&"greet: func(name: string) -> string".to_owned()), "{functions:?}");
    for row in &listed {
        let mut keys: Vec<_> = row.keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, LISTED);
    }
}

/// A service without anything to do sleeps: none of its threads wakes.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn idle_service_does_not_wake() {
    let session = Session::start(greeting());
    let program = session.connect();
    call(&program, "greet", "greet", "[\"World\"]").expect("called");
    let threads = format!("/proc/{}/task", session.service.0.id());
    let wakeups = || {
        let threads = std::fs::read_dir(&threads).expect("threads");
        let status = |thread: std::fs::DirEntry| {
            // A thread that ends meanwhile sleeps well.
            let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
            let line =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            line.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or_default()
        };
        threads.map(|thread| status(thread.expect("a thread"))).sum::<u64>()
    };
    // Workers that wait for another job end, and then nothing happens.
    wait_for(
        || {
            let before = wakeups();
            std::thread::sleep(Duration::from_secs(3));
            wakeups() == before
        },
        || session.log(),
    );
}

/// A new result is told to the program that watches, and to no other one.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn watch_tells_new_results() {
    let env = env();
    env.write("work/one.wasm", component(1));
    env.write("work/two.wasm", component(2));
    env.run("extension install ./one.wasm --name count").ok();
    let session = Session::start(env);
    let program = session.connect();
    let watch = |options: Options<'_>| {
        ask::<_, OwnedObjectPath>(&program, "Watch", &("count", "f", "[]", options))
    };
    let error = watch(Options::from([("on", Value::from(vec!["power.source"]))]));
    assert_eq!(error.expect_err("not granted").0, "Refused");
    assert_eq!(watch(Options::new()).expect_err("no reason").0, "Usage");
    let path = watch(Options::from([("every-ms", Value::from(1000_u32))])).expect("watched");
    let value = |connection: &Connection| {
        let get = ("org.opensesame.Watch1", "Value");
        let properties = Some("org.freedesktop.DBus.Properties");
        connection.call_method(Some(NAME), &path, properties, "Get", &get)
    };
    assert!(value(&session.connect()).is_err(), "it is another program's");
    let shown = || {
        let answer = value(&program).expect("its own");
        let value: OwnedValue = answer.body().deserialize().expect("a value");
        String::try_from(value).expect("text")
    };
    assert_eq!(shown(), "{\"result\":1}");
    session.run("extension install ./two.wasm --replace count").ok();
    wait_for(|| shown() == "{\"result\":2}", || session.log());
    drop(program);
    let status = || session.run("session status --json").ok().text();
    wait_for(|| status().contains("\"watches\":0"), status);
}

/// A watch does not outlive the bar that reads it, although it has nothing to write.
#[test]
fn watch_ends_with_its_reader() {
    let env = greeting();
    let mut command =
        env.command(["extension", "watch", "greet", "greet", "World", "--every", "1h"]);
    let mut watch = Ending(command.stdout(Stdio::piped()).spawn().expect("started"));
    let mut line = String::new();
    let mut output = BufReader::new(watch.0.stdout.take().expect("piped"));
    output.read_line(&mut line).expect("a line");
    assert_eq!(line, "Hello, World!\n");
    drop(output);
    wait_for(|| watch.0.try_wait().expect("a child").is_some(), || "it goes on".to_owned());
}

/// The command follows the watch of the service, and goes on by itself where that ends.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn watch_command_prints_changes() {
    let env = env();
    env.write("work/one.wasm", component(1));
    env.write("work/two.wasm", component(2));
    env.run("extension install ./one.wasm --name count").ok();
    let session = Session::start(env);
    let out = std::fs::File::create(session.env.path("watch.out")).expect("a file");
    let mut command = session.env.command(["extension", "watch", "count", "f", "--every", "1s"]);
    in_session(&session.env, &mut command);
    let child = command.stdin(Stdio::null()).stdout(out).stderr(Stdio::null()).spawn();
    let _watch = Ending(child.expect("started"));
    let printed = || session.env.read("watch.out");
    wait_for(|| printed() == "1\n", printed);
    session.run("session stop").ok();
    session.run("extension install ./two.wasm --replace count").ok();
    wait_for(|| printed() == "1\n2\n", printed);
    insta::assert_snapshot!(session.run("extension watch count f --on power.source"), @r#"
    exit 9
    err: error: only the session service knows of events, and it does not run
    err: hint: sesame session run
    "#);
}

/// An emitted event wakes who was granted its topic.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn emitted_event_wakes() {
    let env = env();
    let declared = "[events.\"custom.build.done\"]\n";
    env.write("work/builds.wasm", asking(&wakeable(1, OnEvent::Handles), declared));
    env.run("extension install ./builds.wasm --grant events=custom.build.done").ok();
    let session = Session::start(env);
    insta::assert_snapshot!(session.run("session emit build.done ok"), @r#"
    exit 0
    out: 1
    "#);
    wait_for(|| session.log().contains("builds: custom.build.done: handled"), || session.log());
    insta::assert_snapshot!(session.run("session emit other"), @r#"
    exit 0
    out: 0
    "#);
    insta::assert_snapshot!(session.run("session emit Not/a/topic"), @r#"
    exit 2
    err: error: the topic: `custom.Not/a/topic` does not name a topic: write a dotted name, such as `custom.build.done`
    "#);
    let program = session.connect();
    let reached: u32 = ask(&program, "Emit", &("build.done", "ok")).expect("emitted");
    assert_eq!(reached, 1);
    let large = "x".repeat((64 << 10) + 1);
    let error = ask::<_, u32>(&program, "Emit", &("build.done", large.as_str()));
    assert_eq!(error.expect_err("too large").0, "Usage");
    for _ in 2..100 {
        ask::<_, u32>(&program, "Emit", &("other", "")).expect("within the rate");
    }
    assert_eq!(ask::<_, u32>(&program, "Emit", &("other", "")).expect_err("too many").0, "Busy");
}

/// The service says what it does, ends when it is asked, and is replaced.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn service_ends_and_is_replaced() {
    let env = env();
    let declared = "[events.\"time.every\"]\nevery = \"30d\"\n";
    env.write("work/clock.wasm", asking(&wakeable(1, OnEvent::Handles), declared));
    env.run("extension install ./clock.wasm --grant events=time.every").ok();
    let mut session = Session::start(env);
    let status = session.run("session status").ok().text();
    for part in ["runs: process", "time.every", "0 of 120 deliveries"] {
        assert!(status.contains(part), "{status}");
    }
    let second = service(&session.env, &["--replace"]);
    let ended = session.service.0.wait().expect("ended");
    assert_eq!(ended.code(), Some(0));
    session.service = second;
    assert!(!session.log().contains("crashes are not counted"), "{}", session.log());
    insta::assert_snapshot!(session.run("session stop"), @r#"
    exit 0
    out: the session service ends
    "#);
    assert_eq!(session.service.0.wait().expect("ended").code(), Some(0), "{}", session.log());
    insta::assert_snapshot!(session.run("session stop"), @r#"
    exit 0
    err: already: the session service does not run
    "#);
    insta::assert_snapshot!(session.run("session status"), @r#"
    exit 0
    err: the session service does not run
    err: hint: sesame session run
    "#);
    insta::assert_snapshot!(session.run("session emit build.done"), @r#"
    exit 9
    err: error: the session service does not run
    err: hint: sesame session run
    "#);
    let mut idle = service(&session.env, &["--idle-exit", "1s"]);
    assert!(session.log().contains("waiting for events of clock"));
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(idle.0.try_wait().expect("asked").is_none(), "an event may wake an extension");
    session.run("extension revoke clock events=time.every").ok();
    // Files that change all the time do not put its end off.
    let path = manifest("clock");
    let has_ended = || {
        session.env.write(&path, session.env.read(&path));
        idle.0.try_wait().expect("asked").is_some()
    };
    wait_for(has_ended, || session.log());
    assert_eq!(idle.0.wait().expect("ended").code(), Some(0));
}

/// The end of the bus is the end of the service, which a manager starts again.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn service_ends_with_the_bus() {
    let mut session = Session::start(greeting());
    session.bus.0.kill().expect("killed");
    let ended = session.service.0.wait().expect("ended");
    assert_eq!(ended.code(), Some(9), "{}", session.log());
    assert!(session.log().contains("the session bus has ended"));
}
