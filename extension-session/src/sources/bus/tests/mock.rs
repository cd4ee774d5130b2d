//! A service on a bus that says what a test wants.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use zbus::Message;
use zbus::blocking::connection::Builder;
use zbus::blocking::{Connection, MessageIterator};
use zbus::fdo::RequestNameFlags;
use zbus::message::Type;
use zbus::zvariant::{ObjectPath, OwnedValue, Value};

use crate::testing::LONG;

const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// A connection that answers questions for properties, and can own a name.
pub(super) struct Mock {
    pub(super) connection: Connection,
    said: Arc<Mutex<Said>>,
}

#[derive(Default)]
struct Said {
    /// The properties of an object, by its path and interface.
    properties: BTreeMap<(String, String), HashMap<String, OwnedValue>>,
    /// The session that logind finds for a process.
    session: Option<String>,
    /// The questions that were answered, each with the one who asked.
    asked: Vec<(String, String)>,
    /// The signals that are sent right behind the next answer for properties.
    behind: Vec<Message>,
}

impl Mock {
    /// Connects without a name.
    pub(super) fn connect(address: &str) -> Self {
        let connection = Builder::address(address).and_then(Builder::build).expect("a connection");
        let said = Arc::<Mutex<Said>>::default();
        let (own, messages) = (said.clone(), MessageIterator::from(&connection));
        let answering = connection.clone();
        std::thread::spawn(move || {
            for message in messages.map_while(Result::ok) {
                if message.message_type() == Type::MethodCall {
                    own.lock().expect("said").answer(&answering, &message);
                }
            }
        });
        Self { connection, said }
    }

    /// Takes a name, which another one may take over.
    pub(super) fn own(&self, name: &str) {
        let flags = RequestNameFlags::AllowReplacement | RequestNameFlags::ReplaceExisting;
        self.connection.request_name_with_flags(name, flags).expect("a name");
    }

    /// Sets a property, and says nothing of it.
    pub(super) fn set<'a>(
        &self,
        (path, interface): (&str, &str),
        name: &str,
        value: impl Into<Value<'a>>,
    ) {
        let value = value.into().try_to_owned().expect("a value");
        let key = (path.to_owned(), interface.to_owned());
        let mut said = self.said.lock().expect("said");
        said.properties.entry(key).or_default().insert(name.to_owned(), value);
    }

    /// Sets a property, and says so.
    pub(super) fn change<'a>(&self, object: (&str, &str), name: &str, value: impl Into<Value<'a>>) {
        let value = value.into();
        self.set(object, name, value.try_clone().expect("a copy"));
        self.tell(object, name, value);
    }

    /// Says that a property changed.
    pub(super) fn tell<'a>(&self, object: (&str, &str), name: &str, value: impl Into<Value<'a>>) {
        self.tell_to(None, object, name, value);
    }

    /// Sets a property as soon as all were told, and says so at once.
    pub(super) fn change_behind_answer<'a>(
        &self,
        (path, interface): (&str, &str),
        name: &str,
        value: impl Into<Value<'a>>,
    ) {
        let changed = HashMap::from([(name, value.into())]);
        let signal = Message::signal(path, PROPERTIES, "PropertiesChanged").expect("a signal");
        let signal = signal.build(&(interface, changed, Vec::<&str>::new())).expect("a signal");
        self.said.lock().expect("said").behind.push(signal);
    }

    /// Says it to one connection alone, which the rules of nobody keep out.
    pub(super) fn tell_to<'a>(
        &self,
        to: Option<&str>,
        (path, interface): (&str, &str),
        name: &str,
        value: impl Into<Value<'a>>,
    ) {
        let changed = HashMap::from([(name, value.into())]);
        let body = (interface, changed, Vec::<&str>::new());
        let sent = self.connection.emit_signal(to, path, PROPERTIES, "PropertiesChanged", &body);
        sent.expect("sent");
    }

    /// Sends a signal with one value.
    pub(super) fn signal(&self, (path, interface): (&str, &str), member: &str, value: bool) {
        let sent = self.connection.emit_signal(None::<&str>, path, interface, member, &(value,));
        sent.expect("sent");
    }

    /// Sets the session of every process.
    pub(super) fn set_session(&self, path: &str) {
        self.said.lock().expect("said").session = Some(path.to_owned());
    }

    /// Waits until the properties of an object were asked for, and returns who did.
    pub(super) fn asked(&self, path: &str) -> String {
        let begun = Instant::now();
        loop {
            let said = self.said.lock().expect("said");
            if let Some((_, asker)) = said.asked.iter().rev().find(|(asked, _)| asked == path) {
                return asker.clone();
            }
            drop(said);
            assert!(begun.elapsed() < LONG, "nobody asked for {path}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The thread ends with the connection.
impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.connection.clone().close();
    }
}

impl Said {
    fn answer(&mut self, connection: &Connection, message: &Message) {
        let (header, body) = (message.header(), message.body());
        let path = header.path().map(ToString::to_string).unwrap_or_default();
        let member = header.member().map(ToString::to_string).unwrap_or_default();
        let asker = header.sender().map(ToString::to_string).unwrap_or_default();
        let answered = match (member.as_str(), &self.session) {
            ("GetAll", _) => {
                let interface: &str = body.deserialize().expect("an interface");
                let values = self.properties.get(&(path.clone(), interface.to_owned()));
                let none = HashMap::new();
                let replied = connection.reply(&header, values.unwrap_or(&none));
                let behind = std::mem::take(&mut self.behind);
                replied.and_then(|()| behind.iter().try_for_each(|it| connection.send(it)))
            }
            ("GetSessionByPID", Some(session)) => {
                connection.reply(&header, &ObjectPath::try_from(session.as_str()).expect("a path"))
            }
            _ => connection.reply_error(&header, "org.example.Error.Unknown", &("no",)),
        };
        answered.expect("answered");
        self.asked.push((path, asker));
    }
}
