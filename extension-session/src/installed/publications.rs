//! Messages of the extensions of a service: a signal for programs, and an event for extensions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use core_types::event::EventName;
use core_types::{BUS_NAME, BUS_OBJECT, ExtensionName, Owner};
use extension_host::{BackendError, Publisher};
use zbus::blocking::Connection;

use crate::delivery::Arrival;
use crate::engine::{Inbox, milliseconds_now};

/// Publishes for the extensions of one service: as the owner of its name on the bus, and as events
/// `custom.TOPIC` for the extensions that were granted them.
///
/// The manager of the service has it as its publisher before there are an engine and a connection,
/// which it gets once they are there.
///
/// ```
/// use core_types::Owner;
/// use extension_host::Publisher;
/// use extension_session::Publications;
///
/// let publications = Publications::default();
/// // Nobody hears it yet.
/// publications.publish(&Owner::default(), "build.done", "ok")?;
/// # Ok::<(), extension_host::BackendError>(())
/// ```
#[derive(Clone, Default)]
pub struct Publications(Arc<Ways>);

#[derive(Default)]
struct Ways {
    inbox: OnceLock<Inbox>,
    connection: OnceLock<Connection>,
    /// The deliveries that run, with the number of deliveries that led to each.
    depths: Mutex<HashMap<ExtensionName, u8>>,
}

impl Publications {
    /// Takes the engine to which events go.
    pub fn deliver_to(&self, inbox: Inbox) {
        let _ = self.0.inbox.set(inbox);
    }

    /// Takes the connection on which signals go.
    pub(crate) fn signal_on(&self, connection: Connection) {
        let _ = self.0.connection.set(connection);
    }

    /// Runs a delivery. Messages of the extension meanwhile were led to by it.
    pub fn during<T>(&self, name: &ExtensionName, depth: u8, deliver: impl FnOnce() -> T) -> T {
        self.depths().insert(name.clone(), depth);
        let delivered = deliver();
        self.depths().remove(name);
        delivered
    }

    /// Returns the number of deliveries that led to a message of an extension. A call of it
    /// that runs beside a delivery counts as led to by that: such an event comes to its end sooner.
    fn depth_of(&self, name: &ExtensionName) -> u8 {
        self.depths().get(name).map_or(0, |depth| depth.saturating_add(1))
    }

    /// A panic of another thread leaves whole entries.
    fn depths(&self) -> MutexGuard<'_, HashMap<ExtensionName, u8>> {
        self.0.depths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, owner: &Owner, topic: &str, payload: &str) -> Result<(), BackendError> {
        let Some(connection) = self.0.connection.get() else { return Ok(()) };
        let body = (owner.identity.as_str(), topic, payload);
        connection
            .emit_signal(None::<&str>, BUS_OBJECT, BUS_NAME, "Published", &body)
            .map_err(|error| BackendError::Unavailable(format!("the session bus: {error}")))
    }
}

impl Publisher for Publications {
    fn publish(&self, owner: &Owner, topic: &str, payload: &str) -> Result<(), BackendError> {
        self.signal(owner, topic, payload)?;
        let event = format!("custom.{topic}").parse::<EventName>();
        if let (Some(inbox), Ok(event)) = (self.0.inbox.get(), event) {
            let from = format!("extension {}", owner.identity);
            let mut arrival = Arrival::custom(event, payload.to_owned(), &from, milliseconds_now());
            arrival.depth = self.depth_of(&owner.name);
            // An engine that has ended wakes nothing any more.
            let _ = inbox.put(arrival);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use core_types::Owner;
    use extension_host::Publisher;

    use super::Publications;
    use crate::engine::Engine;
    use crate::testing::{Changing, LONG, parts, subscriber};
    use crate::{MAX_DEPTH, Wake};

    /// A topic wakes who was granted it, and an extension that wakes itself comes to an end.
    #[test]
    fn published_topic_is_an_event() {
        let extensions = Changing::default();
        let wake = Wake::by("custom.tick".parse().expect("a pattern"));
        extensions.set(vec![subscriber("ticks", vec![wake])]);
        let (parts, delivered) = parts(&extensions, Vec::new());
        let engine = Engine::start(parts).expect("an engine");
        let publications = Publications::default();
        let owner = Owner::embedded("ticks".parse().expect("a name"));
        publications.publish(&owner, "tick", "0").expect("nobody hears it yet");
        publications.deliver_to(engine.inbox());
        publications.publish(&owner, "tick", "1").expect("published");
        for depth in 0..=MAX_DEPTH {
            let delivery = delivered.recv_timeout(LONG).expect("a delivery");
            assert_eq!(delivery.depth, depth);
            let name = delivery.name.clone();
            publications.during(&name, delivery.depth, || {
                publications.publish(&owner, "tick", "again").expect("published");
            });
        }
        let status = engine.status().expect("it runs");
        assert!(status.problem.expect("a dropped event").contains("custom.tick"));
        assert!(delivered.try_recv().is_err());
    }
}
