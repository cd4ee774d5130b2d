//! The state of the machine that extensions were told last by one event.

use std::collections::BTreeMap;
use std::sync::Arc;

use core_types::event::{EventName, EventType, EventValue, Settings};
use core_types::{Digest, ExtensionName};
use sha2::{Digest as _, Sha256};

use super::session_memory::SessionMemory;
use crate::delivery::{Arrival, BySettings, Subscriber};
use crate::engine::Unremembered;

/// The state that each extension was told last by an event. A state is kept before it is told, so that
/// the next process of the login session repeats nothing.
pub(super) struct Told {
    event: EventType,
    /// The digest of each state; nothing where there is none to tell.
    states: BySettings<Option<Digest>>,
    memory: Arc<dyn SessionMemory>,
    /// The states that are kept; nothing before the first extensions.
    kept: Option<BTreeMap<ExtensionName, Digest>>,
    problem: Option<String>,
}

/// The machine, as one extension sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It is not known: as it was.
    Unknown,
    /// Not the one that it waits for.
    None,
    /// This one, in bytes that no other has.
    Is(Vec<u8>),
}

impl Told {
    pub(super) fn new(event: EventType, memory: Arc<dyn SessionMemory>) -> Self {
        Self { event, states: BySettings::default(), memory, kept: None, problem: None }
    }

    /// Takes the extensions. One with other settings than before begins anew; the first ones begin
    /// with the states of an earlier process.
    pub(super) fn take(&mut self, subscribers: &[Subscriber]) {
        let is_heard = subscribers.iter().any(|it| it.hears_of(self.event));
        let left = if is_heard && self.kept.is_none() { self.read() } else { BTreeMap::new() };
        self.states.take(subscribers, self.event, |name, _| Some(left.get(name).copied()));
        self.keep();
    }

    /// Tells whether no extension hears of it.
    pub(super) fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// Returns an event with these values for each extension to which the state is new.
    pub(super) fn arrivals(
        &mut self,
        values: &[(&'static str, EventValue)],
        time: u64,
        state: impl Fn(&Settings) -> State,
    ) -> Vec<Arrival> {
        let due = self.states.iter_mut().filter_map(|(name, settings, told)| {
            let now = match state(settings) {
                State::Unknown => return None,
                State::None => None,
                State::Is(state) => Some(digest(settings, &state)),
            };
            let before = std::mem::replace(told, now);
            (now.is_some() && before != now).then_some(name)
        });
        let arrival = |name| Arrival::to_one(name, self.event, values.to_vec(), time);
        let arrivals = due.filter_map(arrival).collect();
        self.keep();
        arrivals
    }

    /// Returns the reason for repeating a state after a restart.
    pub(super) fn problem(&self) -> Option<String> {
        self.problem.clone()
    }

    fn read(&mut self) -> BTreeMap<ExtensionName, Digest> {
        let Some(event) = EventName::of(self.event) else { return BTreeMap::new() };
        let read = self.memory.told(&event);
        let left = self.succeeded(read).unwrap_or_default();
        self.kept.insert(left).clone()
    }

    fn keep(&mut self) {
        // The service only begins or ends: the next process needs the file as it is.
        if self.states.is_empty() {
            return;
        }
        let told: BTreeMap<_, _> =
            self.states.iter().filter_map(|(name, told)| Some((name.clone(), (*told)?))).collect();
        let Some(event) = EventName::of(self.event) else { return };
        if self.kept.as_ref() != Some(&told) {
            let kept = self.memory.keep_told(&event, &told);
            if self.succeeded(kept).is_some() {
                self.kept = Some(told);
            }
        }
    }

    fn succeeded<T>(&mut self, result: Result<T, Unremembered>) -> Option<T> {
        self.problem = result.as_ref().err().map(|error| core_types::with_causes(error));
        result.ok()
    }
}

/// Returns the digest of a state for an extension with these settings: the name of a network is not
/// written to a file.
fn digest(settings: &Settings, state: &[u8]) -> Digest {
    let mut hash = Sha256::new_with_prefix(settings.to_string());
    hash.update([0]);
    hash.update(state);
    Digest::from_sha256(hash.finalize().into())
}
