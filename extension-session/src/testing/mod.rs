//! The parts of an engine in tests: real threads and clocks, and deliveries that are only told.

mod private_bus;
mod remembering;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_types::ExtensionName;

use crate::{
    Deliver, Delivered, Delivery, Forgetful, Parts, Source, Subscriber, Subscribers, SystemClock,
    Wake,
};

pub(crate) use private_bus::PrivateBus;
pub(crate) use remembering::Remembering;

/// Longer than anything in a test takes on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Tells of each delivery.
struct Telling(Mutex<Sender<Delivery>>);

impl Deliver for Telling {
    fn deliver(&self, delivery: &Delivery) -> Delivered {
        assert_ne!(delivery.occurrence.name.as_str(), "custom.panic", "as asked");
        self.0.lock().expect("a sender").send(delivery.clone()).expect("a receiver");
        Delivered { fuel: 1, has_failed: false }
    }
}

/// Extensions that a test can change.
#[derive(Clone, Default)]
pub(crate) struct Changing {
    subscribers: Arc<Mutex<Vec<Subscriber>>>,
    looks: Arc<AtomicUsize>,
}

impl Changing {
    /// Takes other extensions in place of those that are there.
    pub(crate) fn set(&self, subscribers: Vec<Subscriber>) {
        *self.subscribers.lock().expect("subscribers") = subscribers;
    }

    /// Returns the number of looks of the engine.
    pub(crate) fn looks(&self) -> usize {
        self.looks.load(Ordering::Relaxed)
    }
}

impl Subscribers for Changing {
    fn list(&mut self) -> Vec<Subscriber> {
        let subscribers = self.subscribers.lock().expect("subscribers").clone();
        self.looks.fetch_add(1, Ordering::Relaxed);
        subscribers
    }

    fn is_unreadable(&self, name: &ExtensionName) -> bool {
        name.as_str() == "broken"
    }
}

/// Returns an extension that hears these events, a thousand times a second.
pub(crate) fn subscriber(name: &str, wakes: Vec<Wake>) -> Subscriber {
    let min_interval = Duration::from_millis(1);
    Subscriber { min_interval, ..Subscriber::new(name.parse().expect(name), wakes) }
}

/// Returns the parts of an engine, and where its deliveries are told.
pub(crate) fn parts(
    subscribers: &Changing,
    sources: Vec<Box<dyn Source>>,
) -> (Parts, Receiver<Delivery>) {
    let (sender, delivered) = channel();
    let parts = Parts {
        deliver: Arc::new(Telling(Mutex::new(sender))),
        subscribers: Box::new(subscribers.clone()),
        sources,
        clock: Box::new(SystemClock::new()),
        memory: Box::new(Forgetful),
        max_parallel: 2,
    };
    (parts, delivered)
}
