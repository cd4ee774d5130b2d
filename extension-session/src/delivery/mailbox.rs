//! The events that wait for one extension.

use std::collections::VecDeque;

use core_types::event::{EventName, Kind, Occurrence};

/// The number of events of one discrete name that wait.
pub const MAX_WAITING: usize = 16;

/// An event that waits, with the number of deliveries that led to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Waiting {
    pub(super) occurrence: Occurrence,
    pub(super) depth: u8,
}

/// Events in the order of their arrival.
#[derive(Debug, Default)]
pub(super) struct Mailbox(VecDeque<Waiting>);

impl Mailbox {
    /// Adds an event. A state event takes the place of the one before it; beyond its bound, the
    /// oldest of a discrete name goes. Each counts those that it stands for.
    pub(super) fn put(&mut self, waiting: Waiting) {
        match waiting.occurrence.name.spec().kind {
            Kind::State => self.put_state(waiting),
            Kind::Discrete => self.put_discrete(waiting),
        }
    }

    fn put_state(&mut self, mut waiting: Waiting) {
        match self.0.iter_mut().find(|other| is_of(other, &waiting.occurrence.name)) {
            Some(place) => {
                leave_out(&mut waiting, place);
                // An event from outside is not dropped as one of too many deliveries.
                waiting.depth = waiting.depth.min(place.depth);
                *place = waiting;
            }
            None => self.0.push_back(waiting),
        }
    }

    fn put_discrete(&mut self, waiting: Waiting) {
        let name = waiting.occurrence.name.clone();
        self.0.push_back(waiting);
        if self.0.iter().filter(|other| is_of(other, &name)).count() <= MAX_WAITING {
            return;
        }
        let oldest = self.0.iter().position(|other| is_of(other, &name));
        let oldest = oldest.and_then(|oldest| self.0.remove(oldest));
        let next = self.0.iter_mut().find(|other| is_of(other, &name));
        if let Some((oldest, next)) = oldest.zip(next) {
            leave_out(next, &oldest);
        }
    }

    /// Removes the first event that may be delivered.
    pub(super) fn take(&mut self, may: impl Fn(&EventName) -> bool) -> Option<Waiting> {
        let first = self.0.iter().position(|waiting| may(&waiting.occurrence.name))?;
        self.0.remove(first)
    }

    /// Drops the events of other names.
    pub(super) fn keep(&mut self, is_wanted: impl Fn(&EventName) -> bool) {
        self.0.retain(|waiting| is_wanted(&waiting.occurrence.name));
    }

    /// Iterates over the names of what waits.
    pub(super) fn names(&self) -> impl Iterator<Item = &EventName> {
        self.0.iter().map(|waiting| &waiting.occurrence.name)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

fn is_of(waiting: &Waiting, name: &EventName) -> bool {
    waiting.occurrence.name == *name
}

/// Counts an event, and those that it stood for, as left out before another one.
fn leave_out(before: &mut Waiting, left_out: &Waiting) {
    let count = left_out.occurrence.missed.saturating_add(1);
    before.occurrence.missed = before.occurrence.missed.saturating_add(count);
}

#[cfg(test)]
mod tests {
    use core_types::event::Occurrence;
    use proptest::prelude::*;

    use super::{MAX_WAITING, Mailbox, Waiting};

    fn waiting(name: &str, time: u64) -> Waiting {
        let occurrence =
            Occurrence { name: name.parse().expect(name), values: Vec::new(), time, missed: 0 };
        Waiting { occurrence, depth: 0 }
    }

    fn drain(mailbox: &mut Mailbox) -> Vec<(String, u64, u32)> {
        let next = || mailbox.take(|_| true).map(|waiting| waiting.occurrence);
        std::iter::from_fn(next).map(|one| (one.name.to_string(), one.time, one.missed)).collect()
    }

    /// A state event keeps its place in the order, and the newest values.
    #[test]
    fn newest_state_takes_place() {
        let mut mailbox = Mailbox::default();
        for (name, time) in [("power.source", 1), ("custom.a", 2), ("power.source", 3)] {
            mailbox.put(waiting(name, time));
        }
        let expected = [("power.source".to_owned(), 3, 1), ("custom.a".to_owned(), 2, 0)];
        assert_eq!(drain(&mut mailbox), expected);
    }

    /// A state that comes from outside keeps no other depth with it.
    #[test]
    fn state_from_outside_is_not_deep() {
        for depths in [[0, 4], [4, 0]] {
            let mut mailbox = Mailbox::default();
            for depth in depths {
                mailbox.put(Waiting { depth, ..waiting("power.source", 1) });
            }
            assert_eq!(mailbox.take(|_| true).expect("it waits").depth, 0);
        }
    }

    #[test]
    fn count_of_missed_has_an_end() {
        let mut mailbox = Mailbox::default();
        let mut first = waiting("power.source", 1);
        first.occurrence.missed = u32::MAX - 1;
        mailbox.put(first);
        mailbox.put(waiting("power.source", 2));
        mailbox.put(waiting("power.source", 3));
        assert_eq!(drain(&mut mailbox), [("power.source".to_owned(), 3, u32::MAX)]);
    }

    /// Of a discrete name the oldest goes, and the next one says so.
    #[test]
    fn oldest_discrete_goes() {
        let mut mailbox = Mailbox::default();
        for time in 0..20 {
            mailbox.put(waiting("custom.a", time));
        }
        let left = drain(&mut mailbox);
        assert_eq!((left.len(), &left[0]), (MAX_WAITING, &("custom.a".to_owned(), 4, 4)));
    }

    proptest! {
        /// Whatever arrives, each event is delivered or counted as missed, and few of them wait.
        #[test]
        fn every_event_is_counted(names in prop::collection::vec(0..4_usize, 0..200)) {
            let known = ["custom.a", "custom.b", "power.source", "session.idle"];
            let mut mailbox = Mailbox::default();
            for (time, name) in names.iter().enumerate() {
                mailbox.put(waiting(known[*name], time as u64));
                prop_assert!(mailbox.len() <= 2 * MAX_WAITING + 2);
            }
            let left = drain(&mut mailbox);
            let counted: usize = left.iter().map(|(.., missed)| 1 + *missed as usize).sum();
            prop_assert_eq!(counted, names.len());
        }
    }
}
