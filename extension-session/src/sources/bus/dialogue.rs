//! The dialogue with a bus: believed senders, questions, and the times of events.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use zbus::Message;
use zbus::message::{Header, Type};

use super::asked::{Asked, Pending, Waiting};
use super::messages::{self, DRIVER};
use super::owners::{MAX_NAMES, Owners};
use crate::delivery::Subscriber;
use crate::sources::services::{Answer, Names, Question, Rule, Service, Taken};

/// The least time between two times that a service tells events. A storm of signals in between ends
/// in one event.
const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// The services of a bus. It takes messages and gives messages, and has no connection.
pub(super) struct Dialogue<'a> {
    services: &'a mut [Box<dyn Service>],
    places: Vec<Place>,
    waiting: Waiting,
    outgoing: Vec<Message>,
}

/// One service, as far as it is known.
struct Place {
    rules: Vec<Rule>,
    owners: Owners,
    /// Whether something may have changed since events were taken.
    is_touched: bool,
    told: Option<Instant>,
    absence: Option<String>,
}

impl<'a> Dialogue<'a> {
    /// Begins a dialogue on a new connection.
    pub(super) fn new(services: &'a mut [Box<dyn Service>]) -> Self {
        let places = services.iter().map(|service| Place::of(service.names())).collect();
        Self { services, places, waiting: Waiting::default(), outgoing: Vec::new() }
    }

    /// Takes the extensions that hear of a service.
    pub(super) fn hear(&mut self, at: usize, subscribers: &[Subscriber], now: Instant) {
        let rules = self.services[at].hear(subscribers);
        let before = std::mem::replace(&mut self.places[at].rules, rules.clone());
        self.places[at].is_touched = true;
        let has_more = rules.iter().any(|rule| !before.contains(rule));
        for rule in rules.iter().filter(|rule| !before.contains(rule)) {
            self.send(messages::tell_driver("AddMatch", rule.as_str()));
        }
        for rule in before.iter().filter(|rule| !rules.contains(rule)) {
            self.send(messages::tell_driver("RemoveMatch", rule.as_str()));
        }
        match (before.is_empty(), rules.is_empty()) {
            (true, false) => self.follow(at, now),
            (false, true) => self.leave(at),
            _ if has_more => self.begin_all(at, now),
            _ => {}
        }
    }

    /// Follows the owners of the names of a service.
    fn follow(&mut self, at: usize, now: Instant) {
        let names = self.services[at].names();
        self.send(messages::tell_driver("AddMatch", Rule::owners(names).as_str()));
        match names {
            Names::One(name) => self.ask_owner(at, name, now),
            Names::Below(prefix) => {
                let pending = Pending::new(at, (prefix, DRIVER), Asked::Names, now);
                self.ask(messages::list_names(), pending);
            }
        }
    }

    fn leave(&mut self, at: usize) {
        let names = self.services[at].names();
        self.send(messages::tell_driver("RemoveMatch", Rule::owners(names).as_str()));
        self.waiting.forget(at, None);
        self.places[at].owners.forget();
        (self.places[at].absence, self.places[at].told) = (None, None);
    }

    /// Takes a message. Only the bus itself, owners of the names, and those that were asked are
    /// heard. Returns whether it is an answer.
    pub(super) fn take(&mut self, message: &Message, now: Instant) -> bool {
        let header = message.header();
        let Some(sender) = header.sender() else { return false };
        match message.message_type() {
            Type::Signal if sender.as_str() == DRIVER => self.take_owner_change(message, now),
            Type::Signal => self.take_signal(message, sender.as_str(), now),
            Type::MethodReturn | Type::Error => {
                self.take_answer(message, &header, now);
                return true;
            }
            Type::MethodCall => {}
        }
        false
    }

    fn take_owner_change(&mut self, message: &Message, now: Instant) {
        let change = messages::owner_change(&message.header(), &message.body());
        let Some((name, owner)) = change else { return };
        for at in 0..self.places.len() {
            if !self.places[at].rules.is_empty() && self.places[at].owners.has(&name) {
                self.set_owner((at, &name), owner.as_deref(), now);
            }
        }
    }

    fn take_signal(&mut self, message: &Message, sender: &str, now: Instant) {
        // Nothing of other programs is even read.
        let names: Vec<_> = self.places.iter().map(|it| it.owners.names_of(sender)).collect();
        if names.iter().all(Vec::is_empty) {
            return;
        }
        let (header, body) = (message.header(), message.body());
        let Some(signal) = messages::signal(&header, &body) else { return };
        for (at, names) in names.iter().enumerate() {
            for name in names {
                let questions = self.services[at].signal(name, &signal);
                self.places[at].is_touched = true;
                self.ask_service(at, name, questions, now);
            }
        }
    }

    fn take_answer(&mut self, message: &Message, header: &Header<'_>, now: Instant) {
        let sender = header.sender().map(|sender| sender.as_str()).unwrap_or_default();
        let number = header.reply_serial();
        let Some(pending) = number.and_then(|number| self.waiting.answered(number, sender)) else {
            return;
        };
        let (kind, body) = (message.message_type(), message.body());
        match &pending.asked {
            Asked::Owner => match messages::owner(kind, &body) {
                Some(owner) => self.set_owner((pending.service, &pending.name), Some(&owner), now),
                None => self.ask_start(pending.service, &pending.name, now),
            },
            Asked::Names => {
                let names = messages::names(kind, &body);
                let owners = &self.places[pending.service].owners;
                let own = names.into_iter().filter(|name| owners.has(name));
                for name in own.take(MAX_NAMES).collect::<Vec<_>>() {
                    self.ask_owner(pending.service, &name, now);
                }
            }
            Asked::Start if kind == Type::Error => self.set_absent(pending.service),
            // The bus tells the owner in a signal.
            Asked::Start => {}
            // Other answers may have come since, so that everything is asked anew.
            Asked::Service(_) if pending.is_late() => {
                self.begin(pending.service, &pending.name, now);
            }
            Asked::Service(question) => {
                self.pass_answer(&pending, question, &messages::answer(kind, &body, question), now);
            }
        }
    }

    fn pass_answer(
        &mut self,
        pending: &Pending,
        question: &Question,
        answer: &Answer<'_>,
        now: Instant,
    ) {
        let at = pending.service;
        let mut questions = self.services[at].answer(&pending.name, question, answer);
        self.places[at].is_touched = true;
        if pending.is_again && !questions.contains(question) {
            questions.push(question.clone());
        }
        self.ask_service(at, &pending.name, questions, now);
    }

    /// Takes the owner of a name, and asks it everything anew if it is another one.
    fn set_owner(&mut self, (at, name): (usize, &str), owner: Option<&str>, now: Instant) {
        if !self.places[at].owners.set(name, owner) {
            return;
        }
        self.waiting.forget(at, Some(name));
        self.places[at].is_touched = true;
        if owner.is_some() {
            self.places[at].absence = None;
            self.begin(at, name, now);
        } else {
            self.services[at].end(name);
            self.places[at].absence = self.absence(at);
        }
    }

    fn begin_all(&mut self, at: usize, now: Instant) {
        for name in self.places[at].owners.names() {
            self.begin(at, &name, now);
        }
    }

    fn begin(&mut self, at: usize, name: &str, now: Instant) {
        let questions = self.services[at].begin(name);
        self.ask_service(at, name, questions, now);
    }

    /// Notes that a service is not there. It is listened to when its name comes.
    fn set_absent(&mut self, at: usize) {
        if let Names::One(name) = self.services[at].names() {
            self.services[at].end(name);
        }
        self.places[at].is_touched = true;
        self.places[at].absence = self.absence(at);
    }

    fn absence(&self, at: usize) -> Option<String> {
        match self.services[at].names() {
            Names::One(name) => Some(format!("`{name}` is not on the bus")),
            Names::Below(_) => None,
        }
    }

    fn ask_owner(&mut self, at: usize, name: &str, now: Instant) {
        let pending = Pending::new(at, (name, DRIVER), Asked::Owner, now);
        self.ask(messages::to_driver("GetNameOwner", name), pending);
    }

    /// Asks the bus to start a service that it knows of, as a call of it would do.
    fn ask_start(&mut self, at: usize, name: &str, now: Instant) {
        if matches!(self.services[at].names(), Names::One(_)) {
            let pending = Pending::new(at, (name, DRIVER), Asked::Start, now);
            self.ask(messages::start(name), pending);
        }
    }

    fn ask_service(&mut self, at: usize, name: &str, questions: Vec<Question>, now: Instant) {
        let Some(owner) = self.places[at].owners.of(name).map(str::to_owned) else { return };
        for question in questions {
            let asked = Asked::Service(question);
            if self.waiting.is_under_way(at, name, &asked) {
                continue;
            }
            let Asked::Service(question) = &asked else { continue };
            let message = messages::question(&owner, question);
            self.ask(message, Pending::new(at, (name, &owner), asked.clone(), now));
        }
    }

    fn ask(&mut self, message: zbus::Result<Message>, pending: Pending) {
        if let Some(number) = self.send(message) {
            self.waiting.put(number, pending);
        }
    }

    /// Sends a message. One that cannot be written, such as for an object without a valid path, is
    /// not sent.
    fn send(&mut self, message: zbus::Result<Message>) -> Option<NonZeroU32> {
        let message = message.ok()?;
        let number = message.primary_header().serial_num();
        self.outgoing.push(message);
        Some(number)
    }

    /// Removes the messages that are to be sent.
    pub(super) fn take_outgoing(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.outgoing)
    }

    /// Counts questions that are not answered in time as failed.
    pub(super) fn expire(&mut self, now: Instant) {
        for pending in self.waiting.take_late(now) {
            match &pending.asked {
                Asked::Service(question) => {
                    self.pass_answer(&pending, question, &Answer::Failed, now);
                }
                _ => self.set_absent(pending.service),
            }
        }
    }

    /// Removes the events that may be told now, each with the place of its service.
    pub(super) fn take_due(&mut self, now: Instant, time: u64) -> Vec<(usize, Taken)> {
        let mut due = Vec::new();
        for (at, place) in self.places.iter_mut().enumerate() {
            if !place.is_touched || place.next().is_some_and(|next| next > now) {
                continue;
            }
            place.is_touched = false;
            let taken = self.services[at].take(time);
            if !taken.is_empty() {
                place.told = Some(now);
                due.push((at, taken));
            }
        }
        due
    }

    /// Returns the next moment with something to do.
    pub(super) fn next_moment(&self) -> Option<Instant> {
        let touched = self.places.iter().filter(|place| place.is_touched);
        touched.filter_map(Place::next).chain(self.waiting.until()).min()
    }

    /// Returns why a service does not tell everything; nothing if it does.
    pub(super) fn problem(&self, at: usize) -> Option<String> {
        self.places[at].absence.clone().or_else(|| self.services[at].problem())
    }

    /// Ends the dialogue with the connection: every service is gone.
    pub(super) fn end(&mut self) {
        for at in 0..self.places.len() {
            if self.places[at].rules.is_empty() {
                continue;
            }
            for name in self.places[at].owners.names() {
                self.services[at].end(&name);
            }
            self.set_absent(at);
        }
    }
}

impl Place {
    fn of(names: Names) -> Self {
        let owners = Owners::new(names);
        Self { rules: Vec::new(), owners, is_touched: false, told: None, absence: None }
    }

    /// Returns the first moment at which events may be told again.
    fn next(&self) -> Option<Instant> {
        self.told.map(|told| told + MIN_INTERVAL)
    }
}

#[cfg(test)]
mod tests;
