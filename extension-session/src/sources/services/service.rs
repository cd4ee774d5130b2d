//! What every service can do, and the words in which it is told and asks.

use std::collections::HashMap;

use core_types::event::EventType;
use zbus::zvariant::Value;

use crate::delivery::{Arrival, Subscriber};

/// The interface by which every service tells its properties.
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// Properties of an object, by name.
pub(crate) type Properties<'a> = HashMap<&'a str, Value<'a>>;

/// A service, as a machine that is told messages and says what to ask.
pub(crate) trait Service: Send {
    /// Returns the name of the source, for people.
    fn source_name(&self) -> &'static str;

    /// Returns the names that it has on the bus.
    fn names(&self) -> Names;

    /// Returns the events that it makes. Nothing stands for every event: the service is listened to
    /// as long as anything may wake an extension.
    fn events(&self) -> Option<&'static [EventType]>;

    /// Takes the extensions that hear its events, and returns the signals that they need. Without
    /// extensions it needs none, and begins anew with the next ones.
    fn hear(&mut self, subscribers: &[Subscriber]) -> Vec<Rule>;

    /// Learns that a name has an owner, and returns what to ask it.
    fn begin(&mut self, name: &str) -> Vec<Question>;

    /// Learns that a name does not have an owner.
    fn end(&mut self, name: &str);

    /// Takes the answer to a question, and returns what to ask next.
    fn answer(&mut self, name: &str, question: &Question, answer: &Answer<'_>) -> Vec<Question>;

    /// Takes a signal of the owner of a name, and returns what to ask.
    fn signal(&mut self, name: &str, signal: &Signal<'_>) -> Vec<Question>;

    /// Removes what happened since the last time. `time` is in milliseconds since 1970.
    fn take(&mut self, time: u64) -> Taken;

    /// Returns why it cannot tell everything, although it is there.
    fn problem(&self) -> Option<String> {
        None
    }
}

/// Events, and whether the session is locked where that changed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Taken {
    pub(crate) arrivals: Vec<Arrival>,
    pub(crate) locked: Option<bool>,
}

/// The well-known names of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// This one. The bus may start the service.
    One(&'static str),
    /// Every name below this one, without its dot.
    Below(&'static str),
}

/// Something to ask the owner of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    /// The properties of an object.
    Properties {
        /// The object.
        path: String,
        /// The interface that they belong to.
        interface: &'static str,
    },
    /// The login session of a process.
    SessionOfProcess(u32),
    /// The login session of this id.
    SessionById(String),
    /// The object of a user.
    User(u32),
}

/// An answer, in the form that the question has.
#[derive(Debug)]
pub(crate) enum Answer<'a> {
    /// Properties.
    Properties(Properties<'a>),
    /// An object.
    Object(String),
    /// An error, another form, or silence.
    Failed,
}

/// A signal of the owner of a name.
#[derive(Debug)]
pub(crate) enum Signal<'a> {
    /// Some properties of an object have other values. Of the others it is only said that they
    /// have.
    Properties {
        /// The object.
        path: &'a str,
        /// The interface that they belong to.
        interface: &'a str,
        /// Those with their values.
        changed: Properties<'a>,
        /// Whether there are others.
        is_partial: bool,
    },
    /// Any other signal.
    Other {
        /// The object.
        path: &'a str,
        /// The name of the signal.
        member: &'a str,
        /// The values that come with it.
        arguments: Vec<Value<'a>>,
    },
}

/// The objects that a rule is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At {
    /// One object.
    Object(&'static str),
    /// An object and all below it.
    Below(&'static str),
}

/// A rule by which the bus chooses the signals that it passes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule(String);

impl Rule {
    /// Makes a rule for the signals of an interface.
    pub(crate) fn signals(sender: &str, at: At, interface: &str) -> Self {
        let at = at.matching();
        Self(format!("type='signal',sender='{sender}',{at},interface='{interface}'"))
    }

    /// Makes a rule for changes of the properties of an interface.
    pub(crate) fn properties(sender: &str, at: At, interface: &str) -> Self {
        let Self(signals) = Self::signals(sender, at, PROPERTIES);
        Self(format!("{signals},member='PropertiesChanged',arg0='{interface}'"))
    }

    /// Makes a rule for changes of properties, whoever sends them.
    pub(crate) fn properties_of_any(at: At, interface: &str) -> Self {
        let at = at.matching();
        Self(format!(
            "type='signal',{at},interface='{PROPERTIES}',member='PropertiesChanged',\
             arg0='{interface}'"
        ))
    }

    /// Makes a rule for changes of the owners of names, which the bus itself tells.
    pub(crate) fn owners(names: Names) -> Self {
        let names = match names {
            Names::One(name) => format!("arg0='{name}'"),
            Names::Below(prefix) => format!("arg0namespace='{prefix}'"),
        };
        Self(format!(
            "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',\
             member='NameOwnerChanged',{names}"
        ))
    }

    /// Returns the rule in the words of the bus.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl At {
    fn matching(self) -> String {
        match self {
            Self::Object(path) => format!("path='{path}'"),
            Self::Below(path) => format!("path_namespace='{path}'"),
        }
    }
}

impl Question {
    /// Makes a question for the properties of an object.
    pub(crate) fn properties(path: &str, interface: &'static str) -> Self {
        Self::Properties { path: path.to_owned(), interface }
    }
}

impl Taken {
    /// Tells whether nothing happened.
    pub(crate) fn is_empty(&self) -> bool {
        self.arrivals.is_empty() && self.locked.is_none()
    }
}
