//! The sources of a bus, one for each service.

use std::sync::Arc;

use core_types::event::EventType;

use super::bus_address::BusAddress;
use super::shared::{Shared, Wish};
use super::thread;
use crate::delivery::Subscriber;
use crate::engine::Inbox;
use crate::sources::services::{
    Logind, MediaPlayers, NetworkManager, Service, SessionMemory, UPower,
};
use crate::sources::source::Source;
use crate::sources::source_state::SourceState;

/// The login session of this process, as far as it is known.
pub struct LoginSession {
    /// Its id, as `XDG_SESSION_ID` has it, where there is one.
    pub id: Option<String>,
    /// Keeps the events of the session.
    pub memory: Arc<dyn SessionMemory>,
}

/// Returns the sources of the system bus: logind, UPower and NetworkManager. Without an address it
/// is the bus of the machine.
///
/// They share one connection, which is there while an extension may be woken.
pub fn system_bus_sources(address: Option<String>, login: LoginSession) -> Vec<Box<dyn Source>> {
    let user = rustix::process::getuid().as_raw();
    let LoginSession { id, memory } = login;
    let services: Vec<Box<dyn Service>> = vec![
        Box::new(Logind::new((std::process::id(), user), id, memory.clone())),
        Box::new(UPower::new(memory.clone())),
        Box::new(NetworkManager::new(memory)),
    ];
    sources(BusAddress::System(address), services)
}

/// Returns the sources of the session bus: media players. Without an address it is the bus of the
/// session.
pub fn session_bus_sources(address: Option<String>) -> Vec<Box<dyn Source>> {
    sources(BusAddress::Session(address), vec![Box::new(MediaPlayers::default())])
}

fn sources(address: BusAddress, services: Vec<Box<dyn Service>>) -> Vec<Box<dyn Source>> {
    let named: Vec<_> = services.iter().map(|it| (it.source_name(), it.events())).collect();
    let shared = Arc::new(Shared::new(services));
    let source = |(at, (name, events))| {
        let (address, shared) = (address.clone(), shared.clone());
        Box::new(BusSource { name, events, at, address, shared }) as Box<dyn Source>
    };
    named.into_iter().enumerate().map(source).collect()
}

/// A service of a bus.
struct BusSource {
    name: &'static str,
    events: Option<&'static [EventType]>,
    /// Its place among the services of the bus.
    at: usize,
    address: BusAddress,
    shared: Arc<Shared>,
}

impl BusSource {
    /// Tells whether an extension hears of the service.
    fn is_heard(&self, subscriber: &Subscriber) -> bool {
        let Some(events) = self.events else { return true };
        events.iter().any(|event| subscriber.hears_of(*event))
    }

    /// Starts the thread of the bus. Where the lock of the session is not known yet, nothing passes
    /// it until it is.
    fn start(&self, inbox: &Inbox) {
        let holds_back = self.events.is_none();
        if holds_back {
            let _ = inbox.set_locked(true);
        }
        if let Err(error) = thread::start(&self.address, &self.shared) {
            self.shared.not_started(format!("cannot start a thread: {error}"));
            if holds_back {
                let _ = inbox.set_locked(false);
            }
        }
    }

    /// Lets a service know that nothing hears of it.
    fn leave(&self) {
        // A running thread tells it itself.
        if let Some(mut services) = self.shared.idle_services() {
            services[self.at].hear(&[]);
        }
    }
}

impl Source for BusSource {
    fn name(&self) -> &'static str {
        self.name
    }

    fn listen(&mut self, subscribers: &[Subscriber], inbox: &Inbox) -> SourceState {
        let heard: Vec<_> = subscribers.iter().filter(|it| self.is_heard(it)).cloned().collect();
        let is_heard = !heard.is_empty();
        let wish = Wish { subscribers: heard, inbox: Some(inbox.clone()) };
        if self.shared.wish(self.at, wish) {
            self.start(inbox);
        } else if !is_heard {
            self.leave();
        }
        self.shared.state(self.at)
    }

    fn state(&self) -> Option<SourceState> {
        Some(self.shared.state(self.at))
    }
}

/// The thread ends with the last source that something hears of.
impl Drop for BusSource {
    fn drop(&mut self) {
        self.shared.wish(self.at, Wish::default());
    }
}
