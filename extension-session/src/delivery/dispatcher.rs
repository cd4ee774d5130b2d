//! The dispatcher: every event that waits, for every extension.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use core_types::event::{EventName, EventPattern, EventType, EventValue, Kind, Occurrence};
use core_types::{BootTime, ExtensionName};

use super::budget::{Budget, MAX_DELIVERIES};
use super::mailbox::{Mailbox, Waiting};
use super::subscriber::Subscriber;

/// The number of deliveries that may lead to another one. Beyond it an event is dropped: two
/// extensions that wake each other come to an end.
pub const MAX_DEPTH: u8 = 4;

/// An event that arrives from a source.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// The event.
    pub occurrence: Occurrence,
    /// The extensions that it is meant for.
    pub to: Recipients,
    /// The number of deliveries that led to it; 0 for everything from outside.
    pub depth: u8,
}

/// The extensions that an event is meant for, among those that hear it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// All of them.
    All,
    /// One: it has a timer, a filter or a path of its own.
    One(ExtensionName),
}

/// An event that is to be delivered now.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The extension.
    pub name: ExtensionName,
    /// The event.
    pub occurrence: Occurrence,
    /// The number of deliveries that led to it.
    pub depth: u8,
}

/// Why an event does not reach an extension, or not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeldBack {
    /// Deliveries led to each other. It was dropped.
    #[error("dropped: more than {MAX_DEPTH} deliveries led to this event")]
    TooDeep,
    /// The extension has used up what it may use in a minute. The event waits for the next one.
    #[error("waits: {MAX_DELIVERIES} deliveries in a minute, or their fuel, are used up")]
    OverBudget,
}

/// Events for extensions, with the rules of their delivery.
///
/// ```
/// use core_types::{BootTime, event::Occurrence};
/// use extension_session::{Arrival, Dispatcher, Recipients, Subscriber, Wake};
///
/// let wakes = vec![Wake::by("custom.build.*".parse()?)];
/// let mut dispatcher = Dispatcher::new(2);
/// dispatcher.subscribe(vec![Subscriber::new("builds".parse()?, wakes)]);
/// let occurrence = Occurrence::made_up("custom.build.done".parse()?, &[], 0)?;
/// let arrival = Arrival { occurrence, to: Recipients::All, depth: 0 };
/// assert_eq!(dispatcher.arrive(&arrival), Ok(1));
/// let delivery = dispatcher.next(BootTime::default()).expect("it is due");
/// assert_eq!(delivery.name.as_str(), "builds");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Dispatcher {
    places: BTreeMap<ExtensionName, Place>,
    running: BTreeSet<ExtensionName>,
    max_parallel: usize,
    is_locked: bool,
    /// The extension that had a delivery last: the search for the next one begins behind it.
    last: Option<ExtensionName>,
}

/// What waits for one extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DispatcherLoad<'a> {
    /// Its name.
    pub name: &'a ExtensionName,
    /// The number of events that wait for it.
    pub waiting: usize,
    /// Its deliveries in this minute.
    pub deliveries: u32,
    /// Whether it has used up what it may use in this minute.
    pub is_over_budget: bool,
}

/// Everything about one extension.
#[derive(Debug)]
struct Place {
    subscriber: Subscriber,
    mailbox: Mailbox,
    budget: Budget,
    /// The last delivery of each state event.
    delivered: HashMap<EventName, BootTime>,
    /// Whether it was told that the current minute is used up.
    is_told_over_budget: bool,
}

impl Arrival {
    /// Makes an event of the table for one extension; nothing for `custom`, which needs a topic.
    pub fn to_one(
        name: &ExtensionName,
        event: EventType,
        values: Vec<(&'static str, EventValue)>,
        time: u64,
    ) -> Option<Self> {
        Some(Self { to: Recipients::One(name.clone()), ..Self::to_all(event, values, time)? })
    }

    /// Makes an event of the table for all that hear it; nothing for `custom`, which needs a topic.
    pub fn to_all(
        event: EventType,
        values: Vec<(&'static str, EventValue)>,
        time: u64,
    ) -> Option<Self> {
        let occurrence = Occurrence { name: EventName::of(event)?, values, time, missed: 0 };
        Some(Self { occurrence, to: Recipients::All, depth: 0 })
    }

    /// Makes a custom event for all that hear its topic.
    pub fn custom(name: EventName, payload: String, from: &str, time: u64) -> Self {
        let values = vec![
            ("payload", EventValue::Text(payload)),
            ("from", EventValue::Text(from.to_owned())),
        ];
        let occurrence = Occurrence { name, values, time, missed: 0 };
        Self { occurrence, to: Recipients::All, depth: 0 }
    }

    /// Returns the same event, which stands for this number of others.
    pub fn standing_for(mut self, missed: u32) -> Self {
        self.occurrence.missed = missed;
        self
    }
}

impl Dispatcher {
    /// Makes a dispatcher with at most so many deliveries at once, and at least one.
    pub fn new(max_parallel: usize) -> Self {
        Self {
            places: BTreeMap::new(),
            running: BTreeSet::new(),
            max_parallel: max_parallel.max(1),
            is_locked: false,
            last: None,
        }
    }

    /// Takes the extensions anew. Those that were there keep what waits for them and their budget,
    /// as far as they still hear it.
    pub fn subscribe(&mut self, subscribers: Vec<Subscriber>) {
        let mut before = std::mem::take(&mut self.places);
        for subscriber in subscribers {
            let mut place = before.remove(&subscriber.name).unwrap_or_else(|| Place {
                subscriber: subscriber.clone(),
                mailbox: Mailbox::default(),
                budget: Budget::default(),
                delivered: HashMap::new(),
                is_told_over_budget: false,
            });
            place.mailbox.keep(|name| subscriber.hears(name));
            place.delivered.retain(|name, _| subscriber.hears(name));
            place.subscriber = subscriber;
            self.places.insert(place.subscriber.name.clone(), place);
        }
    }

    /// Takes an event, and returns the number of extensions that it waits for.
    ///
    /// # Errors
    /// When more than [`MAX_DEPTH`] deliveries led to it.
    pub fn arrive(&mut self, arrival: &Arrival) -> Result<usize, HeldBack> {
        if arrival.depth > MAX_DEPTH {
            return Err(HeldBack::TooDeep);
        }
        let mut reached = 0;
        for place in self.places.values_mut().filter(|place| place.is_reached_by(arrival)) {
            let occurrence = arrival.occurrence.clone();
            place.mailbox.put(Waiting { occurrence, depth: arrival.depth });
            reached += 1;
        }
        Ok(reached)
    }

    /// Iterates over the events that wait, each with its extension.
    pub fn waiting(&self) -> impl Iterator<Item = (&ExtensionName, &EventName)> {
        let places = self.places.iter();
        places.flat_map(|(name, place)| place.mailbox.names().map(move |event| (name, event)))
    }

    /// Says whether the session is locked.
    pub fn set_locked(&mut self, is_locked: bool) {
        self.is_locked = is_locked;
    }

    /// Returns the next delivery that may begin, and counts it as begun. The extensions take turns.
    pub fn next(&mut self, now: BootTime) -> Option<Delivery> {
        if self.running.len() >= self.max_parallel {
            return None;
        }
        let is_locked = self.is_locked;
        let last = self.last.as_ref();
        let behind = last.map_or(Bound::Unbounded, Bound::Excluded);
        let until = last.map_or(Bound::Unbounded, Bound::Included);
        let running = &self.running;
        let take = |(name, place): (&ExtensionName, &mut Place)| {
            let waiting = if running.contains(name) { None } else { place.take(is_locked, now) }?;
            let Waiting { occurrence, depth } = waiting;
            Some(Delivery { name: name.clone(), occurrence, depth })
        };
        let found = self.places.range_mut((behind, Bound::Unbounded)).find_map(take);
        let delivery =
            found.or_else(|| self.places.range_mut((Bound::Unbounded, until)).find_map(take))?;
        self.running.insert(delivery.name.clone());
        self.last = Some(delivery.name.clone());
        Some(delivery)
    }

    /// Counts a delivery as ended.
    pub fn finish(&mut self, name: &ExtensionName, fuel: u64) {
        self.running.remove(name);
        if let Some(place) = self.places.get_mut(name) {
            place.budget.spend(fuel);
        }
    }

    /// Returns the moment from which [`next`](Self::next) can give something although nothing
    /// arrives and nothing ends; nothing if there is none.
    pub fn wake_at(&self, now: BootTime) -> Option<BootTime> {
        if self.running.len() >= self.max_parallel {
            return None;
        }
        let idle = self.places.iter().filter(|(name, _)| !self.running.contains(*name));
        idle.filter_map(|(_, place)| place.ready_at(self.is_locked, now)).min()
    }

    /// Iterates over the extensions that lack the grant for an event, each with its declaration of it.
    pub(crate) fn refused(
        &self,
        arrival: &Arrival,
    ) -> impl Iterator<Item = (&ExtensionName, &EventPattern)> {
        let event = &arrival.occurrence.name;
        let places = self.places.iter().filter(|(_, place)| place.is_meant_by(&arrival.to));
        places.filter_map(|(name, place)| Some((name, place.subscriber.refused_by(event)?)))
    }

    /// Iterates over the extensions that an event is meant for.
    pub(crate) fn reached_by(&self, arrival: &Arrival) -> impl Iterator<Item = &ExtensionName> {
        let places = self.places.iter().filter(|(_, place)| place.is_reached_by(arrival));
        places.map(|(name, _)| name)
    }

    /// Returns the extensions that used up their minute while events wait, each once a minute, with the
    /// first of the events.
    pub(crate) fn newly_over_budget(&mut self, now: BootTime) -> Vec<(ExtensionName, EventName)> {
        let places = self.places.iter_mut();
        places
            .filter_map(|(name, place)| Some((name.clone(), place.newly_over_budget(now)?)))
            .collect()
    }

    /// Iterates over the extensions that something may wake.
    pub(crate) fn subscribers(&self) -> impl Iterator<Item = &Subscriber> {
        self.places.values().map(|place| &place.subscriber).filter(|it| it.is_woken())
    }

    /// Returns the number of running deliveries.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Returns whether the session is locked, as far as it was told.
    pub fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// Iterates over the extensions that something may wake, with what waits for them.
    pub fn loads(&self, now: BootTime) -> impl Iterator<Item = DispatcherLoad<'_>> {
        let woken = self.places.iter().filter(|(_, place)| place.subscriber.is_woken());
        woken.map(move |(name, place)| DispatcherLoad {
            name,
            waiting: place.mailbox.len(),
            deliveries: place.budget.deliveries(now),
            is_over_budget: place.is_over_budget(now),
        })
    }
}

impl Place {
    fn is_reached_by(&self, arrival: &Arrival) -> bool {
        self.is_meant_by(&arrival.to) && self.subscriber.hears(&arrival.occurrence.name)
    }

    fn is_meant_by(&self, to: &Recipients) -> bool {
        match to {
            Recipients::All => true,
            Recipients::One(one) => self.subscriber.name == *one,
        }
    }

    fn newly_over_budget(&mut self, now: BootTime) -> Option<EventName> {
        let event = self.mailbox.names().next().cloned();
        let is_over = event.is_some() && self.is_over_budget(now);
        let is_new = is_over && !std::mem::replace(&mut self.is_told_over_budget, is_over);
        event.filter(|_| is_new)
    }

    fn is_over_budget(&self, now: BootTime) -> bool {
        self.budget.open_at(self.subscriber.max_fuel, now).is_some()
    }

    /// Removes the first event that may be delivered, and counts its delivery.
    fn take(&mut self, is_locked: bool, now: BootTime) -> Option<Waiting> {
        if self.is_over_budget(now) {
            return None;
        }
        let (subscriber, delivered) = (&self.subscriber, &self.delivered);
        let waiting = self.mailbox.take(|name| {
            is_through(subscriber, is_locked, name)
                && spaced_until(subscriber, delivered, name).is_none_or(|until| until <= now)
        })?;
        self.budget.begin(now);
        self.is_told_over_budget = false;
        if waiting.occurrence.name.spec().kind == Kind::State {
            self.delivered.insert(waiting.occurrence.name.clone(), now);
        }
        Some(waiting)
    }

    /// Returns the first moment at which something of what waits may be delivered.
    fn ready_at(&self, is_locked: bool, now: BootTime) -> Option<BootTime> {
        let open = self.budget.open_at(self.subscriber.max_fuel, now).unwrap_or(now);
        let names = self.mailbox.names();
        let through = names.filter(|name| is_through(&self.subscriber, is_locked, name));
        let spaced = through.map(|name| {
            spaced_until(&self.subscriber, &self.delivered, name).map_or(open, |at| at.max(open))
        });
        spaced.min()
    }
}

fn is_through(subscriber: &Subscriber, is_locked: bool, name: &EventName) -> bool {
    !is_locked || subscriber.hears_locked(name)
}

/// Returns the moment from which a state event may be delivered again.
fn spaced_until(
    subscriber: &Subscriber,
    delivered: &HashMap<EventName, BootTime>,
    name: &EventName,
) -> Option<BootTime> {
    delivered.get(name).map(|last| last.after(subscriber.min_interval))
}

#[cfg(test)]
mod tests;
