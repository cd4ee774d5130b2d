//! The dialogue with messages of a bus that only exist here.

use std::collections::HashMap;

use zbus::zvariant::Value;

use super::*;
use crate::Wake;
use crate::sources::services::{MediaPlayers, UPower};
use crate::testing::subscriber;

const NAME: &str = "org.freedesktop.UPower";
const OBJECT: &str = "/org/freedesktop/UPower";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const OWNER: &str = ":1.5";
const THIEF: &str = ":1.9";

fn hearing(event: &str) -> Vec<Subscriber> {
    vec![subscriber("a", vec![Wake::by(event.parse().expect(event))])]
}

fn from(message: zbus::message::Builder<'_>, sender: &str) -> Message {
    message.sender(sender).expect(sender).build(&()).expect("a message")
}

/// Makes the signal that the machine goes on battery or on mains.
fn power(sender: &str, is_on_battery: bool) -> Message {
    changed(sender, HashMap::from([("OnBattery", is_on_battery.into())]), &[])
}

fn changed(sender: &str, values: HashMap<&str, Value<'_>>, others: &[&str]) -> Message {
    let signal = Message::signal(OBJECT, PROPERTIES, "PropertiesChanged").expect("a signal");
    signal.sender(sender).expect(sender).build(&(NAME, values, others)).expect("a message")
}

fn owned(sender: &str, owner: &str) -> Message {
    let signal = Message::signal("/org/freedesktop/DBus", DRIVER, "NameOwnerChanged");
    let signal = signal.and_then(|it| it.sender(sender)).expect("a signal");
    signal.build(&(NAME, "", owner)).expect("a message")
}

/// Makes the answer to a message.
fn answer(to: &Message, sender: &str, is_on_battery: bool) -> Message {
    let answer = Message::method_return(&to.header()).and_then(|it| it.sender(sender));
    let values = HashMap::from([("OnBattery", Value::from(is_on_battery))]);
    answer.expect("an answer").build(&values).expect("a message")
}

fn member(message: &Message) -> String {
    message.header().member().map(ToString::to_string).unwrap_or_default()
}

/// A dialogue in which UPower has its owner, and the question to it.
struct Talk<'a> {
    dialogue: Dialogue<'a>,
    now: Instant,
    time: Duration,
}

impl Talk<'_> {
    fn take(&mut self, message: &Message) {
        self.dialogue.take(message, self.now + self.time);
    }

    /// Returns the number of events, a while later.
    fn told(&mut self) -> usize {
        self.time += Duration::from_secs(1);
        let due = self.dialogue.take_due(self.now + self.time, 0);
        due.iter().map(|(_, taken)| taken.arrivals.len()).sum()
    }

    fn sent(&mut self) -> Vec<String> {
        self.dialogue.take_outgoing().iter().map(member).collect()
    }
}

fn services() -> Vec<Box<dyn Service>> {
    vec![Box::new(UPower::new(std::sync::Arc::new(crate::Forgetful)))]
}

fn talk(services: &mut [Box<dyn Service>]) -> (Talk<'_>, Message) {
    let now = Instant::now();
    let mut talk = Talk { dialogue: Dialogue::new(services), now, time: Duration::ZERO };
    talk.dialogue.hear(0, &hearing("power.source"), now);
    assert_eq!(talk.sent(), ["AddMatch", "AddMatch", "GetNameOwner"]);
    talk.take(&owned(DRIVER, OWNER));
    let question = talk.dialogue.take_outgoing().pop().expect("a question");
    assert_eq!(member(&question), "GetAll");
    (talk, question)
}

/// Signals, answers and owners of anybody but those who may say so change nothing.
#[test]
fn forged_messages_are_ignored() {
    let mut services = services();
    let (mut talk, question) = talk(&mut services);
    talk.take(&answer(&question, THIEF, true));
    talk.take(&answer(&question, OWNER, false));
    assert_eq!(talk.told(), 0, "the first state");
    talk.take(&power(THIEF, true));
    assert_eq!(talk.told(), 0);
    talk.take(&owned(THIEF, THIEF));
    talk.take(&power(THIEF, true));
    assert_eq!(talk.told(), 0, "the bus alone names an owner");
    talk.take(&answer(&question, OWNER, true));
    assert_eq!(talk.told(), 0, "an answer counts once");
    talk.take(&power(OWNER, true));
    assert_eq!(talk.told(), 1);
}

/// After the name went to another owner, the one before is a stranger, and so are its answers.
#[test]
fn former_owner_is_ignored() {
    let mut services = services();
    let (mut talk, question) = talk(&mut services);
    talk.take(&answer(&question, OWNER, false));
    assert_eq!(talk.told(), 0);
    talk.take(&owned(DRIVER, THIEF));
    let anew = talk.dialogue.take_outgoing();
    assert_eq!(anew.iter().map(member).collect::<Vec<_>>(), ["GetAll"], "everything anew");
    talk.take(&power(OWNER, true));
    talk.take(&answer(&anew[0], OWNER, true));
    assert_eq!(talk.told(), 0);
    talk.take(&owned(DRIVER, ""));
    talk.take(&power(THIEF, true));
    assert_eq!(talk.told(), 0, "nobody owns it");
}

/// A hundred thousand changes end in one event, and in no question.
#[test]
fn storm_ends_in_one_event() {
    let mut services = services();
    let (mut talk, question) = talk(&mut services);
    talk.take(&answer(&question, OWNER, false));
    assert_eq!(talk.told(), 0);
    let storm = [power(OWNER, true), power(OWNER, false)];
    let mut told = 0;
    for at in 0..100_001 {
        talk.take(&storm[at % 2]);
        told += talk.dialogue.take_due(talk.now + talk.time, 0).len();
    }
    assert!(told <= 1, "{told} at one moment");
    assert_eq!(talk.dialogue.next_moment(), Some(talk.now + talk.time + MIN_INTERVAL));
    told += talk.told();
    assert!(told <= 2 && talk.sent().is_empty(), "{told}");
}

/// Values that are only said to have changed are asked for, each question once at a time.
#[test]
fn question_is_under_way_once() {
    let mut services = services();
    let (mut talk, question) = talk(&mut services);
    for _ in 0..1000 {
        talk.take(&changed(OWNER, HashMap::new(), &["OnBattery"]));
    }
    assert!(talk.sent().is_empty());
    talk.take(&answer(&question, OWNER, false));
    let again = talk.dialogue.take_outgoing();
    assert_eq!(again.len(), 1, "once more, since it changed meanwhile");
    assert_eq!(talk.told(), 0, "the first state");
    talk.take(&answer(&again[0], OWNER, true));
    assert!(talk.sent().is_empty() && talk.told() == 1);
}

/// A service that is not there is asked to start, said to be absent, and heard when it comes.
#[test]
fn absent_service_is_waited_for() {
    let mut services = services();
    let now = Instant::now();
    let mut dialogue = Dialogue::new(&mut services);
    dialogue.hear(0, &hearing("power.source"), now);
    for expected in ["StartServiceByName", ""] {
        let asked = dialogue.take_outgoing().pop().expect("a question");
        let error = Message::error(&asked.header(), "org.freedesktop.DBus.Error.ServiceUnknown");
        dialogue.take(&from(error.expect("an error"), DRIVER), now);
        let sent = dialogue.take_outgoing();
        assert_eq!(sent.last().map(member).unwrap_or_default(), expected);
        dialogue.outgoing = sent;
    }
    let problem = dialogue.problem(0).expect("absent");
    assert_eq!(problem, "`org.freedesktop.UPower` is not on the bus");
    dialogue.take(&owned(DRIVER, OWNER), now);
    assert_eq!(dialogue.problem(0), None);
    assert_eq!(dialogue.take_outgoing().len(), 1);
}

/// A bus that never answers leaves the service absent, and a service that never answers nothing.
#[test]
fn silence_ends() {
    let mut services = services();
    let now = Instant::now();
    let mut dialogue = Dialogue::new(&mut services);
    dialogue.hear(0, &hearing("power.source"), now);
    let late = dialogue.next_moment().expect("a deadline");
    dialogue.expire(late);
    assert!(dialogue.problem(0).is_some() && dialogue.next_moment().is_none());
    dialogue.take(&owned(DRIVER, OWNER), now);
    dialogue.expire(dialogue.next_moment().expect("a deadline"));
    assert!(dialogue.next_moment().is_none());
}

/// An answer that comes too late lets everything be asked anew, once. One of anybody else does not, and
/// neither does one to a question that was asked again.
#[test]
fn late_answer_asks_anew() {
    let mut services = services();
    let (mut talk, question) = talk(&mut services);
    talk.dialogue.expire(talk.dialogue.next_moment().expect("a deadline"));
    assert!(talk.dialogue.waiting.until().is_none(), "it failed");
    talk.take(&answer(&question, THIEF, false));
    assert!(talk.sent().is_empty());
    talk.take(&answer(&question, OWNER, true));
    let again = talk.dialogue.take_outgoing().pop().expect("a question");
    talk.take(&answer(&question, OWNER, true));
    assert!(talk.sent().is_empty(), "it was answered");
    talk.take(&answer(&again, OWNER, true));
    assert_eq!(talk.told(), 0, "the first state");
    talk.take(&power(OWNER, false));
    assert_eq!(talk.told(), 1, "it was known");

    talk.take(&changed(OWNER, HashMap::new(), &["OnBattery"]));
    let failed = talk.dialogue.take_outgoing().pop().expect("a question");
    talk.dialogue.expire(talk.now + talk.time + Duration::from_secs(60));
    talk.take(&changed(OWNER, HashMap::new(), &["OnBattery"]));
    let again = talk.dialogue.take_outgoing().pop().expect("it is not under way");
    talk.take(&answer(&failed, OWNER, true));
    assert!(talk.sent().is_empty(), "it was asked again");
    talk.take(&answer(&again, OWNER, true));
    assert_eq!(talk.told(), 1);
}

/// Rules are there for what is heard, and gone after it.
#[test]
fn rules_follow_listeners() {
    let mut services = services();
    let (mut talk, _) = talk(&mut services);
    let mut both = hearing("power.source");
    both.extend(hearing("power.battery"));
    both[1].name = "b".parse().expect("a name");
    let now = talk.now;
    talk.dialogue.hear(0, &both, now);
    assert_eq!(talk.sent(), ["AddMatch", "GetAll"], "the other question is under way");
    talk.dialogue.hear(0, &both[1..], now);
    assert_eq!(talk.sent(), ["RemoveMatch"]);
    talk.dialogue.hear(0, &[], now);
    assert_eq!(talk.sent(), ["RemoveMatch", "RemoveMatch"]);
    talk.take(&owned(DRIVER, OWNER));
    assert!(talk.sent().is_empty() && talk.dialogue.next_moment().is_none());
}

/// Bodies of another form are no signals.
#[test]
fn odd_messages_are_ignored() {
    let mut services = services();
    let (mut talk, question) = talk(&mut services);
    let signal = || {
        let signal = Message::signal(OBJECT, PROPERTIES, "PropertiesChanged").expect("a signal");
        signal.sender(OWNER).expect("a sender")
    };
    talk.take(&signal().build(&()).expect("a message"));
    talk.take(&signal().build(&("text", 1_u32)).expect("a message"));
    talk.take(&signal().build(&(NAME, HashMap::from([("OnBattery", true)]))).expect("a message"));
    let owner = Message::signal("/", DRIVER, "NameOwnerChanged").expect("a signal");
    talk.take(&from(owner, DRIVER));
    let answer = Message::method_return(&question.header()).expect("an answer");
    talk.take(&from(answer, OWNER));
    assert!(talk.told() == 0 && talk.sent().is_empty());
}

/// Players are found by the beginning of their names, and few of many are followed.
#[test]
fn players_are_bounded() {
    let mut services: Vec<Box<dyn Service>> = vec![Box::new(MediaPlayers::default())];
    let now = Instant::now();
    let mut dialogue = Dialogue::new(&mut services);
    dialogue.hear(0, &hearing("media.changed"), now);
    let asked = dialogue.take_outgoing().pop().expect("a question");
    assert_eq!(member(&asked), "ListNames");
    let mut names: Vec<_> = (0..1000).map(|at| format!("org.mpris.MediaPlayer2.p{at}")).collect();
    names.push("org.example.Other".to_owned());
    let answer = Message::method_return(&asked.header()).and_then(|it| it.sender(DRIVER));
    dialogue.take(&answer.expect("an answer").build(&names).expect("a message"), now);
    assert_eq!(dialogue.take_outgoing().len(), MAX_NAMES);
}
