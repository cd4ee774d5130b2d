//! The service on the bus, from its first to its last message.

use std::sync::Arc;
use std::time::{Duration, Instant};

use core_types::{Activity, BUS_NAME, BUS_OBJECT, ExtensionName, Touch};
use extension_depot::RunningExtensions;
use extension_manager::Manager;
use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;
use zbus::blocking::fdo::{DBusProxy, NameOwnerChangedIterator};
use zbus::fdo::{RequestNameFlags, RequestNameReply};

use super::callers::Callers;
use super::calls::{Explain, Runner};
use super::desk::Desk;
use super::end::{BusEnd, Ended};
use super::extensions::{Extensions, emitter};
use super::session::Session;
use super::watches::{self, WatchObject, Watches};
use super::workers::Workers;
use crate::asking::{Asker, Prompt};
use crate::delivery::Delivery;
use crate::engine::Inbox;
use crate::installed::{Outcome, Publications};

/// The time for the last answers to be written.
const LAST_WORDS: Duration = Duration::from_millis(50);
/// The calls that run at the same time. Each can have the memory of its limits; the others wait.
const MAX_RUNNING: usize = 8;
/// The calls of watches that run at the same time, beside those: however many watches there are, a
/// call does not wait for one.
const MAX_WATCHING: usize = 2;
/// The path of [`Opening`], until the service has its objects.
const OPENING: &str = "/org/opensesame/opening";
/// The threads for what runs no guest.
const CLERKS: usize = 2;

/// Everything that the service stands on.
pub struct BusParts {
    /// The extensions. Its publisher is `publications`.
    pub manager: Arc<Manager>,
    /// The engine of events.
    pub inbox: Inbox,
    /// Puts failures into words.
    pub explain: Arc<dyn Explain>,
    /// Asks a person for permissions.
    pub prompt: Arc<dyn Prompt>,
    /// What extensions publish.
    pub publications: Publications,
    /// The record of the extensions that run.
    pub running: Arc<RunningExtensions>,
    /// The version of the program.
    pub version: String,
    /// The path of the program.
    pub executable: String,
    /// The address of the bus. By default that of the login session.
    pub address: Option<String>,
}

/// Why there is no service on the bus.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no bus.
    #[error("there is no session bus")]
    NoBus(#[source] zbus::Error),
    /// Another program owns the name.
    #[error("another program is `{BUS_NAME}` on the session bus")]
    Taken,
    /// The bus refuses.
    #[error("the session bus refuses the service")]
    Refused(#[source] zbus::Error),
}

/// The session service on the bus, as long as it is kept. Calls reach it on threads of its own.
///
/// It opens no socket but that of the bus, and none of its threads waits for a guest but those that
/// run one.
///
/// ```no_run
/// use std::sync::mpsc::channel;
/// use std::time::Duration;
/// use extension_session::{BusParts, BusService};
///
/// # fn serve(parts: BusParts) -> Result<(), Box<dyn std::error::Error>> {
/// let (ends, ended) = channel();
/// let service = BusService::start(parts, move |end| drop(ends.send(end)))?;
/// let why = ended.recv()?;
/// println!("the service ends: {why:?}");
/// service.stop(Duration::from_secs(5));
/// # Ok(())
/// # }
/// ```
pub struct BusService {
    connection: Connection,
    extensions: Extensions,
}

/// An object without methods. With one, zbus waits for its dispatch, and drops no earlier message: the
/// first can be the call that starts the service.
struct Opening;

#[zbus::interface(name = "org.opensesame.Opening")]
impl Opening {}

impl BusService {
    /// Takes the name on the bus, and answers from then on. `ended` is told why the service is to
    /// end.
    ///
    /// # Errors
    /// When there is no bus, or another program has the name.
    pub fn start(
        parts: BusParts,
        ended: impl Fn(BusEnd) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let ended: Arc<Ended> = Arc::new(ended);
        let connection = bus_at(parts.address.as_deref())
            .and_then(|builder| builder.serve_at(OPENING, Opening))
            .and_then(Builder::build);
        let connection = connection.map_err(StartError::NoBus)?;
        let leaving = leaving(&connection).map_err(StartError::Refused)?;
        let extensions = extensions_of(&parts, &connection);
        let session = Session {
            extensions: extensions.clone(),
            version: parts.version,
            executable: parts.executable,
            ended: ended.clone(),
        };
        for is_added in [
            connection.object_server().at(BUS_OBJECT, extensions.clone()),
            connection.object_server().at(BUS_OBJECT, session),
        ] {
            is_added.map_err(StartError::Refused)?;
        }
        let is_removed = connection.object_server().remove::<Opening, _>(OPENING);
        is_removed.map_err(StartError::Refused)?;
        parts.publications.signal_on(connection.clone());
        let service = Self { connection, extensions };
        service.forget_those_who_leave(leaving, ended)?;
        let flags = RequestNameFlags::DoNotQueue.into();
        let reply = service.connection.request_name_with_flags(BUS_NAME, flags);
        match reply {
            Ok(RequestNameReply::PrimaryOwner | RequestNameReply::AlreadyOwner) => Ok(service),
            Ok(_) | Err(zbus::Error::NameTaken) => Err(StartError::Taken),
            Err(error) => Err(StartError::Refused(error)),
        }
    }

    /// Tells programs, and watches, of a delivery that ended.
    pub fn delivered(&self, delivery: &Delivery, outcome: &Outcome) {
        self.extensions.watches.delivered(delivery);
        if let Ok(delivered) = outcome {
            self.tell_refusals(&delivery.name, &delivered.activity);
        }
        // A program in a sandbox may lead to a delivery through an extension, and asks nothing so.
        if delivery.depth == 0 {
            self.extensions.runner.asker.ask_after(&delivery.name, outcome);
        }
    }

    /// Tells programs of an event that an extension may not be woken by, led to by this number of
    /// deliveries, and asks for it.
    pub fn refused(&self, name: &ExtensionName, depth: u8, activity: &Activity) {
        self.tell_refusals(name, activity);
        if depth == 0 {
            self.extensions.runner.asker.ask_for(name, activity);
        }
    }

    fn tell_refusals(&self, name: &ExtensionName, activity: &Activity) {
        activity.refused().for_each(|touch| tell_refusal(&self.connection, name, touch));
    }

    /// Tells programs that an extension was installed, changed or removed.
    pub fn changed(&self, name: &ExtensionName) {
        let Ok(emitter) = emitter(self.connection.inner()) else { return };
        // Without a bus nobody hears it.
        let _ = zbus::block_on(Extensions::changed(&emitter, name.as_str()));
    }

    /// Returns whether a program waits for something.
    pub fn is_idle(&self) -> bool {
        let Extensions { desk, watches, runner, .. } = &self.extensions;
        desk.under_way() == 0 && watches.count() == 0 && !runner.asker.is_open()
    }

    /// Returns when the last message of a program was answered; nothing where there was none.
    pub fn last_answered(&self) -> Option<Instant> {
        let Extensions { desk, looks, .. } = &self.extensions;
        desk.freed().max(looks.freed())
    }

    /// Gives the name back, and waits for the calls that run, at most for this long.
    pub fn stop(&self, grace: Duration) {
        let _ = self.connection.release_name(BUS_NAME);
        self.extensions.desk.close();
        self.extensions.runner.asker.stop(grace);
        self.extensions.watches.clear();
        self.extensions.desk.wait_until_free(grace);
        // The connection writes an answer after its call has ended.
        std::thread::sleep(LAST_WORDS);
    }

    /// Ends what programs have under way when they leave the bus, and the service with the bus.
    fn forget_those_who_leave(
        &self,
        leaving: NameOwnerChangedIterator,
        ended: Arc<Ended>,
    ) -> Result<(), StartError> {
        let (extensions, connection) = (self.extensions.clone(), self.connection.clone());
        let thread = std::thread::Builder::new().name("callers".to_owned());
        let spawned = thread.spawn(move || {
            for signal in leaving {
                if let Ok(arguments) = signal.args() {
                    left(&extensions, &connection, arguments.name());
                }
            }
            ended(BusEnd::BusGone);
        });
        spawned.map(drop).map_err(|error| StartError::Refused(zbus::Error::from(error)))
    }
}

/// Returns the bus at an address, or that of the session.
pub(super) fn bus_at(address: Option<&str>) -> zbus::Result<Builder<'_>> {
    address.map_or_else(Builder::session, Builder::address)
}

/// Returns the signals of names that lose their owner, and of no others.
fn leaving(connection: &Connection) -> zbus::Result<NameOwnerChangedIterator> {
    DBusProxy::new(connection)?.receive_name_owner_changed_with_args(&[(2, "")])
}

fn left(extensions: &Extensions, connection: &Connection, name: &str) {
    extensions.desk.left(name);
    extensions.looks.left(name);
    extensions.callers.left(name);
    for number in extensions.watches.left(name) {
        let path = watches::path_of(number);
        let _ = connection.object_server().remove::<WatchObject, _>(path);
    }
}

fn extensions_of(parts: &BusParts, connection: &Connection) -> Extensions {
    let signals = connection.clone();
    let runner = Runner {
        manager: parts.manager.clone(),
        explain: parts.explain.clone(),
        refusals: Arc::new(move |name, touch| tell_refusal(&signals, name, touch)),
        running: parts.running.clone(),
        publications: parts.publications.clone(),
        asker: Asker::new(parts.manager.clone(), parts.inbox.clone(), parts.prompt.clone()),
    };
    let watching = (Workers::new("watch", MAX_WATCHING), parts.publications.clone());
    Extensions {
        desk: Desk::default(),
        looks: Desk::default(),
        callers: Callers::default(),
        watches: Watches::new(runner.clone(), watching, connection.clone()),
        runner,
        workers: Workers::new("call", MAX_RUNNING),
        clerks: Workers::new("clerk", CLERKS),
        inbox: parts.inbox.clone(),
    }
}

fn tell_refusal(connection: &Connection, name: &ExtensionName, touch: &Touch) {
    let capability = touch.request.capability().name();
    let Ok(emitter) = emitter(connection.inner()) else { return };
    // Without a bus nobody hears it.
    let _ = zbus::block_on(Extensions::refused(&emitter, name.as_str(), capability));
}
