//! Questions on a real bus, with notification servers of every manner.

mod server;

use std::pin::pin;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use futures_lite::future;
use tokio::sync::oneshot;

use self::server::{FAILS, ID, Server};
use super::{NotificationPrompt, Prompt, PromptError, Question, Reply};
use crate::testing::{LONG, PrivateBus};

/// What a server that can ask announces.
const ABLE: &[&str] = &["actions", "body", "body-markup"];

fn question() -> Question {
    let reference = "ghcr.io/my-org/greeting:1.0.0".parse().expect("a reference");
    let grants = vec!["notification".parse().expect("a grant")];
    Question { name: "greeting".parse().expect("a name"), reference, grants }
}

/// A question that is asked beside the test.
struct Asked {
    reply: Receiver<Result<Reply, PromptError>>,
    withdraw: Option<oneshot::Sender<()>>,
}

/// Asks, with so much time for the answer.
fn ask_for(bus: &PrivateBus, time: Duration) -> Asked {
    let prompt = NotificationPrompt::at(Some(bus.address())).waiting(time);
    let ((answer, reply), (withdraw, withdrawn)) = (channel(), oneshot::channel::<()>());
    std::thread::spawn(move || {
        let withdrawn = async { drop(withdrawn.await) };
        let _ = answer.send(prompt.ask(&question(), pin!(withdrawn)));
    });
    Asked { reply, withdraw: Some(withdraw) }
}

fn ask(bus: &PrivateBus) -> Asked {
    ask_for(bus, LONG)
}

impl Asked {
    fn reply(&self) -> Reply {
        self.reply.recv_timeout(LONG).expect("a reply").expect("it was put")
    }

    /// Checks that nothing has answered yet.
    fn is_open(&self) {
        let early = self.reply.recv_timeout(Duration::from_millis(300));
        assert!(early.is_err(), "{early:?}");
    }
}

/// The button grants, and the question is in our words, with two buttons and nothing else to press.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn pressed_button_answers() {
    let bus = PrivateBus::start();
    let server = Server::start(&bus.address(), ABLE);
    let asked = ask(&bus);
    let shown = server.next();
    assert_eq!(shown.title, "Permission for greeting");
    assert!(shown.text.contains("show notifications"), "{}", shown.text);
    assert_eq!(shown.actions, ["session", "For this session", "no", "No"]);
    server.press(ID, "session");
    assert_eq!(asked.reply(), Reply::ForSession);
    assert_eq!(server.closed.recv_timeout(LONG), Ok(ID), "it does not stay");
    for (key, what) in [("no", "no"), ("default", "a click beside it"), ("SESSION", "unknown")] {
        let asked = ask(&bus);
        server.next();
        server.press(ID, key);
        assert_eq!(asked.reply(), Reply::No, "{what}");
    }
    let asked = ask(&bus);
    server.next();
    server.dismiss(ID);
    server.press(ID, "session");
    assert_eq!(asked.reply(), Reply::No, "it was closed first");
}

/// Nobody else can answer, nor can the server for another notification or in another form.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn forged_answers_are_none() {
    let bus = PrivateBus::start();
    let server = Server::start(&bus.address(), ABLE);
    let stranger = Server::nameless(&bus.address(), ABLE);
    let asked = ask(&bus);
    let asker = server.next().asker;
    for id in [0, ID - 1, ID, ID + 1, u32::MAX] {
        stranger.signal_to(Some(&asker), "ActionInvoked", &(id, "session"));
    }
    server.press(ID + 1, "session");
    server.signal("ActionInvoked", &("session", ID));
    server.signal("ActionInvoked", &(ID,));
    server.signal("ActionInvoked", &(u64::from(ID), "session"));
    server.signal("NotificationClosed", &(ID + 1, 2_u32));
    (0..1_000).for_each(|_| server.signal("ActivationToken", &(ID, "session")));
    asked.is_open();
    server.press(ID, "no");
    assert_eq!(asked.reply(), Reply::No);
}

/// A server may show a question and fail to say so, so that a person may have seen it. Without a
/// server the question was not shown.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn failed_question_may_be_seen() {
    let bus = PrivateBus::start();
    let refused =
        |asked: &Asked| asked.reply.recv_timeout(LONG).expect("a reply").expect_err("not put");
    assert!(!refused(&ask(&bus)).may_be_seen(), "nothing shows it");
    let server = Server::start(&bus.address(), &["actions", "body", FAILS]);
    let asked = ask(&bus);
    server.next();
    assert!(refused(&asked).may_be_seen());
}

/// Silence is a no, and a late answer is none.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn silence_is_no() {
    let bus = PrivateBus::start();
    let server = Server::start(&bus.address(), ABLE);
    let begun = Instant::now();
    let asked = ask_for(&bus, Duration::from_millis(500));
    server.next();
    assert_eq!(asked.reply(), Reply::No);
    assert!(begun.elapsed() >= Duration::from_millis(500));
    assert_eq!(server.closed.recv_timeout(LONG), Ok(ID));
    server.press(ID, "session");
    let asked = ask(&bus);
    server.next();
    asked.is_open();
    server.press(ID, "session");
    server.press(ID, "no");
    assert_eq!(asked.reply(), Reply::ForSession, "the first answer counts");
}

/// A server that ends, starts again or is replaced has taken the question with it.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn another_server_is_no() {
    let mut bus = PrivateBus::start();
    let server = Server::start(&bus.address(), ABLE);
    let asked = ask(&bus);
    server.next();
    server.die();
    assert_eq!(asked.reply(), Reply::No, "it ended");

    let server = Server::start(&bus.address(), ABLE);
    let asked = ask(&bus);
    server.next();
    let thief = Server::start(&bus.address(), ABLE);
    thief.press(ID, "session");
    assert_eq!(asked.reply(), Reply::No, "it was replaced");

    let asked = ask(&bus);
    thief.next();
    asked.is_open();
    bus.restart();
    assert_eq!(asked.reply(), Reply::No, "the bus ended");
}

/// A withdrawn question grants nothing and is taken away.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn withdrawn_question_is_no() {
    let bus = PrivateBus::start();
    let server = Server::start(&bus.address(), ABLE);
    let mut asked = ask(&bus);
    server.next();
    drop(asked.withdraw.take());
    assert_eq!(asked.reply(), Reply::No);
    assert_eq!(server.closed.recv_timeout(LONG), Ok(ID));
}

/// Where a question cannot be put, it is said why.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn unable_server_is_named() {
    let bus = PrivateBus::start();
    let put = || {
        let prompt = NotificationPrompt::at(Some(bus.address()));
        let (asked, checked) = (prompt.ask(&question(), pin!(future::pending())), prompt.check());
        let said = asked.expect_err("not put").to_string();
        assert_eq!(said, checked.expect_err("not put").to_string());
        said
    };
    assert_eq!(put(), "no program shows notifications");
    let unable = Server::start(&bus.address(), &["body"]);
    assert_eq!(put(), "the notification server does not have `actions`");
    let titles = Server::start(&bus.address(), &["actions"]);
    assert_eq!(put(), "the notification server does not have `body`");
    assert!(unable.shown.try_recv().is_err() && titles.shown.try_recv().is_err());
    let prompt = NotificationPrompt::at(Some("unix:path=/nowhere".to_owned()));
    let error = prompt.check().expect_err("no bus").to_string();
    assert_eq!(error, "there is no session bus");
}
