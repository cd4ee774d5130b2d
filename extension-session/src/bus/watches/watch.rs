//! One watch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use core_types::BUS_OBJECT;
use core_types::event::EventName;
use tokio::sync::oneshot;

use crate::bus::callers::Caller;
use crate::bus::calls::{CallRequest, WatchOptions};

/// The interface of a watch.
pub(super) const INTERFACE: &str = "org.opensesame.Watch1";

/// Returns the path of the object of a watch.
pub(in crate::bus) fn path_of(number: u32) -> String {
    format!("{BUS_OBJECT}/watch/{number}")
}

/// A watch that a program asks for, with its first value.
pub(in crate::bus) struct NewWatch {
    pub caller: Arc<Caller>,
    pub request: CallRequest,
    pub options: WatchOptions,
    pub value: String,
}

/// A watch with its state.
pub(super) struct Watch {
    pub new: NewWatch,
    due: Option<Instant>,
    is_asked: bool,
    /// The number of deliveries that led to the one that asks for a call.
    depth: Option<u8>,
    /// Ends the call that runs for it, when it is dropped.
    running: Option<oneshot::Sender<()>>,
}

impl Watch {
    /// Makes a watch whose first call was just made.
    pub(super) fn of(new: NewWatch) -> Self {
        let due = new.options.every.map(after);
        Self { new, due, is_asked: false, depth: None, running: None }
    }

    /// Returns the moment of its next call; nothing while one runs, or where it has to be asked.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        match &self.running {
            // Where the system had no thread for the call, it is dropped with its end of this.
            Some(running) if !running.is_closed() => None,
            _ if self.is_asked => Some(now),
            _ => self.due,
        }
    }

    /// Asks for a call as soon as none runs for it.
    pub(super) fn ask(&mut self) {
        self.is_asked = true;
    }

    /// Asks for a call after a delivery, which led to it.
    pub(super) fn ask_after(&mut self, depth: u8) {
        self.ask();
        self.depth = self.depth.max(Some(depth));
    }

    /// Tells whether the delivery of an event asks for a call.
    pub(super) fn is_on(&self, event: &EventName) -> bool {
        self.new.options.on.contains(event)
    }

    /// Begins a call. Returns the depth of the delivery that led to it, where one did, and what ends
    /// when the watch does.
    pub(super) fn begin(&mut self) -> (Option<u8>, oneshot::Receiver<()>) {
        let (running, ended) = oneshot::channel();
        (self.running, self.is_asked) = (Some(running), false);
        // Counted from the beginning: a slow function is not called less often for it.
        self.due = self.new.options.every.map(after);
        (self.depth.take(), ended)
    }

    /// Takes the value of a call. Returns whether it is another one.
    pub(super) fn end(&mut self, value: &str) -> bool {
        self.running = None;
        let is_new = self.new.value != value;
        if is_new {
            value.clone_into(&mut self.new.value);
        }
        is_new
    }
}

fn after(every: Duration) -> Instant {
    let now = Instant::now();
    // An interval has 32 bits of milliseconds, which every clock can hold.
    now.checked_add(every).unwrap_or(now)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bus::callers::Standing;

    /// A watch of a caller that is in a sandbox or not.
    pub(in super::super) fn watch_of(name: &str, standing: Standing) -> Watch {
        let caller = Caller { name: name.to_owned(), executable: None, standing };
        let request = CallRequest::read("a", "f".to_owned(), "[]".to_owned()).expect("a request");
        let options = WatchOptions::default();
        Watch::of(NewWatch { caller: Arc::new(caller), request, options, value: String::new() })
    }

    /// A call knows the longest way that led to it, and the next one nothing of that.
    #[test]
    fn call_knows_what_led_to_it() {
        let mut watch = watch_of(":1.1", Standing::Outside);
        watch.ask_after(3);
        watch.ask_after(1);
        watch.ask();
        assert_eq!(watch.begin().0, Some(3));
        watch.end("1");
        watch.ask();
        assert_eq!(watch.begin().0, None);
    }
}
