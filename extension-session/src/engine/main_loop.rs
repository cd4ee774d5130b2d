//! The engine: the thread that everything comes together in.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use core_types::event::EventType;
use core_types::{BootTime, ExtensionName};
use tokio::sync::watch;

use crate::delivery::{Arrival, Delivery, Dispatcher, DispatcherLoad, HeldBack, Subscriber};
use crate::engine::clock::{Clock, Now};
use crate::engine::deliver::{Deliver, Delivered};
use crate::engine::inbox::{Inbox, Message, Stopped};
use crate::engine::status::{Load, Status};
use crate::engine::timer_memory::{LastDue, TimerMemory};
use crate::engine::timers::Timers;
use crate::engine::wait::Wait;
use crate::sources::{SettingsSource, Source, SourceState};

/// The least time between two readings of all manifests: a program that writes one a thousand times
/// a second costs one reading a second.
const MIN_RESCAN: Duration = Duration::from_secs(1);
/// The longest time that the moments of `time.every` are not on disk.
const MAX_UNWRITTEN: Duration = Duration::from_secs(60);

/// The extensions that something may wake.
pub trait Subscribers: Send {
    /// Returns them as they are now, with the events that the policy and their grants allow.
    fn list(&mut self) -> Vec<Subscriber>;

    /// Returns whether the last list lacks an extension only since its manifest cannot be read, as while
    /// an editor writes it. By default there is none.
    fn is_unreadable(&self, name: &ExtensionName) -> bool {
        let _ = name;
        false
    }
}

/// Everything that an engine stands on.
pub struct Parts {
    /// Runs the extensions.
    pub deliver: Arc<dyn Deliver>,
    /// Knows the extensions.
    pub subscribers: Box<dyn Subscribers>,
    /// Where events come from, beside timers, settings and the inbox.
    pub sources: Vec<Box<dyn Source>>,
    /// The clocks.
    pub clock: Box<dyn Clock>,
    /// Keeps how far the timers came.
    pub memory: Box<dyn TimerMemory>,
    /// The most deliveries at once.
    pub max_parallel: usize,
}

/// Wakes extensions until it is stopped.
///
/// Dropping an engine stops it: no delivery begins any more, and those that run are waited for.
pub struct Engine {
    inbox: Inbox,
    thread: Option<JoinHandle<()>>,
}

/// Why an engine cannot start.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the engine of events")]
pub struct EngineError(#[source] io::Error);

impl Engine {
    /// Starts an engine.
    ///
    /// # Errors
    /// When the system gives no timer or no thread.
    pub fn start(parts: Parts) -> Result<Self, EngineError> {
        let wait = Wait::new().map_err(EngineError)?;
        let lock = watch::Sender::new(false);
        let (inbox, messages) = Inbox::new(wait.bell(), lock.subscribe());
        let own_inbox = (inbox.clone(), lock);
        let thread = std::thread::Builder::new().name("events".to_owned());
        let thread = thread.spawn(move || Loop::new(parts, wait, own_inbox, messages).run());
        Ok(Self { inbox, thread: Some(thread.map_err(EngineError)?) })
    }

    /// Returns the way in.
    pub fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// Returns how it is doing.
    ///
    /// # Errors
    /// When it has ended.
    pub fn status(&self) -> Result<Status, Stopped> {
        self.inbox.status()
    }

    /// Stops it: no delivery begins any more. Waits for those that run, whose limits end them.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.inbox.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The state of the thread.
struct Loop {
    parts: Parts,
    wait: Wait,
    inbox: Inbox,
    /// Tells the lock of the session to those who follow it.
    lock: watch::Sender<bool>,
    messages: Receiver<Message>,
    dispatcher: Dispatcher,
    /// The extension that asks for a permission.
    asking: Option<ExtensionName>,
    timers: Timers,
    settings: SettingsSource,
    source_states: Vec<(&'static str, SourceState)>,
    is_stopping: bool,
    /// Manifests may have changed since they were read at this moment.
    is_stale: bool,
    /// The extensions that were kept at the last look, since their manifests could not be read.
    unreadable: BTreeSet<ExtensionName>,
    read_at: Option<BootTime>,
    /// The moments of an earlier process, for the first reading alone: an event that is granted
    /// later makes up for nothing that was before.
    left: LastDue,
    written_at: BootTime,
    problem: Option<String>,
}

impl Loop {
    fn new(
        parts: Parts,
        wait: Wait,
        (inbox, lock): (Inbox, watch::Sender<bool>),
        messages: Receiver<Message>,
    ) -> Self {
        let dispatcher = Dispatcher::new(parts.max_parallel);
        Self {
            parts,
            wait,
            inbox,
            lock,
            messages,
            dispatcher,
            asking: None,
            timers: Timers::default(),
            settings: SettingsSource::default(),
            source_states: Vec::new(),
            is_stopping: false,
            is_stale: true,
            unreadable: BTreeSet::new(),
            read_at: None,
            left: LastDue::default(),
            written_at: BootTime::default(),
            problem: None,
        }
    }

    fn run(mut self) {
        self.remember();
        let now = self.parts.clock.now();
        self.rescan(&now);
        loop {
            self.turn();
            if self.is_stopping && self.dispatcher.running() == 0 {
                break;
            }
            let now = self.parts.clock.now();
            let (boot, wall) = (self.next_boot(&now), self.timers.next_at(&now.wall));
            if let Err(error) = self.wait.until(boot, wall.map(|wall| wall.timestamp())) {
                self.problem = Some(format!("cannot wait for events: {error}"));
                break;
            }
        }
        let now = self.parts.clock.now();
        self.keep_timers(&now);
        // They tell nothing from here on.
        self.parts.sources.clear();
        for (name, event) in self.dispatcher.waiting() {
            let _ = self.parts.memory.leave(name, event);
        }
    }

    /// Does everything that can be done at this moment.
    fn turn(&mut self) {
        while let Ok(message) = self.messages.try_recv() {
            self.take(message);
        }
        let now = self.parts.clock.now();
        if self.is_stale && self.rescan_at().is_none_or(|moment| moment <= now.boot) {
            self.rescan(&now);
        }
        self.fire_timers(&now);
        while !self.is_stopping {
            let Some(delivery) = self.dispatcher.next(now.boot) else { break };
            self.start(delivery);
        }
        for (name, event) in self.dispatcher.newly_over_budget(now.boot) {
            self.parts.deliver.held_back(&name, &event, HeldBack::OverBudget);
        }
    }

    /// Returns the next moment with something to do, on the clock that counts from boot.
    fn next_boot(&self, now: &Now) -> Option<BootTime> {
        let rescan = if self.is_stale { self.rescan_at().or(Some(now.boot)) } else { None };
        let waiting = if self.is_stopping { None } else { self.dispatcher.wake_at(now.boot) };
        [rescan, waiting, self.timers.next_every()].into_iter().flatten().min()
    }

    fn rescan_at(&self) -> Option<BootTime> {
        self.read_at.map(|read| read.after(MIN_RESCAN))
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Event(arrival, reply) => {
                let reached = self.arrive(&arrival);
                if let Some(reply) = &reply {
                    answer(reply, reached);
                }
            }
            Message::Finished(name, Delivered { fuel, has_failed }) => {
                self.dispatcher.finish(&name, fuel);
                self.is_stale |= has_failed;
            }
            Message::Changed => self.is_stale = true,
            Message::ZoneChanged => self.parts.clock.read_zone(),
            Message::Locked(is_locked) => {
                self.dispatcher.set_locked(is_locked);
                self.lock.send_replace(is_locked);
            }
            Message::Status(reply) => answer(&reply, self.status()),
            Message::Asking(asking) => {
                let (name, reply) = asking.unzip();
                self.asking = name;
                self.listen();
                // Behind what the sources have just said.
                let _ = reply.map(|reply| self.inbox.send(Message::Status(reply)));
            }
            Message::Stop => self.is_stopping = true,
        }
    }

    fn arrive(&mut self, arrival: &Arrival) -> Result<usize, HeldBack> {
        let reached = self.dispatcher.arrive(arrival);
        let event = &arrival.occurrence.name;
        for (name, by) in self.dispatcher.refused(arrival) {
            self.parts.deliver.refused(name, event, by, arrival.depth);
        }
        if let Err(why) = reached {
            self.problem = Some(format!("`{event}`: {why}"));
            for name in self.dispatcher.reached_by(arrival) {
                self.parts.deliver.held_back(name, event, why);
            }
        }
        reached
    }

    /// Takes the extensions anew, and lets the sources listen for their events.
    fn rescan(&mut self, now: &Now) {
        self.is_stale = false;
        self.read_at = Some(now.boot);
        let subscribers = self.list();
        self.timers.subscribe(&subscribers, &std::mem::take(&mut self.left), now);
        let changed = self.settings.changed(&subscribers, now);
        self.dispatcher.subscribe(subscribers);
        for arrival in changed {
            // Its loss is told already.
            let _ = self.arrive(&arrival);
        }
        self.listen();
    }

    /// Returns the extensions. One whose manifest cannot be read stays as it was until the next look, so
    /// that an editor that writes in place loses none of its settings, timers and waiting events. Each
    /// delivery is decided about anew.
    fn list(&mut self) -> Vec<Subscriber> {
        let mut listed = self.parts.subscribers.list();
        let is_kept = |subscriber: &&Subscriber| {
            !self.unreadable.contains(&subscriber.name)
                && self.parts.subscribers.is_unreadable(&subscriber.name)
        };
        let kept: Vec<_> = self.dispatcher.subscribers().filter(is_kept).cloned().collect();
        self.unreadable = kept.iter().map(|subscriber| subscriber.name.clone()).collect();
        self.is_stale |= !kept.is_empty();
        listed.extend(kept);
        listed
    }

    /// Lets the sources listen for what the extensions hear. One that asks for a permission hears
    /// nothing, and stands for an interest in the lock of the session.
    fn listen(&mut self) {
        let mut hearing: Vec<_> = self.dispatcher.subscribers().cloned().collect();
        if let Some(name) = self.asking.as_ref().filter(|_| hearing.is_empty()) {
            hearing.push(Subscriber::new(name.clone(), Vec::new()));
        }
        let (sources, inbox) = (self.parts.sources.iter_mut(), &self.inbox);
        self.source_states =
            sources.map(|source| (source.name(), source.listen(&hearing, inbox))).collect();
    }

    /// Takes the due moments. They are on disk before the delivery, so that a crash repeats
    /// nothing; `time.every` is so from minute to minute, and begins anew after a crash.
    fn fire_timers(&mut self, now: &Now) {
        let due = self.timers.take_due(now);
        if due.is_empty() {
            return;
        }
        let is_old = now.boot.since(self.written_at) >= MAX_UNWRITTEN;
        let is_at = due.iter().any(|arrival| arrival.occurrence.name.event() == EventType::TimeAt);
        if is_old || is_at {
            self.keep_timers(now);
        }
        for arrival in due {
            let _ = self.arrive(&arrival);
        }
    }

    fn remember(&mut self) {
        match self.parts.memory.read() {
            Ok(last) => self.left = last,
            Err(error) => self.problem = Some(core_types::with_causes(&error)),
        }
    }

    fn keep_timers(&mut self, now: &Now) {
        self.written_at = now.boot;
        if let Err(error) = self.parts.memory.write(&self.timers.last_due()) {
            self.problem = Some(core_types::with_causes(&error));
        }
    }

    /// Starts a delivery on a thread of its own.
    fn start(&mut self, delivery: Delivery) {
        let name = delivery.name.clone();
        let end = End { name: name.clone(), inbox: self.inbox.clone(), delivered: None };
        let deliver = self.parts.deliver.clone();
        let thread = std::thread::Builder::new().name(format!("event {name}"));
        let spawned = thread.spawn(move || {
            let mut end = end;
            end.delivered = Some(deliver.deliver(&delivery));
        });
        // Without a thread the delivery is lost, and `end` is dropped: the next one is tried.
        if let Err(error) = spawned {
            self.problem = Some(format!("cannot wake `{name}`: {error}"));
        }
    }

    fn status(&mut self) -> Status {
        let now = self.parts.clock.now();
        let load = |load: DispatcherLoad<'_>| {
            let DispatcherLoad { name, waiting, deliveries, is_over_budget } = load;
            let (next_every, next_at) = self.timers.next_of(name, &now.wall);
            Load { name: name.clone(), waiting, deliveries, is_over_budget, next_every, next_at }
        };
        let sources = self.parts.sources.iter().zip(&self.source_states);
        let sources = sources.map(|(source, (name, state))| {
            (*name, source.state().unwrap_or_else(|| state.clone()))
        });
        Status {
            is_locked: self.dispatcher.is_locked(),
            sources: sources.collect(),
            extensions: self.dispatcher.loads(now.boot).map(load).collect(),
            running: self.dispatcher.running(),
            problem: self.problem.clone(),
        }
    }
}

/// Answers a caller, which may have stopped waiting.
fn answer<T>(reply: &Sender<T>, value: T) {
    let _ = reply.send(value);
}

/// Tells the engine of the end of a delivery, also where its thread panics.
struct End {
    name: ExtensionName,
    inbox: Inbox,
    delivered: Option<Delivered>,
}

impl Drop for End {
    fn drop(&mut self) {
        let delivered = self.delivered.take().unwrap_or_default();
        let _ = self.inbox.send(Message::Finished(self.name.clone(), delivered));
    }
}

#[cfg(test)]
mod tests;
