//! All watches, and the thread that knows when they are due.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use core_types::ExtensionName;
use core_types::event::EventName;
use zbus::blocking::Connection;
use zbus::zvariant::Value;

use super::watch::{INTERFACE, NewWatch, Watch, path_of};
use crate::bus::bus_error::BusError;
use crate::bus::calls::{Runner, json_error};
use crate::bus::workers::Workers;

/// The most watches of all programs together.
const MAX_WATCHES: usize = 64;

/// The watches of every program.
#[derive(Clone)]
pub(in crate::bus) struct Watches(Arc<Shared>);

struct Shared {
    table: Mutex<Table>,
    changed: Condvar,
    runner: Runner,
    workers: Workers,
    connection: Connection,
}

#[derive(Default)]
struct Table {
    last: u32,
    watches: BTreeMap<u32, Watch>,
    has_thread: bool,
}

impl Watches {
    pub(in crate::bus) fn new(runner: Runner, workers: Workers, connection: Connection) -> Self {
        let (table, changed) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Shared { table, changed, runner, workers, connection }))
    }

    /// Refuses another watch where there are as many as can be.
    pub(in crate::bus) fn ensure_place(&self) -> Result<(), BusError> {
        match self.count() < MAX_WATCHES {
            true => Ok(()),
            false => Err(BusError::busy(format!("there are {MAX_WATCHES} watches already"))),
        }
    }

    /// Adds a watch, and returns its number.
    pub(in crate::bus) fn add(&self, new: NewWatch) -> Result<u32, BusError> {
        self.ensure_place()?;
        let mut table = self.0.lock();
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
    pub(in crate::bus) fn delivered(&self, name: &ExtensionName, event: &EventName) {
        let mut table = self.0.lock();
        let on = |watch: &&mut Watch| watch.new.request.name == *name && watch.is_on(event);
        table.watches.values_mut().filter(on).for_each(Watch::ask);
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
            for (number, ended) in due {
                let shared = self.clone();
                self.workers.run(move || shared.call(number, ended));
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
    fn call(&self, number: u32, ended: tokio::sync::oneshot::Receiver<()>) {
        let Some((mut request, caller)) = self.request(number) else { return };
        request.asked = Instant::now();
        let answer = self.runner.run(&request, &caller, async { drop(ended.await) });
        let value = answer.map_or_else(|error| json_error(&error), |answer| answer.result);
        let is_new = self.lock().watches.get_mut(&number).is_some_and(|watch| watch.end(&value));
        self.changed.notify_all();
        if is_new {
            self.tell(number, &caller.name, &value);
        }
    }

    fn request(
        &self,
        number: u32,
    ) -> Option<(crate::bus::calls::CallRequest, Arc<crate::bus::callers::Caller>)> {
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
