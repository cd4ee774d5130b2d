//! All watches, and the thread that knows when they are due.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use zbus::blocking::Connection;
use zbus::zvariant::Value;

use super::watch::{INTERFACE, NewWatch, Watch, path_of};
use crate::bus::bus_error::BusError;
use crate::bus::callers::{Caller, Standing};
use crate::bus::calls::{CallRequest, Runner, json_error};
use crate::bus::workers::Workers;
use crate::delivery::Delivery;
use crate::installed::Publications;

/// The most watches of all programs together.
const MAX_WATCHES: usize = 64;
/// The most watches of one program in a sandbox, so that it leaves places for other programs.
const MAX_OF_SANDBOX: usize = 8;

/// The watches of every program.
#[derive(Clone)]
pub(in crate::bus) struct Watches(Arc<Shared>);

struct Shared {
    table: Mutex<Table>,
    changed: Condvar,
    runner: Runner,
    workers: Workers,
    publications: Publications,
    connection: Connection,
}

#[derive(Default)]
struct Table {
    last: u32,
    watches: BTreeMap<u32, Watch>,
    has_thread: bool,
}

impl Watches {
    pub(in crate::bus) fn new(
        runner: Runner,
        (workers, publications): (Workers, Publications),
        connection: Connection,
    ) -> Self {
        let (table, changed) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Shared { table, changed, runner, workers, publications, connection }))
    }

    /// Refuses another watch where there are as many as can be.
    pub(in crate::bus) fn ensure_place(&self, caller: &Caller) -> Result<(), BusError> {
        self.0.lock().ensure_place(caller)
    }

    /// Adds a watch, and returns its number.
    pub(in crate::bus) fn add(&self, new: NewWatch) -> Result<u32, BusError> {
        let mut table = self.0.lock();
        table.ensure_place(&new.caller)?;
        table.last = table.last.wrapping_add(1);
        let number = table.last;
        table.watches.insert(number, Watch::of(new));
        if !table.has_thread {
            let shared = self.0.clone();
            let thread = std::thread::Builder::new().name("watches".to_owned());
            table.has_thread = thread.spawn(move || shared.work()).is_ok();
        }
        if !table.has_thread {
            table.watches.remove(&number);
            return Err(BusError::unavailable("the system gives no thread for a watch"));
        }
        drop(table);
        self.0.changed.notify_all();
        Ok(number)
    }

    /// Changes a watch, if it is this caller's.
    pub(in crate::bus) fn refresh(&self, number: u32, caller: &str) -> Result<(), BusError> {
        self.of_caller(&mut self.0.lock(), number, caller)?.ask();
        self.0.changed.notify_all();
        Ok(())
    }

    /// Removes a watch, if it is this caller's.
    pub(in crate::bus) fn close(&self, number: u32, caller: &str) -> Result<(), BusError> {
        let mut table = self.0.lock();
        self.of_caller(&mut table, number, caller)?;
        table.watches.remove(&number);
        drop(table);
        self.0.changed.notify_all();
        Ok(())
    }

    /// Returns the value of a watch, if it is this caller's.
    pub(in crate::bus) fn value(&self, number: u32, caller: &str) -> Result<String, BusError> {
        let mut table = self.0.lock();
        Ok(self.of_caller(&mut table, number, caller)?.new.value.clone())
    }

    /// Removes the watches of a caller that has left the bus, and returns their numbers.
    pub(in crate::bus) fn left(&self, caller: &str) -> Vec<u32> {
        let mut table = self.0.lock();
        let of_caller = table.watches.iter().filter(|(_, watch)| watch.new.caller.name == caller);
        let numbers: Vec<_> = of_caller.map(|(number, _)| *number).collect();
        table.watches.retain(|number, _| !numbers.contains(number));
        drop(table);
        self.0.changed.notify_all();
        numbers
    }

    /// Removes all watches.
    pub(in crate::bus) fn clear(&self) {
        self.0.lock().watches.clear();
        self.0.changed.notify_all();
    }

    /// Calls the functions that are watched on the delivery of this event to this extension.
    pub(in crate::bus) fn delivered(&self, delivery: &Delivery) {
        let Delivery { name, occurrence, depth, .. } = delivery;
        let mut table = self.0.lock();
        let on =
            |watch: &&mut Watch| watch.new.request.name == *name && watch.is_on(&occurrence.name);
        table.watches.values_mut().filter(on).for_each(|watch| watch.ask_after(*depth));
        drop(table);
        self.0.changed.notify_all();
    }

    /// Returns the number of watches.
    pub(in crate::bus) fn count(&self) -> usize {
        self.0.lock().watches.len()
    }

    fn of_caller<'a>(
        &self,
        table: &'a mut Table,
        number: u32,
        caller: &str,
    ) -> Result<&'a mut Watch, BusError> {
        let watch = table.watches.get_mut(&number);
        watch
            .filter(|watch| watch.new.caller.name == caller)
            .ok_or_else(|| BusError::refused("this is a watch of another program"))
    }
}

impl Table {
    fn ensure_place(&self, caller: &Caller) -> Result<(), BusError> {
        if self.watches.len() >= MAX_WATCHES {
            return Err(BusError::busy(format!("there are {MAX_WATCHES} watches already")));
        }
        let own = self.watches.values().filter(|watch| watch.new.caller.name == caller.name);
        if caller.standing != Standing::Outside && own.count() >= MAX_OF_SANDBOX {
            let message = format!("a program in a sandbox has at most {MAX_OF_SANDBOX} watches");
            return Err(BusError::busy(message));
        }
        Ok(())
    }
}

impl Shared {
    /// A panic of another thread leaves whole entries.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins each call when it is due, as long as there is a watch.
    fn work(self: &Arc<Self>) {
        let mut table = self.lock();
        while !table.watches.is_empty() {
            let now = Instant::now();
            let is_due = |watch: &Watch| watch.next(now).is_some_and(|moment| moment <= now);
            let due: Vec<_> = table
                .watches
                .iter_mut()
                .filter(|(_, watch)| is_due(watch))
                .map(|(number, watch)| (*number, watch.begin()))
                .collect();
            for (number, (depth, ended)) in due {
                let shared = self.clone();
                self.workers.run(move || shared.call(number, depth, ended));
            }
            let next = table.watches.values().filter_map(|watch| watch.next(now)).min();
            table = self.wait(table, next.map(|next| next.saturating_duration_since(now)));
        }
        table.has_thread = false;
    }

    fn wait<'a>(
        &'a self,
        table: MutexGuard<'a, Table>,
        time: Option<Duration>,
    ) -> MutexGuard<'a, Table> {
        match time {
            Some(time) => {
                let waited = self.changed.wait_timeout(table, time);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.changed.wait(table).unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Makes a call of a watch, and tells its program of a new value.
    fn call(&self, number: u32, depth: Option<u8>, ended: oneshot::Receiver<()>) {
        let Some((mut request, caller)) = self.request(number) else { return };
        request.asked = Instant::now();
        let run = || self.runner.run(&request, &caller, async { drop(ended.await) });
        let answer = match depth {
            Some(depth) => self.publications.during(&request.name, depth, run),
            None => run(),
        };
        let value = answer.map_or_else(|error| json_error(&error), |answer| answer.result);
        let is_new = self.lock().watches.get_mut(&number).is_some_and(|watch| watch.end(&value));
        self.changed.notify_all();
        if is_new {
            self.tell(number, &caller.name, &value);
        }
    }

    fn request(&self, number: u32) -> Option<(CallRequest, Arc<Caller>)> {
        let table = self.lock();
        let new = &table.watches.get(&number)?.new;
        Some((new.request.clone(), new.caller.clone()))
    }

    /// Signals a new value to the program of the watch alone: a result is not for every program.
    fn tell(&self, number: u32, caller: &str, value: &str) {
        let changed = HashMap::from([("Value", Value::from(value))]);
        let body = (INTERFACE, changed, Vec::<&str>::new());
        let (properties, signal) = ("org.freedesktop.DBus.Properties", "PropertiesChanged");
        // A program that has left hears nothing.
        let _ =
            self.connection.emit_signal(Some(caller), path_of(number), properties, signal, &body);
    }
}

#[cfg(test)]
mod tests {
    use super::super::watch::tests::watch_of;
    use super::*;

    /// A program in a sandbox leaves places for the others, which may take all of them.
    #[test]
    fn sandbox_has_few_watches() {
        let mut table = Table::default();
        let mut fill = |name: &str, standing: Standing, most: u32| {
            for number in 0..most {
                let watch = watch_of(name, standing.clone());
                table.ensure_place(&watch.new.caller).expect("a place");
                table.watches.insert(number + 1_000 * most, watch);
            }
            let another = watch_of(name, standing).new.caller;
            table.ensure_place(&another).expect_err("too many").kind()
        };
        let few = u32::try_from(MAX_OF_SANDBOX).expect("few");
        assert_eq!(fill(":1.1", Standing::Sandboxed(None), few), "Busy");
        let others = u32::try_from(MAX_WATCHES).expect("some") - few;
        assert_eq!(fill(":1.2", Standing::Outside, others), "Busy");
    }
}
