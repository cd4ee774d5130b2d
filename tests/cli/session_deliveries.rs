//! Deliveries of the session service to extensions that do not behave, and under policies.

use std::time::Duration;

use test_support::{OnEvent, wakeable};

use crate::bus_session::{
    Session, TICK, TICKS, add_waking, ask, limit, outcomes, wait_for, waking,
};
use crate::support::{asking, env, manifest, publish, registry};

/// A handler has the limits of a call, counts for the quarantine by crashes and limits, and not by the
/// errors that it returns.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn handler_has_the_limits_of_a_call() {
    let env = waking("spins", OnEvent::Spins, TICKS, TICK);
    add_waking(&env, "grows", OnEvent::Grows, TICKS, TICK);
    add_waking(&env, "returns", OnEvent::Returns, TICKS, TICK);
    limit(&env, "spins", 300);
    let session = Session::start(env);
    for number in 1..=6 {
        session.run("session emit tick").ok();
        let returned = || outcomes(&session, "returns").len();
        wait_for(|| returned() == number, || session.log());
        std::thread::sleep(Duration::from_millis(400));
    }
    let ended = |name: &str| outcomes(&session, name);
    wait_for(|| ended("spins").len() == 5, || session.log());
    assert_eq!(ended("spins"), ["limit"; 5]);
    assert_eq!(ended("returns"), ["error"; 6]);
    let grown = ended("grows");
    assert_eq!((grown.len(), grown.iter().all(|it| it == "limit" || it == "crashed")), (5, true));
    let listed = session.run("extension list").text();
    assert_eq!(listed.matches("quarantined").count(), 2, "{listed}");
}

/// Each delivery has a new instance: nothing of a guest is left for the next one but its storage.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn each_delivery_has_a_new_instance() {
    let session = Session::start(waking("remembers", OnEvent::Remembers, TICKS, TICK));
    for number in 1..=3 {
        session.run("session emit tick").ok();
        wait_for(|| outcomes(&session, "remembers").len() == number, || session.log());
    }
    assert_eq!(outcomes(&session, "remembers"), ["returned"; 3]);
    let status = session.run("session status --json").ok().text();
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    let last = &status["service"]["extensions"][0]["last"];
    assert_eq!(last["event"], "custom.tick", "{status}");
    assert_eq!(last["outcome"], "returned", "{status}");
}

/// A handler that waits, and one that floods its output, end with the limits of a call. Both count for the
/// quarantine, another extension is woken meanwhile, and the journal gets nothing of them.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn waiting_and_flooding_handlers_end() {
    let env = waking("sleeps", OnEvent::Sleeps, TICKS, TICK);
    add_waking(&env, "floods", OnEvent::Floods, TICKS, TICK);
    add_waking(&env, "returns", OnEvent::Returns, TICKS, TICK);
    for name in ["sleeps", "floods"] {
        limit(&env, name, 300);
    }
    let session = Session::start(env);
    for number in 1..=6 {
        session.run("session emit tick").ok();
        wait_for(|| outcomes(&session, "returns").len() == number, || session.log());
        std::thread::sleep(Duration::from_millis(800));
    }
    for name in ["sleeps", "floods"] {
        wait_for(|| outcomes(&session, name).len() == 5, || session.log());
        assert_eq!(outcomes(&session, name), ["limit"; 5], "{name}");
    }
    let listed = session.run("extension list").text();
    assert_eq!(listed.matches("quarantined").count(), 2, "{listed}");
    assert!(session.log().len() < 10_000 && !session.log().contains('\0'), "{}", session.log());
}

/// Two extensions that wake themselves and each other come to an end, and `why` names it.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn loop_ends_and_is_named() {
    let grants = "events=custom.tick ipc-publish=tick";
    let env = waking("ping", OnEvent::Publishes, TICKS, grants);
    add_waking(&env, "pong", OnEvent::Publishes, TICKS, grants);
    let session = Session::start(env);
    session.run("session emit tick").ok();
    let why = || session.run("extension why ping").text();
    wait_for(|| why().contains("dropped"), || session.log());
    insta::assert_snapshot!(session.run("extension why ping"), @r#"
    exit 0
    out: TIME  event custom.tick: dropped: more than 4 deliveries led to this event
    out:   a grant does not help
    "#);
    let count = || outcomes(&session, "ping").len();
    let is_quiet = || {
        let before = count();
        std::thread::sleep(Duration::from_secs(1));
        count() == before
    };
    wait_for(is_quiet, || session.log());
    let ended = outcomes(&session, "ping");
    let handled = ended.iter().filter(|outcome| *outcome == "returned").count();
    // Each delivery leads to two, five times in a row. What is dropped is noted once.
    assert!((5..=31).contains(&handled) && ended.len() == handled + 1, "{ended:?}");
}

/// An extension that writes where it watches wakes itself, and comes to an end. What others change there
/// afterwards wakes it again.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn own_changes_of_files_end() {
    let env = env();
    std::fs::create_dir(env.path("notes")).expect("made");
    let declared = "[events.\"file.changed\"]\npaths = [\"~/notes\"]\n";
    let grants = "events=file.changed filesystem=write:~/notes";
    add_waking(&env, "writes", OnEvent::Writes, declared, grants);
    let session = Session::start(env);
    session.wait_for_source("files");
    let told = || outcomes(&session, "writes").iter().filter(|it| *it == "returned").count();
    let why = || session.run("extension why writes").text();
    session.env.write("notes/a.txt", "from outside");
    wait_for(|| why().contains("more than 4 deliveries led"), || session.log());
    let is_quiet = || {
        let before = told();
        std::thread::sleep(Duration::from_millis(1_500));
        told() == before
    };
    wait_for(is_quiet, || session.log());
    let before = told();
    // The change from outside, and one for each depth.
    assert!(before >= 5, "{}", session.log());
    session.env.write("notes/b.txt", "from outside");
    wait_for(|| told() > before, || session.log());
}

/// What is over the budget of a minute waits for the next one, and both `why` and the status say so.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn spent_minute_is_named() {
    let session = Session::start(waking("ticks", OnEvent::Handles, TICKS, TICK));
    let status = || session.run("session status").text();
    // A program emits a hundred in a minute.
    for _ in 0..4 {
        let program = session.connect();
        let mut emitted = 0;
        while emitted < 90 && !status().contains("120 of 120") {
            let _: u32 = ask(&program, "Emit", &("tick", "")).expect("emitted");
            emitted += 1;
        }
    }
    for _ in 0..3 {
        session.run("session emit tick").ok();
    }
    let why = || session.run("extension why ticks").text();
    wait_for(|| why().contains("waits: 120 deliveries"), || session.log());
    assert!(status().contains("its minute is used up"), "{}", status());
    let json = session.run("session status --json").text();
    assert!(json.contains("\"over_budget\":true"), "{json}");
    let noted = outcomes(&session, "ticks").iter().filter(|it| *it == "refused").count();
    assert_eq!(noted, 1, "{}", why());
}

/// A delivery ends as it began, whatever becomes of the extension meanwhile, and the next does not come.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn change_during_delivery_is_for_the_next() {
    for change in ["disable spins", "revoke spins events=custom.tick", "remove spins"] {
        let env = waking("spins", OnEvent::Spins, TICKS, TICK);
        limit(&env, "spins", 3_000);
        let session = Session::start(env);
        session.run("session emit tick").ok();
        session.run("session emit tick").ok();
        let status = || session.run("session status --json").text();
        wait_for(|| status().contains("\"deliveries\":1"), status);
        session.run(&format!("extension {change}")).ok();
        wait_for(|| !outcomes(&session, "spins").is_empty(), || session.log());
        std::thread::sleep(Duration::from_millis(1_500));
        let mut outcomes = outcomes(&session, "spins");
        // What was revoked is noted, once.
        outcomes.retain(|outcome| outcome != "refused");
        assert_eq!(outcomes, ["limit"], "{change}");
        session.run("session stop").ok();
    }
}

/// An update during a delivery is for the next one, which gets the new code.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn update_during_delivery_is_for_the_next() {
    let env = waking("spins", OnEvent::Spins, TICKS, TICK);
    limit(&env, "spins", 3_000);
    env.write("work/handles.wasm", asking(&wakeable(2, OnEvent::Handles), TICKS));
    let session = Session::start(env);
    session.run("session emit tick").ok();
    session.run("session emit tick").ok();
    let status = || session.run("session status --json").text();
    wait_for(|| status().contains("\"deliveries\":1"), status);
    session.run("extension install ./handles.wasm --replace spins").ok();
    wait_for(|| outcomes(&session, "spins") == ["limit", "returned"], || session.log());
}

/// A policy spaces events and denies some of them.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn policy_holds_for_deliveries() {
    let declared = format!("{TICKS}[events.\"time.every\"]\nevery = \"1s\"\nexact = true\n");
    let env = waking("ticks", OnEvent::Handles, &declared, &format!("{TICK} events=time.every"));
    let policy = "[extensions.policy]
min_event_interval = \"30s\"
deny_events = [\"custom.*\"]
";
    env.write(".config/pds/config.toml", policy);
    let session = Session::start(env);
    session.run("session emit tick").ok();
    std::thread::sleep(Duration::from_secs(4));
    let mut every = outcomes(&session, "ticks");
    every.sort();
    let log = session.log();
    assert_eq!(every, ["refused", "returned"], "one in half a minute, and no custom event: {log}");
    let why = session.run("extension why ticks").ok().text();
    assert!(why.contains("events=custom.tick: policy") && why.contains("does not help"), "{why}");
    insta::assert_snapshot!(session.run("extension events ticks"), @r#"
    exit 0
    out: time.every  wakes it: again and again, after a time
    out:   every 1s, not later
    out:   granted: events=time.every (~/.config/pds/extensions/ticks.toml:7)
    out: custom.tick  refused: when a program or an extension sends a message on a topic
    out:   policy denies the event (~/.config/pds/config.toml:3)
    "#);
    session.env.write(".config/pds/config.toml", "");
    let handled = || session.log().matches("custom.tick: handled").count();
    wait_for(
        || {
            session.run("session emit tick").ok();
            handled() > 0
        },
        || session.log(),
    );
}

/// An update that wants to be woken by more, or to keep something, leaves the old version in place.
#[test]
fn update_asks_for_more_events_and_storage() {
    let often = "[events.\"time.every\"]\nevery = \"5s\"\n";
    for (more, missing) in [
        ("[events.\"power.source\"]\n", "events=power.source"),
        ("[capabilities]\nstorage = true\n", "storage"),
        (often, "events=time.every"),
    ] {
        let (env, registry) = (env(), registry());
        let seldom = "[events.\"time.every\"]\nevery = \"1h\"\n";
        let before = if more == often { seldom } else { "" };
        let (first, second) = (wakeable(1, OnEvent::Handles), wakeable(2, OnEvent::Handles));
        let binary = asking(&first, &format!("{TICKS}{before}"));
        publish(&registry, "my-org/ticks:0.1.0", &binary, &[]);
        let reference = format!("{}/my-org/ticks:0.1.0", registry.host());
        env.run(&format!("extension install {reference} --grant-requested")).ok();
        let installed = env.read(&manifest("ticks"));
        let binary = asking(&second, &format!("{more}{TICKS}"));
        publish(&registry, "my-org/ticks:0.2.0", &binary, &[]);
        let run = env.run("extension update ticks");
        assert!(run.code == 5 && run.to_string().contains(missing), "{run}");
        assert_eq!(env.read(&manifest("ticks")), installed, "the old version stays");
    }
}
