//! Questions that are not answered yet.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use crate::sources::services::Question;

/// The time for an answer. Services answer within milliseconds; a service that starts takes longer,
/// and its name says when it is there.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// A question that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// The owner of a name.
    Owner,
    /// All names on the bus.
    Names,
    /// That the bus starts the owner of a name.
    Start,
    /// Something of the owner of a name.
    Service(Question),
}

/// A question with everything that its answer needs.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    /// The service that asks.
    pub(super) service: usize,
    /// The well-known name that it is about.
    pub(super) name: String,
    /// Whose answer counts.
    pub(super) to: String,
    pub(super) asked: Asked,
    /// Whether it is to be asked again, since something may have changed after it was answered.
    pub(super) is_again: bool,
    /// When it counts as failed; none after that.
    until: Option<Instant>,
}

/// The questions that wait, by the number of their message.
#[derive(Debug, Default)]
pub(super) struct Waiting(BTreeMap<NonZeroU32, Pending>);

impl Pending {
    pub(super) fn new(
        service: usize,
        (name, to): (&str, &str),
        asked: Asked,
        now: Instant,
    ) -> Self {
        let (name, to) = (name.to_owned(), to.to_owned());
        Self { service, name, to, asked, is_again: false, until: Some(now + MAX_WAIT) }
    }

    /// Tells whether it counts as failed already.
    pub(super) fn is_late(&self) -> bool {
        self.until.is_none()
    }

    fn is(&self, service: usize, name: &str, asked: &Asked) -> bool {
        self.service == service && self.name == name && self.asked == *asked
    }
}

impl Waiting {
    /// Puts a question. A failed one like it is not waited for any more.
    pub(super) fn put(&mut self, number: NonZeroU32, pending: Pending) {
        let Pending { service, name, asked, .. } = &pending;
        self.0.retain(|_, failed| !failed.is_late() || !failed.is(*service, name, asked));
        self.0.insert(number, pending);
    }

    /// Tells whether the same question waits. It is then asked again after its answer, and not
    /// before: whatever happens, each question is under way once.
    pub(super) fn is_under_way(&mut self, service: usize, name: &str, asked: &Asked) -> bool {
        let is_same = |it: &&mut Pending| !it.is_late() && it.is(service, name, asked);
        let same = self.0.values_mut().find(is_same);
        same.map(|same| same.is_again = true).is_some()
    }

    /// Removes the question that an answer belongs to. An answer of anybody else is none.
    pub(super) fn answered(&mut self, number: NonZeroU32, sender: &str) -> Option<Pending> {
        let is_asked = self.0.get(&number).is_some_and(|pending| pending.to == sender);
        if is_asked { self.0.remove(&number) } else { None }
    }

    /// Returns the questions that are not answered in time, each once. Those of services stay: a late
    /// answer says that the service, which hung while the machine started, answers again.
    pub(super) fn take_late(&mut self, now: Instant) -> Vec<Pending> {
        let is_late = |pending: &Pending| pending.until.is_some_and(|until| until <= now);
        let late = self.0.values().filter(|pending| is_late(pending)).cloned().collect();
        self.0.retain(|_, pending| !is_late(pending) || matches!(pending.asked, Asked::Service(_)));
        for pending in self.0.values_mut().filter(|pending| is_late(pending)) {
            (pending.until, pending.is_again) = (None, false);
        }
        late
    }

    /// Returns the moment at which the first question is late.
    pub(super) fn until(&self) -> Option<Instant> {
        self.0.values().filter_map(|pending| pending.until).min()
    }

    /// Forgets the questions of a service, or those about one of its names.
    pub(super) fn forget(&mut self, service: usize, name: Option<&str>) {
        let is_of = |it: &Pending| it.service == service && name.is_none_or(|name| it.name == name);
        self.0.retain(|_, pending| !is_of(pending));
    }
}
