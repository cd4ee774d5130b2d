//! Messages of the extensions of a service: a signal for programs, and an event for extensions.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use core_types::event::EventName;
use core_types::{BUS_NAME, BUS_OBJECT, ExtensionName, Owner};
use extension_host::{BackendError, Publisher};
use zbus::blocking::Connection;

use crate::delivery::Arrival;
use crate::engine::{Inbox, milliseconds_now};

/// How long after a delivery the kernel may tell of a change by it. A state event comes once a second at
/// most, so that most of the time is left to others.
const AFTERWARDS: Duration = Duration::from_millis(250);

/// How long an ended delivery is remembered: a storm of changes is told later than it came.
const REMEMBERED: Duration = Duration::from_secs(60);

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
    deliveries: Mutex<Vec<Led>>,
}

/// An extension that runs for a delivery, or did so a moment ago.
#[derive(Clone)]
struct Led {
    name: ExtensionName,
    /// The number of deliveries that led to it.
    depth: u8,
    ended: Option<Instant>,
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

    /// Runs a delivery, or a call that it led to. Messages of the extension meanwhile were led to by
    /// it.
    pub fn during<T>(&self, name: &ExtensionName, depth: u8, run: impl FnOnce() -> T) -> T {
        let mut deliveries = self.deliveries();
        deliveries.retain(|led| led.ended.is_none_or(|ended| ended.elapsed() < REMEMBERED));
        deliveries.push(Led { name: name.clone(), depth, ended: None });
        drop(deliveries);
        let ran = run();
        let mut deliveries = self.deliveries();
        let is_own = |led: &&mut Led| led.name == *name && led.depth == depth && led.is_running();
        if let Some(own) = deliveries.iter_mut().find(is_own) {
            own.ended = Some(Instant::now());
        }
        ran
    }

    /// Returns the number of deliveries that may have led to a change of a file at a moment: those to an
    /// extension that ran then, or a little before, and may write there. The kernel does not say which
    /// program it was.
    pub(crate) fn depth_of_change(
        &self,
        at: Instant,
        may_write: impl Fn(&ExtensionName) -> bool,
    ) -> u8 {
        let mut deliveries = self.deliveries().clone();
        deliveries.retain(|led| led.ended.is_none_or(|ended| ended + AFTERWARDS > at));
        deliveries.sort_by_key(|led| std::cmp::Reverse(led.depth));
        deepest(deliveries.iter().find(|led| may_write(&led.name)).into_iter())
    }

    /// Returns the number of deliveries that led to a message of an extension. A call of it
    /// that runs beside a delivery counts as led to by that: such an event comes to its end sooner.
    fn depth_of(&self, name: &ExtensionName) -> u8 {
        let deliveries = self.deliveries();
        deepest(deliveries.iter().filter(|led| led.name == *name && led.is_running()))
    }

    /// A panic of another thread leaves whole entries.
    fn deliveries(&self) -> MutexGuard<'_, Vec<Led>> {
        self.0.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, owner: &Owner, topic: &str, payload: &str) -> Result<(), BackendError> {
        let Some(connection) = self.0.connection.get() else { return Ok(()) };
        let body = (owner.identity.as_str(), topic, payload);
        connection
            .emit_signal(None::<&str>, BUS_OBJECT, BUS_NAME, "Published", &body)
            .map_err(|error| BackendError::Unavailable(format!("the session bus: {error}")))
    }
}

impl Led {
    fn is_running(&self) -> bool {
        self.ended.is_none()
    }
}

/// Returns the depth of an event after these deliveries; 0 after none.
fn deepest<'a>(led: impl Iterator<Item = &'a Led>) -> u8 {
    led.map(|led| led.depth.saturating_add(1)).max().unwrap_or_default()
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
    use std::time::Instant;

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
                // A call that an earlier delivery led to may run beside it, and end before.
                publications.during(&name, 0, || {});
                publications.publish(&owner, "tick", "again").expect("published");
            });
        }
        let status = engine.status().expect("it runs");
        assert!(status.problem.expect("a dropped event").contains("custom.tick"));
        assert!(delivered.try_recv().is_err());
    }

    /// A change of a file may be led to by an extension that may write there, while it runs and for a
    /// moment afterwards.
    #[test]
    fn change_of_a_file_is_led_to() {
        let publications = Publications::default();
        let name = |name: &str| name.parse::<core_types::ExtensionName>().expect("a name");
        let begun = Instant::now();
        let writes_at = |at: Instant, writer: &'static str| {
            publications.depth_of_change(at, |it| it.as_str() == writer)
        };
        let writes = |writer| writes_at(Instant::now(), writer);
        assert_eq!(writes("a"), 0);
        publications.during(&name("a"), 3, || {
            publications.during(&name("b"), 1, || {
                assert_eq!((writes("a"), writes("b"), writes("c")), (4, 2, 0));
            });
        });
        assert_eq!((writes("a"), writes("b")), (4, 2), "the kernel tells of it later");
        std::thread::sleep(super::AFTERWARDS);
        assert_eq!((writes("a"), writes("b")), (0, 0));
        assert_eq!(writes_at(begun, "a"), 4, "a storm is told later than it came");
    }
}
