//! Questions for permissions, in a session whose notification server and logind the test plays.

use std::path::Path;

use test_support::{OnEvent, guest};
use zbus::blocking::Connection;

use crate::bus_session::{Options, Session, TICKS, call_with, wait_for, waking};
use crate::logind::{lock, logind};
use crate::notifications::Notifications;
use crate::session_signals::{next, signals};
use crate::support::{asking, desktop, env, manifest};

/// A session in which the guest with every import lacks these grants.
fn lacking(grants: &[&str]) -> Session {
    let env = desktop();
    for grant in grants {
        env.run(&format!("extension revoke desktop {grant}")).ok();
    }
    Session::on_one_bus(env)
}

/// Calls a function that needs no permission, of a guest that has to be linked for it.
fn call(session: &Session, is_interactive: bool) -> Result<String, (String, String)> {
    let options = Options::from([("interactive", is_interactive.into())]);
    let function = ("desktop", "config-value", "[\"x\"]");
    call_with(&session.connect(), function, options).map(|(result, _)| result)
}

fn timed(session: &Session) -> String {
    std::fs::read_to_string(session.env.path("run/pds/grants/desktop.toml")).unwrap_or_default()
}

/// The permission of an import is asked for before any code runs, and the call goes on with it. The
/// grant goes with the session.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn missing_permission_is_asked_first() {
    let session = lacking(&["notification"]);
    let notifications = Notifications::start(&session);
    let (kind, text) = call(&session, false).expect_err("refused");
    assert!(kind == "Refused" && !text.contains("note:"), "{kind}: {text}");
    assert!(notifications.shown().is_empty(), "nobody said that it may ask");
    notifications.press("session");
    assert_eq!(call(&session, true).expect("granted"), "{\"result\":null}");
    let shown = notifications.shown().join("\n");
    insta::assert_snapshot!(shown, @r#"
    Permission for desktop
    desktop, which is from local/file/desktop, asks to:
    - show notifications, ten a minute at most (notification)
    For good: sesame extension grant desktop notification
    "#);
    assert!(timed(&session).contains("what = \"notification\""), "{}", timed(&session));
    let manifest = session.env.read(&manifest("desktop"));
    assert!(!manifest.contains("notification = true"), "never for good: {manifest}");
    call(&session, false).expect("it is granted");
    assert_eq!(notifications.shown().len(), 1);
}

/// A no is a refusal that says so, and the same is not asked again soon.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn refused_question_is_not_repeated() {
    let session = lacking(&["notification", "clipboard-write"]);
    let notifications = Notifications::start(&session);
    notifications.press("no");
    let (kind, text) = call(&session, true).expect_err("refused");
    assert_eq!(kind, "Refused");
    assert!(text.ends_with("note: the question was declined or not answered"), "{text}");
    assert!(text.contains("hint: sesame extension grant desktop"), "{text}");
    let (_, text) = call(&session, true).expect_err("refused");
    assert!(text.contains("note: asked less than ten minutes ago"), "{text}");
    assert_eq!(notifications.shown().len(), 1, "one question for both");
    assert_eq!(timed(&session), "");
}

/// A restart of the service asks nothing anew: questions are counted for the login session.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn restart_does_not_ask_anew() {
    let mut session = lacking(&["notification"]);
    let notifications = Notifications::start(&session);
    notifications.press("no");
    call(&session, true).expect_err("refused");
    session.restart();
    let (_, text) = call(&session, true).expect_err("refused");
    assert!(text.contains("less than ten minutes ago"), "{text}");
    assert_eq!(notifications.shown().len(), 1);
}

/// Where it cannot be recorded that a question was asked, none is: it could be asked without end.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn unusable_record_asks_nothing() {
    let session = lacking(&["notification"]);
    let notifications = Notifications::start(&session);
    let elsewhere = session.env.write("elsewhere", "mine");
    let record = session.env.path("run/pds/questions.json");
    std::fs::create_dir_all(session.env.path("run/pds")).expect("made");
    let damage: [fn(&Path, &Path); 4] = [
        |record, _| std::fs::write(record, "{").expect("written"),
        |record, _| std::fs::write(record, "{\"format_version\": 99}").expect("written"),
        |record, elsewhere| std::os::unix::fs::symlink(elsewhere, record).expect("linked"),
        |record, _| std::fs::create_dir(record).expect("made"),
    ];
    for damage in damage {
        let _ = std::fs::remove_file(&record);
        damage(&record, &elsewhere);
        let (kind, text) = call(&session, true).expect_err("refused");
        assert!(kind == "Refused" && text.contains("questions.json"), "{kind}: {text}");
    }
    assert_eq!(notifications.shown(), [""; 0]);
    assert_eq!(timed(&session), "");
    assert_eq!(session.env.read("elsewhere"), "mine");
}

/// What gives access to secrets or reaches too far, what a policy denies, and a user who wants no
/// questions: nothing is shown, and it is said why.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn some_permissions_are_never_asked_for() {
    for (lacks, file, setting, said) in [
        (
            "secret-read=token",
            "config.toml",
            "",
            "note: cannot ask for `secret-read` by notification",
        ),
        (
            "ipc-publish=greeting.*",
            "config.toml",
            "",
            "note: cannot ask for `ipc-publish` by notification",
        ),
        (
            "notification",
            "config.toml",
            "[session]\nconsent = \"never\"\n",
            "note: questions are off: `session.consent` is `never`",
        ),
        (
            "notification",
            "config.toml",
            "[extensions.policy]\ndeny = [\"notification\"]\n",
            "policy denies `desktop` the capability `notification`",
        ),
    ] {
        let session = lacking(&[lacks]);
        session.env.write(&format!(".config/pds/{file}"), setting);
        let notifications = Notifications::start(&session);
        notifications.press("session");
        let (kind, text) = call(&session, true).expect_err("refused");
        assert!(kind == "Refused" && text.contains(said), "{lacks}: {kind}: {text}");
        assert!(notifications.shown().is_empty(), "{lacks}");
    }
}

/// Without a program that shows questions the refusal stays one.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn nobody_to_ask_is_a_refusal() {
    let session = lacking(&["notification"]);
    let (kind, text) = call(&session, true).expect_err("refused");
    assert_eq!(kind, "Refused");
    assert!(text.contains("note: no program shows notifications"), "{text}");
}

/// A refusal by name is one at once, and asks for the next time.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn refused_request_is_asked_for_next_time() {
    let session = lacking(&[]);
    let notifications = Notifications::start(&session);
    notifications.press("session");
    let publish = |is_interactive: bool| {
        let options = Options::from([("interactive", is_interactive.into())]);
        let function = ("desktop", "publish-message", "[\"build.done\", \"x\"]");
        call_with(&session.connect(), function, options).expect("called").0
    };
    assert!(publish(false).contains("denied"), "{}", publish(false));
    assert!(publish(true).contains("denied"));
    wait_for(|| timed(&session).contains("ipc-publish=build.done"), || session.log());
    assert!(publish(false).contains("ok"), "{}", publish(false));
    assert_eq!(notifications.shown().len(), 1);
}

/// A delivery that cannot begin for want of a permission lets it be asked for once, and the next one
/// begins.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn delivery_asks_for_what_it_lacks() {
    let env = env();
    let declared = "[events.\"time.every\"]\nevery = \"1h\"\n";
    env.write("work/break.wasm", asking(&guest("take-a-break"), declared));
    let grants = "--grant config-read --grant storage --grant events=time.every";
    env.run(&format!("extension install ./break.wasm {grants}")).ok();
    let path = manifest("break");
    let settings = "\n[events.\"time.every\"]\nevery = \"1s\"\nexact = true\n";
    env.write(&path, format!("{}{settings}", env.read(&path)));
    let session = Session::on_one_bus(env);
    let notifications = Notifications::start(&session);
    wait_for(|| !notifications.shown().is_empty(), || session.log());
    notifications.press_now("session");
    wait_for(|| session.log().contains("break: time.every: handled"), || session.log());
    assert_eq!(notifications.shown().len(), 1);
}

/// An event that comes without its grant is asked for, is in `why`, and is told to programs. The next one
/// wakes.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn event_without_a_grant_is_asked_for() {
    let session = Session::on_one_bus(waking("ticks", OnEvent::Handles, TICKS, "storage"));
    let program = session.connect();
    let signals = signals(&program);
    let notifications = Notifications::start(&session);
    assert_eq!(session.run("session emit tick").ok().text().trim(), "0");
    wait_for(|| !notifications.shown().is_empty(), || session.log());
    insta::assert_snapshot!(notifications.shown().join("\n"), @r#"
    Permission for ticks
    ticks, which is from local/file/ticks, asks to:
    - run without being called, when a program or an extension sends a message on a topic (events=custom.tick)
    For good: sesame extension grant ticks events=custom.tick
    "#);
    let refused: (String, String) = next(&signals, "Refused");
    assert_eq!(refused, ("ticks".to_owned(), "events".to_owned()));
    let why = session.run("extension why ticks").ok().text();
    assert!(why.contains("sesame extension grant ticks events=custom.tick"), "{why}");
    assert_eq!(session.run("session emit tick").ok().text().trim(), "0", "not yet");
    notifications.press_now("session");
    wait_for(|| session.run("session emit tick").ok().text().trim() == "1", || session.log());
    wait_for(|| session.log().contains("ticks: custom.tick: handled"), || session.log());
    assert_eq!(notifications.shown().len(), 1);
}

/// A locked session is asked nothing, and a lock takes an open question away.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn locked_session_is_asked_nothing() {
    let session = lacking(&["notification"]);
    let notifications = Notifications::start(&session);
    let logind = logind(&session, true);
    let (_, text) = call(&session, true).expect_err("refused");
    assert!(text.contains("note: the session is locked"), "{text}");
    assert!(notifications.shown().is_empty());
    lock(&logind, false);
    let refused = std::thread::scope(|scope| {
        let call = scope.spawn(|| call(&session, true));
        wait_for(|| !notifications.shown().is_empty(), || session.log());
        lock(&logind, true);
        wait_for(|| notifications.closed() == 1, || session.log());
        notifications.press_now("session");
        call.join().expect("it ends")
    });
    assert!(refused.expect_err("locked").1.contains("declined or not answered"));
    assert_eq!(timed(&session), "");
}

/// A caller does not wait for an answer longer than it says, and the question goes with it.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn question_ends_with_the_time_of_its_caller() {
    let session = lacking(&["notification"]);
    let notifications = Notifications::start(&session);
    let options = Options::from([("interactive", true.into()), ("timeout-ms", 1_500_u32.into())]);
    let begun = std::time::Instant::now();
    let function = ("desktop", "config-value", "[\"x\"]");
    let (_, text) = call_with(&session.connect(), function, options).expect_err("refused");
    assert!(text.contains("declined or not answered"), "{text}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
    wait_for(|| notifications.closed() == 1, || session.log());
    assert_eq!((notifications.shown().len(), timed(&session).as_str()), (1, ""));
}

/// A thousand refusals that may ask, of ten programs at once and while a question is open, are one
/// question, and nothing else is shown.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn thousand_refusals_are_one_question() {
    let session = lacking(&["notification"]);
    let notifications = Notifications::start(&session);
    let ask = |program: &Connection| {
        let options =
            Options::from([("interactive", true.into()), ("timeout-ms", 5_000_u32.into())]);
        call_with(program, ("desktop", "config-value", "[\"x\"]"), options).expect_err("refused").0
    };
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                let program = session.connect();
                for _ in 0..100 {
                    let kind = ask(&program);
                    assert!(kind == "Refused" || kind == "Busy", "{kind}");
                }
            });
        }
    });
    assert_eq!(notifications.shown().len(), 1);
    assert_eq!(timed(&session), "");
}

/// An open question waits for nobody else: another one is refused at once, and the service ends.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn one_question_at_a_time() {
    let session = lacking(&["notification"]);
    let notifications = Notifications::start(&session);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| call(&session, true));
        wait_for(|| !notifications.shown().is_empty(), || session.log());
        for _ in 0..20 {
            let (_, text) = call(&session, true).expect_err("refused");
            assert!(text.contains("note: another question is open"), "{text}");
        }
        assert_eq!(notifications.shown().len(), 1);
        session.run("session stop").ok();
        assert!(first.join().expect("it ends").is_err());
    });
    assert_eq!((notifications.closed(), timed(&session).as_str()), (1, ""));
}
