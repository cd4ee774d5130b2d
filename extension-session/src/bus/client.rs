//! The way to a running service, for a command.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use core_types::event::EventName;
use core_types::{BUS_NAME, BUS_OBJECT, ErrorKind, ExtensionName};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zbus::blocking::Connection;
use zbus::blocking::fdo::{
    DBusProxy, NameOwnerChangedIterator, PropertiesChangedIterator, PropertiesProxy,
};
use zbus::names::{BusName, InterfaceName, OwnedUniqueName};
use zbus::zvariant::{DynamicType, OwnedObjectPath, Type, Value};

use super::bus_error::kind_of_name;
use super::service::bus_at;
use super::status::ServiceStatus;

/// The longest wait for an answer. A call has a deadline of its own before that.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The time between two looks whether it has ended.
const PAUSE: Duration = Duration::from_millis(20);
/// The answers of a bus for a name without an owner.
const NOBODY: [&str; 2] =
    ["org.freedesktop.DBus.Error.NameHasNoOwner", "org.freedesktop.DBus.Error.ServiceUnknown"];
const SESSION: &str = "org.opensesame.Session1";
const WATCH: &str = "org.opensesame.Watch1";

/// A connection to the service that runs. It never starts one.
///
/// ```no_run
/// use extension_session::BusClient;
///
/// let reached = BusClient::connect(None)?.emit("build.done", "ok")?;
/// println!("{reached} extensions hear of it");
/// # Ok::<(), extension_session::ClientError>(())
/// ```
pub struct BusClient {
    connection: Connection,
    /// The service by its own name on the bus: where it has ended since, the bus would start another one
    /// for the name of all services.
    service: OwnedUniqueName,
}

/// Why the service gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no session bus.
    #[error("there is no session bus")]
    NoBus(#[source] zbus::Error),
    /// No service runs.
    #[error("the session service does not run")]
    NotRunning,
    /// It answered with an error.
    #[error("{text}")]
    Answered {
        /// Its kind.
        kind: ErrorKind,
        /// Its text.
        text: String,
    },
    /// It, or the bus, gave no answer that makes sense.
    #[error("the session service does not answer")]
    Bus(#[source] zbus::Error),
    /// Its answer cannot be read: it is of another version.
    #[error("the answer of the session service cannot be read")]
    Unreadable(#[source] serde_json::Error),
}

/// A function to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchRequest {
    /// The extension.
    pub name: ExtensionName,
    /// The function.
    pub function: String,
    /// Its arguments as a JSON array.
    pub arguments: String,
    /// The time between two calls, at least a second.
    pub every: Option<Duration>,
    /// The events after whose delivery it is called.
    pub on: Vec<EventName>,
}

/// The values of a watch, from the present one on. It ends with the service.
pub struct WatchedValues(Receiver<Option<String>>);

impl BusClient {
    /// Connects to the service that runs on the bus of this session, or at this address.
    ///
    /// # Errors
    /// When there is no bus, or no service on it.
    pub fn connect(address: Option<&str>) -> Result<Self, ClientError> {
        Self::connect_within(address, TIMEOUT)
    }

    /// The same, with another longest wait for each answer.
    ///
    /// # Errors
    /// As for [`BusClient::connect`].
    pub fn connect_within(address: Option<&str>, wait: Duration) -> Result<Self, ClientError> {
        let connection = bus_at(address).and_then(|bus| bus.method_timeout(wait).build());
        let connection = connection.map_err(ClientError::NoBus)?;
        let name =
            BusName::from_static_str(BUS_NAME).map_err(|error| ClientError::Bus(error.into()))?;
        let bus = DBusProxy::new(&connection).map_err(ClientError::Bus)?;
        match bus.get_name_owner(name) {
            Ok(service) => Ok(Self { connection, service }),
            Err(zbus::fdo::Error::NameHasNoOwner(_)) => Err(ClientError::NotRunning),
            Err(error) => Err(ClientError::Bus(error.into())),
        }
    }

    /// Returns its state.
    ///
    /// # Errors
    /// When it does not answer, or not in a way that this version reads.
    pub fn status(&self) -> Result<ServiceStatus, ClientError> {
        let status: String = self.ask(SESSION, "Status", &())?;
        serde_json::from_str(&status).map_err(ClientError::Unreadable)
    }

    /// Tells whether the owner of the name is a session service, of any version. One that is busy says so
    /// in an error of its own.
    pub fn is_service(&self) -> bool {
        use ClientError::{Answered, Unreadable};
        matches!(self.status(), Ok(_) | Err(Answered { .. } | Unreadable(_)))
    }

    /// Ends it, and waits until its process has left the bus. Its name is free before that, while its calls
    /// still run. Returns false where it is still there after this time.
    ///
    /// # Errors
    /// When the bus does not answer, or the service does not and stays.
    pub fn stop_and_wait(&self, at_most: Duration) -> Result<bool, ClientError> {
        let bus = DBusProxy::new(&self.connection).map_err(ClientError::Bus)?;
        let has_left =
            || bus.name_has_owner(BusName::from(&self.service)).map(|is_there| !is_there);
        let begun = Instant::now();
        let stopped = self.stop();
        while !has_left().map_err(|error| ClientError::Bus(error.into()))? {
            if begun.elapsed() > at_most {
                return stopped.map(|()| false);
            }
            std::thread::sleep(PAUSE);
        }
        Ok(true)
    }

    /// Emits an event `custom.TOPIC`, and returns the number of extensions that it reaches.
    ///
    /// # Errors
    /// When it does not answer, or the topic or payload is wrong.
    pub fn emit(&self, topic: &str, payload: &str) -> Result<u32, ClientError> {
        self.ask(SESSION, "Emit", &(topic, payload))
    }

    /// Ends it. It ends after the calls that run.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn stop(&self) -> Result<(), ClientError> {
        self.ask(SESSION, "Stop", &())
    }

    /// Watches a function.
    ///
    /// # Errors
    /// When the service does not answer, or refuses.
    pub fn watch(&self, request: &WatchRequest) -> Result<WatchedValues, ClientError> {
        let mut options = HashMap::new();
        if let Some(every) = request.every {
            let every = u32::try_from(every.as_millis()).unwrap_or(u32::MAX);
            options.insert("every-ms", Value::from(every));
        }
        if !request.on.is_empty() {
            let on: Vec<_> = request.on.iter().map(ToString::to_string).collect();
            options.insert("on", Value::from(on));
        }
        let WatchRequest { name, function, arguments, .. } = request;
        let body = (name.as_str(), function.as_str(), arguments.as_str(), options);
        let path: OwnedObjectPath = self.ask(BUS_NAME, "Watch", &body)?;
        self.values(path).map_err(ClientError::Bus)
    }

    fn values(&self, path: OwnedObjectPath) -> zbus::Result<WatchedValues> {
        let properties = PropertiesProxy::builder(&self.connection)
            .destination(BUS_NAME)?
            .path(path)?
            .build()?;
        let changes = properties.receive_properties_changed()?;
        let bus = DBusProxy::new(&self.connection)?;
        let owners = bus.receive_name_owner_changed_with_args(&[(0, BUS_NAME)])?;
        let interface = InterfaceName::from_static_str(WATCH)?;
        let first = String::try_from(properties.get(interface, "Value")?)?;
        let (values, told) = channel();
        let ends = values.clone();
        let _ = values.send(Some(first));
        in_thread("values", move || tell_values(changes, &values))?;
        in_thread("owner", move || tell_end(owners, &ends))?;
        Ok(WatchedValues(told))
    }

    fn ask<B, A>(&self, interface: &str, method: &str, body: &B) -> Result<A, ClientError>
    where
        B: Serialize + DynamicType,
        A: DeserializeOwned + Type,
    {
        let service = Some(&self.service);
        let answer =
            self.connection.call_method(service, BUS_OBJECT, Some(interface), method, body);
        let answer = answer.map_err(ClientError::of)?;
        answer.body().deserialize().map_err(ClientError::Bus)
    }
}

impl ClientError {
    fn of(error: zbus::Error) -> Self {
        let zbus::Error::MethodError(name, text, _) = &error else { return Self::Bus(error) };
        if NOBODY.contains(&name.as_str()) {
            return Self::NotRunning;
        }
        match (kind_of_name(name), text) {
            (Some(kind), Some(text)) => Self::Answered { kind, text: text.clone() },
            _ => Self::Bus(error),
        }
    }
}

impl Iterator for WatchedValues {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.0.recv().ok().flatten()
    }
}

fn in_thread(name: &str, work: impl FnOnce() + Send + 'static) -> zbus::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)?;
    Ok(())
}

/// Tells each new value.
fn tell_values(changes: PropertiesChangedIterator, values: &Sender<Option<String>>) {
    for signal in changes {
        let Ok(arguments) = signal.args() else { continue };
        if let Some(Value::Str(value)) = arguments.changed_properties().get("Value")
            && values.send(Some(value.to_string())).is_err()
        {
            return;
        }
    }
}

/// Tells the end of the service, or of the bus.
fn tell_end(mut owners: NameOwnerChangedIterator, values: &Sender<Option<String>>) {
    let _ = owners.next();
    let _ = values.send(None);
}
