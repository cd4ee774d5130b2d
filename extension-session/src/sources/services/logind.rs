//! `session.*` and `system.*`, from logind, and the lock that holds events back.

use std::sync::Arc;

use core_types::event::EventType;
use zbus::zvariant::Value;

use super::service::{Answer, At, Names, Properties, Question, Rule, Service, Signal, Taken};
use super::session_memory::SessionMemory;
use super::values::{fields, object, text, truth, update};
use crate::delivery::{Arrival, MAX_WAITING, Subscriber};

/// The name of the source.
pub(super) const SOURCE: &str = "logind";
/// Its service on the bus.
pub(super) const NAME: &str = "org.freedesktop.login1";
const ROOT: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSIONS: &str = "/org/freedesktop/login1/session";
const SESSION: &str = "org.freedesktop.login1.Session";
const USER: &str = "org.freedesktop.login1.User";
/// The name under which the start of a session is kept where it does not have an id.
const UNNAMED: &str = "none";

/// The login session of this process, and the sleep of the machine.
pub(crate) struct Logind {
    process: u32,
    user: u32,
    /// The id that the environment has, for a process that logind knows no session of.
    given_id: Option<String>,
    memory: Arc<dyn SessionMemory>,
    /// Whether a start of a session is told. It is not where nothing could hear it while it began.
    is_start_told: bool,
    started: Option<String>,
    state: State,
    problem: Option<String>,
}

/// The session, as known while something listens.
#[derive(Debug, Default)]
struct State {
    is_listening: bool,
    /// The object of the session.
    session: Option<String>,
    /// Whether it is the one that the user has on a screen.
    is_of_display: bool,
    id: Option<String>,
    locked_hint: Option<bool>,
    /// `Lock` came, and nothing that says otherwise. Not every locker sets the hint.
    is_lock_asked: bool,
    is_idle: Option<bool>,
    told_locked: Option<bool>,
    told_idle: Option<bool>,
    /// Whether the engine was told that the session is open. At first it holds everything back.
    is_open: bool,
    /// Discrete events that are not told yet.
    waiting: Vec<EventType>,
    /// Whether logind is not there, or does not know the session.
    is_unknown: bool,
}

impl Logind {
    /// Makes the source for a process of a user, with the id of the session that its environment
    /// has.
    pub(crate) fn new(
        (process, user): (u32, u32),
        given_id: Option<String>,
        memory: Arc<dyn SessionMemory>,
    ) -> Self {
        let given_id = given_id.filter(|id| !id.is_empty());
        Self {
            process,
            user,
            given_id,
            memory,
            is_start_told: true,
            started: None,
            state: State::default(),
            problem: None,
        }
    }

    /// Returns the questions for the session: first by this process, then by the environment, and
    /// then the session that the user has on a screen, since a service of the user is in none.
    fn next_candidate(&self, question: &Question) -> Option<Question> {
        match (question, &self.given_id) {
            (Question::SessionOfProcess(_), Some(id)) => Some(Question::SessionById(id.clone())),
            (Question::SessionOfProcess(_) | Question::SessionById(_), _) => {
                Some(Question::User(self.user))
            }
            (Question::Properties { .. } | Question::User(_), _) => None,
        }
    }

    fn found(&mut self, session: String) -> Vec<Question> {
        let question = Question::properties(&session, SESSION);
        if self.state.session.as_ref() != Some(&session) {
            self.state.leave_session();
            self.state.session = Some(session);
        }
        (self.state.is_unknown, self.problem) = (false, None);
        vec![question]
    }

    fn not_found(&mut self) {
        self.state.leave_session();
        self.state.is_unknown = true;
        self.problem = Some("logind does not have a session of this user".to_owned());
        self.start(UNNAMED);
    }

    /// Takes the properties of an object: of the session, or of the user on the way to it.
    fn take_answer(&mut self, path: &str, properties: &Properties<'_>) -> Vec<Question> {
        if self.state.session.as_deref() != Some(path) {
            return self.take_user(properties);
        }
        if is_without_screen(properties) && !self.state.is_of_display {
            self.state.leave_session();
            return vec![Question::User(self.user)];
        }
        self.state.take_whole(properties);
        let id = self.state.id.clone().unwrap_or_else(|| path.to_owned());
        self.start(&id);
        Vec::new()
    }

    fn take_user(&mut self, properties: &Properties<'_>) -> Vec<Question> {
        let Some(session) = properties.get("Display").and_then(display) else {
            self.not_found();
            return Vec::new();
        };
        let questions = self.found(session);
        self.state.is_of_display = true;
        questions
    }

    /// Begins a session, once. A session that first did not have a name is the one that has.
    fn start(&mut self, id: &str) {
        let given = self.given_id.as_deref().unwrap_or(UNNAMED);
        let id = if id == UNNAMED { given } else { id };
        if self.started.as_deref() == Some(id) {
            return;
        }
        let was_unnamed = self.started.replace(id.to_owned()).is_some_and(|old| old == UNNAMED);
        match self.memory.begin(id) {
            Ok(true) if self.is_start_told && !was_unnamed => {
                self.state.wait(EventType::SessionStart);
            }
            Ok(_) => {}
            // Without a record it could come again, so it does not come.
            Err(error) => self.problem = Some(core_types::with_causes(&error)),
        }
        self.is_start_told = true;
    }

    /// Takes a signal of the manager: sleep, and sessions that come and go.
    fn manager_signal(&mut self, member: &str, arguments: &[Value<'_>]) -> Vec<Question> {
        match member {
            "PrepareForSleep" => match arguments.first().and_then(truth) {
                Some(true) => self.state.wait(EventType::SystemSleep),
                Some(false) => self.state.wait(EventType::SystemWake),
                None => {}
            },
            "SessionNew" if self.state.session.is_none() => return self.begin(NAME),
            "SessionRemoved" => {
                let gone = arguments.get(1).and_then(object);
                if gone.is_some() && gone == self.state.session {
                    self.state.leave_session();
                    return self.begin(NAME);
                }
            }
            _ => {}
        }
        Vec::new()
    }
}

impl State {
    /// Forgets the session. The engine keeps the lock until another one is known.
    fn leave_session(&mut self) {
        (self.session, self.id, self.locked_hint, self.is_idle) = (None, None, None, None);
        (self.told_locked, self.told_idle) = (None, None);
        (self.is_lock_asked, self.is_of_display) = (false, false);
    }

    /// Takes all properties of the session. One that does not know of locks is not locked.
    fn take_whole(&mut self, properties: &Properties<'_>) {
        self.take_properties(properties);
        self.locked_hint.get_or_insert(false);
    }

    fn take_properties(&mut self, properties: &Properties<'_>) {
        update(&mut self.id, properties, "Id", |value| text(value).map(str::to_owned));
        update(&mut self.locked_hint, properties, "LockedHint", truth);
        update(&mut self.is_idle, properties, "IdleHint", truth);
    }

    /// Takes properties that changed. A hint that is taken back ends a lock that was asked for.
    fn take_changed(&mut self, properties: &Properties<'_>) {
        self.take_properties(properties);
        if properties.get("LockedHint").and_then(truth) == Some(false) {
            self.is_lock_asked = false;
        }
    }

    /// Tells whether the session is locked; nothing where it is not known yet.
    fn is_locked(&self) -> Option<bool> {
        if self.is_lock_asked { Some(true) } else { self.locked_hint }
    }

    /// Keeps a discrete event until it is taken. More of them than an extension keeps are not.
    fn wait(&mut self, event: EventType) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push(event);
        }
    }

    /// Returns the events of what changed.
    fn events(&mut self) -> Vec<EventType> {
        let mut events = std::mem::take(&mut self.waiting);
        let is_locked = self.is_locked();
        let locked = changed(&mut self.told_locked, is_locked);
        let idle = changed(&mut self.told_idle, self.is_idle);
        events.extend(locked.map(|is_locked| match is_locked {
            true => EventType::SessionLocked,
            false => EventType::SessionUnlocked,
        }));
        events.extend(idle.map(|is_idle| match is_idle {
            true => EventType::SessionIdle,
            false => EventType::SessionActive,
        }));
        events
    }

    /// Returns the lock where the engine does not know it. Until logind answers, the session counts
    /// as locked; without logind it does not.
    fn lock_for_engine(&mut self) -> Option<bool> {
        let known = if self.is_unknown { Some(false) } else { None };
        let is_locked = self.is_locked().or(known).unwrap_or(!self.is_open);
        let is_other = is_locked == self.is_open;
        self.is_open = !is_locked;
        is_other.then_some(is_locked)
    }
}

/// Takes a new value, and returns it where another one was known.
fn changed(told: &mut Option<bool>, now: Option<bool>) -> Option<bool> {
    let now = now?;
    told.replace(now).filter(|before| *before != now).map(|_| now)
}

/// Tells whether a session is one of services or timers, which nobody locks.
fn is_without_screen(session: &Properties<'_>) -> bool {
    let class = session.get("Class").and_then(text).unwrap_or_default();
    class.starts_with("manager") || class.starts_with("background")
}

/// Returns the session that a user has on a screen.
fn display(value: &Value<'_>) -> Option<String> {
    let [_, path] = fields(value)? else { return None };
    object(path)
}

impl Service for Logind {
    fn source_name(&self) -> &'static str {
        SOURCE
    }

    fn names(&self) -> Names {
        Names::One(NAME)
    }

    /// The lock holds back every event.
    fn events(&self) -> Option<&'static [EventType]> {
        None
    }

    fn hear(&mut self, subscribers: &[Subscriber]) -> Vec<Rule> {
        self.state.is_listening = !subscribers.is_empty();
        if subscribers.is_empty() {
            self.state = State::default();
            self.is_start_told &= self.started.is_some();
            return Vec::new();
        }
        vec![
            Rule::signals(NAME, At::Object(ROOT), MANAGER),
            Rule::signals(NAME, At::Below(SESSIONS), SESSION),
            Rule::properties(NAME, At::Below(SESSIONS), SESSION),
        ]
    }

    fn begin(&mut self, _: &str) -> Vec<Question> {
        vec![Question::SessionOfProcess(self.process)]
    }

    /// The last state still holds: a restart of logind unlocks nothing.
    fn end(&mut self, _: &str) {
        self.state.is_unknown = self.state.is_locked().is_none();
        if self.state.is_unknown {
            self.start(UNNAMED);
        }
    }

    fn answer(&mut self, _: &str, question: &Question, answer: &Answer<'_>) -> Vec<Question> {
        match (question, answer) {
            (Question::Properties { path, .. }, Answer::Properties(properties)) => {
                self.take_answer(path, properties)
            }
            (Question::User(_), Answer::Object(user)) => vec![Question::properties(user, USER)],
            (_, Answer::Object(session)) => self.found(session.clone()),
            (question, _) => match self.next_candidate(question) {
                Some(next) => vec![next],
                // One that hangs after a restart unlocks nothing.
                None if self.state.is_locked() == Some(true) => {
                    self.problem =
                        Some("logind does not answer, and the session was locked".to_owned());
                    Vec::new()
                }
                None => {
                    self.not_found();
                    Vec::new()
                }
            },
        }
    }

    fn signal(&mut self, _: &str, signal: &Signal<'_>) -> Vec<Question> {
        let is_own = |path: &str| self.state.session.as_deref() == Some(path);
        match signal {
            Signal::Other { path: ROOT, member, arguments } => {
                return self.manager_signal(member, arguments);
            }
            Signal::Other { path, member: "Lock", .. } if is_own(path) => {
                self.state.is_lock_asked = true;
            }
            Signal::Other { path, member: "Unlock", .. } if is_own(path) => {
                self.state.is_lock_asked = false;
            }
            Signal::Properties { path, interface: SESSION, changed, is_partial }
                if is_own(path) =>
            {
                let again = is_partial.then(|| Question::properties(path, SESSION));
                self.state.take_changed(changed);
                return again.into_iter().collect();
            }
            _ => {}
        }
        Vec::new()
    }

    fn take(&mut self, time: u64) -> Taken {
        if !self.state.is_listening {
            return Taken::default();
        }
        let arrival = |event| Arrival::to_all(event, Vec::new(), time);
        let arrivals = self.state.events().into_iter().filter_map(arrival).collect();
        Taken { arrivals, locked: self.state.lock_for_engine() }
    }

    fn problem(&self) -> Option<String> {
        self.problem.clone()
    }
}

#[cfg(test)]
mod tests;
