//! The state that the engine and the thread of a bus share.

use std::future::{Future, poll_fn};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Poll, Waker};

use crate::delivery::Subscriber;
use crate::engine::Inbox;
use crate::sources::services::Service;
use crate::sources::source_state::SourceState;

/// The extensions that hear of one service, and where to tell them.
#[derive(Debug, Clone, Default)]
pub(super) struct Wish {
    pub(super) subscribers: Vec<Subscriber>,
    pub(super) inbox: Option<Inbox>,
}

/// The services of a bus with the wishes for each.
pub(super) struct Shared {
    /// The thread holds them while it runs.
    services: Mutex<Vec<Box<dyn Service>>>,
    wishes: Mutex<Wishes>,
}

struct Wishes {
    each: Vec<Wish>,
    /// Counts changes of the wishes.
    version: u64,
    thread: Option<Waker>,
    is_running: bool,
    /// Why the bus cannot be reached.
    absence: Option<String>,
    problems: Vec<Option<String>>,
}

impl Shared {
    pub(super) fn new(services: Vec<Box<dyn Service>>) -> Self {
        let count = services.len();
        let wishes = Wishes {
            each: vec![Wish::default(); count],
            version: 0,
            thread: None,
            is_running: false,
            absence: None,
            problems: vec![None; count],
        };
        Self { services: Mutex::new(services), wishes: Mutex::new(wishes) }
    }

    pub(super) fn services(&self) -> MutexGuard<'_, Vec<Box<dyn Service>>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the services while no thread runs.
    pub(super) fn idle_services(&self) -> Option<MutexGuard<'_, Vec<Box<dyn Service>>>> {
        match self.services.try_lock() {
            Ok(services) => Some(services),
            Err(TryLockError::Poisoned(services)) => Some(services.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the extensions that hear of a service. Returns whether a thread is needed that does
    /// not run.
    pub(super) fn wish(&self, at: usize, wish: Wish) -> bool {
        let mut wishes = self.wishes();
        if wishes.each[at].subscribers != wish.subscribers || wish.inbox.is_none() {
            wishes.each[at] = wish;
            wishes.version += 1;
            if let Some(thread) = wishes.thread.take() {
                thread.wake();
            }
        }
        let is_wanted = wishes.each.iter().any(Wish::is_any);
        let is_needed = is_wanted && !wishes.is_running;
        wishes.is_running |= is_needed;
        is_needed
    }

    /// Returns the wishes with their version; nothing if there are none, which ends the thread.
    pub(super) fn current(&self) -> Option<(Vec<Wish>, u64)> {
        let mut wishes = self.wishes();
        if wishes.each.iter().any(Wish::is_any) {
            return Some((wishes.each.clone(), wishes.version));
        }
        wishes.ended();
        None
    }

    /// Notes that the thread could not start.
    pub(super) fn not_started(&self, problem: String) {
        let mut wishes = self.wishes();
        wishes.ended();
        wishes.absence = Some(problem);
    }

    /// Returns the version of the wishes.
    pub(super) fn version(&self) -> u64 {
        self.wishes().version
    }

    /// Waits until the wishes have another version.
    pub(super) fn changed_since(&self, version: u64) -> impl Future<Output = ()> {
        poll_fn(move |context| {
            let mut wishes = self.wishes();
            if wishes.version != version {
                return Poll::Ready(());
            }
            wishes.thread = Some(context.waker().clone());
            Poll::Pending
        })
    }

    /// Says whether the bus can be reached.
    pub(super) fn set_absence(&self, absence: Option<String>) {
        self.wishes().absence = absence;
    }

    /// Says what each service cannot tell.
    pub(super) fn set_problems(&self, problems: impl Iterator<Item = Option<String>>) {
        self.wishes().problems = problems.collect();
    }

    /// Returns the state of a service.
    pub(super) fn state(&self, at: usize) -> SourceState {
        let wishes = self.wishes();
        if !wishes.each[at].is_any() {
            return SourceState::Idle;
        }
        let problem = wishes.absence.as_ref().or(wishes.problems[at].as_ref());
        problem.map_or(SourceState::Listening, |problem| SourceState::Absent(problem.clone()))
    }
}

impl Wish {
    fn is_any(&self) -> bool {
        !self.subscribers.is_empty()
    }
}

impl Wishes {
    fn ended(&mut self) {
        (self.is_running, self.thread, self.absence) = (false, None, None);
        self.problems.fill(None);
    }
}
