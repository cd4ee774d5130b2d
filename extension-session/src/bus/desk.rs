//! The desk: who has how much under way.
//!
//! A caller that leaves the bus ends its calls, so that nothing runs for a reader that is gone.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use extension_host::LastMinute;
use tokio::sync::oneshot;

use super::bus_error::BusError;

/// The most messages of one caller that are worked on or wait at the same time.
const MAX_OF_ONE: usize = 8;
/// The most messages of all callers together.
const MAX_OF_ALL: usize = 32;
/// The most events that one caller may emit within a minute.
const MAX_EMITTED: usize = 100;
/// The most callers whose events are counted. Beyond it, a new caller has to wait.
const MAX_COUNTED: usize = 1_000;

/// Takes messages, counts them, and ends calls without a caller.
#[derive(Clone, Default)]
pub(super) struct Desk(Arc<Shared>);

#[derive(Default)]
struct Shared {
    books: Mutex<Books>,
    /// A message was worked on.
    freed: Condvar,
}

#[derive(Default)]
struct Books {
    last: u64,
    is_closed: bool,
    under_way: HashMap<u64, Entry>,
    /// When the last message was worked on.
    freed: Option<Instant>,
    emitted: HashMap<String, LastMinute>,
}

struct Entry {
    caller: String,
    handle: Option<String>,
    /// Dropped to end it.
    _cancel: oneshot::Sender<()>,
}

/// The right to work on one message, until it is dropped.
pub(super) struct Ticket {
    desk: Desk,
    number: u64,
    /// Ends when its caller has left the bus or cancels it.
    cancelled: Option<oneshot::Receiver<()>>,
}

impl Desk {
    /// Takes a message of a caller.
    pub(super) fn admit(&self, caller: &str) -> Result<Ticket, BusError> {
        let mut books = self.books();
        if books.is_closed {
            return Err(BusError::unavailable("the session service ends: ask again"));
        }
        let of_caller = books.under_way.values().filter(|entry| entry.caller == caller).count();
        if of_caller >= MAX_OF_ONE {
            return Err(BusError::busy(format!(
                "{MAX_OF_ONE} calls of this program are under way: wait for one"
            )));
        }
        if books.under_way.len() >= MAX_OF_ALL {
            return Err(BusError::busy(format!(
                "{MAX_OF_ALL} calls are under way: try again soon"
            )));
        }
        books.last += 1;
        let number = books.last;
        let (cancel, cancelled) = oneshot::channel();
        let entry = Entry { caller: caller.to_owned(), handle: None, _cancel: cancel };
        books.under_way.insert(number, entry);
        Ok(Ticket { desk: self.clone(), number, cancelled: Some(cancelled) })
    }

    /// Ends a call of this caller by its handle. Returns whether there was one.
    pub(super) fn cancel(&self, caller: &str, handle: &str) -> bool {
        let mut books = self.books();
        let before = books.under_way.len();
        let is_it =
            |entry: &Entry| entry.caller == caller && entry.handle.as_deref() == Some(handle);
        books.under_way.retain(|_, entry| !is_it(entry));
        books.under_way.len() < before
    }

    /// Ends everything of a caller that has left the bus.
    pub(super) fn left(&self, caller: &str) {
        let mut books = self.books();
        books.under_way.retain(|_, entry| entry.caller != caller);
        books.emitted.remove(caller);
    }

    /// Takes nothing any more. Calls under way go on.
    pub(super) fn close(&self) {
        self.books().is_closed = true;
    }

    /// Returns the number of messages that are worked on or wait.
    pub(super) fn under_way(&self) -> usize {
        self.books().under_way.len()
    }

    /// Returns when the last message was worked on; nothing where there was none.
    pub(super) fn freed(&self) -> Option<Instant> {
        self.books().freed
    }

    /// Counts an event of a caller.
    pub(super) fn count_event(&self, caller: &str) -> Result<(), BusError> {
        let mut books = self.books();
        if books.emitted.len() >= MAX_COUNTED && !books.emitted.contains_key(caller) {
            books.emitted.retain(|_, emitted| !emitted.is_over());
            if books.emitted.len() >= MAX_COUNTED {
                return Err(BusError::busy("too many programs emit events: try again soon"));
            }
        }
        if books.emitted.entry(caller.to_owned()).or_default().count(MAX_EMITTED) {
            return Ok(());
        }
        Err(BusError::busy(format!("a program may emit {MAX_EMITTED} events in a minute")))
    }

    /// Waits until nothing is under way, at most this long.
    pub(super) fn wait_until_free(&self, time: Duration) {
        let is_busy = |books: &mut Books| !books.under_way.is_empty();
        let waited = self.0.freed.wait_timeout_while(self.books(), time, is_busy);
        drop(waited);
    }

    /// A panic of another thread leaves whole entries.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Gives the call a handle, by which its caller can cancel it.
    pub(super) fn name(&self, handle: &str) -> Result<(), BusError> {
        let mut books = self.desk.books();
        if books.under_way.values().any(|entry| entry.handle.as_deref() == Some(handle)) {
            return Err(BusError::usage(format!("`handle_token` is `{handle}`, which is in use")));
        }
        if let Some(entry) = books.under_way.get_mut(&self.number) {
            entry.handle = Some(handle.to_owned());
        }
        Ok(())
    }

    /// Tells whether its caller has left the bus, or cancelled it.
    pub(super) fn is_over(&self) -> bool {
        !self.desk.books().under_way.contains_key(&self.number)
    }

    /// Returns what ends when the call is to end: its caller has left, or cancels it. Only the
    /// first one ends so.
    pub(super) fn cancelled(&mut self) -> impl Future<Output = ()> + Send + use<> {
        let cancelled = self.cancelled.take();
        async move {
            match cancelled {
                Some(cancelled) => drop(cancelled.await),
                None => std::future::pending().await,
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut books = self.desk.books();
        books.under_way.remove(&self.number);
        books.freed = Some(Instant::now());
        drop(books);
        self.desk.0.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::{Desk, MAX_EMITTED, MAX_OF_ALL, MAX_OF_ONE};

    /// One caller has its share and all have theirs, and an ended call frees its place.
    #[test]
    fn places_are_counted_and_freed() {
        let desk = Desk::default();
        let mut tickets: Vec<_> =
            (0..MAX_OF_ONE).map(|_| desk.admit(":1.1").expect("a place")).collect();
        assert_eq!(desk.admit(":1.1").map(drop).expect_err("an error").kind(), "Busy");
        for other in 2.. {
            let caller = format!(":1.{other}");
            let more: Vec<_> = (0..MAX_OF_ONE).map_while(|_| desk.admit(&caller).ok()).collect();
            let is_full = more.len() < MAX_OF_ONE;
            tickets.extend(more);
            if is_full {
                break;
            }
        }
        assert_eq!((tickets.len(), desk.under_way()), (MAX_OF_ALL, MAX_OF_ALL));
        tickets.remove(0);
        assert!(desk.admit(":1.1").is_ok(), "its place is free");
        tickets.clear();
        assert_eq!(desk.under_way(), 0);
    }

    /// A call ends with its caller, or by its handle, and only by its own caller.
    #[test]
    fn calls_end_with_their_caller() {
        let desk = Desk::default();
        let mut ticket = desk.admit(":1.1").expect("a place");
        ticket.name("one").expect("free");
        assert_eq!(
            desk.admit(":1.2").expect("a place").name("one").expect_err("an error").kind(),
            "Usage"
        );
        assert!(!desk.cancel(":1.2", "one") && !desk.cancel(":1.1", "two"));
        assert!(desk.cancel(":1.1", "one") && !desk.cancel(":1.1", "one"));
        zbus::block_on(ticket.cancelled());
        let mut ticket = desk.admit(":1.1").expect("a place");
        assert!(!ticket.is_over());
        desk.left(":1.1");
        zbus::block_on(ticket.cancelled());
        assert!(ticket.is_over());
        assert_eq!(desk.under_way(), 0);
        let before = std::time::Instant::now();
        drop(ticket);
        assert!(desk.freed().is_some_and(|freed| freed >= before));
        desk.close();
        assert_eq!(desk.admit(":1.1").map(drop).expect_err("an error").kind(), "Unavailable");
    }

    #[test]
    fn events_are_counted_per_minute() {
        let desk = Desk::default();
        for _ in 0..MAX_EMITTED {
            desk.count_event(":1.1").expect("within the rate");
        }
        assert_eq!(desk.count_event(":1.1").expect_err("an error").kind(), "Busy");
        desk.count_event(":1.2").expect("another program");
    }
}
