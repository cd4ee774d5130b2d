//! `network.changed` and `network.wifi`, from NetworkManager.

use std::sync::Arc;

use core_types::event::{EventType, EventValue, Settings, Ssid};
use zbus::zvariant::Value;

use super::service::{Answer, At, Names, Properties, Question, Rule, Service, Signal, Taken};
use super::session_memory::SessionMemory;
use super::text::is_disruptive;
use super::told::{State, Told};
use super::values::{elements, known, number, object, plain, text, update};
use crate::delivery::{Arrival, Subscriber};

/// The name of the source.
pub(super) const SOURCE: &str = "network-manager";
/// Its service on the bus.
pub(super) const NAME: &str = "org.freedesktop.NetworkManager";
const ROOT: &str = "/org/freedesktop/NetworkManager";
const CONNECTIONS: &str = "/org/freedesktop/NetworkManager/ActiveConnection";
const CONNECTION: &str = "org.freedesktop.NetworkManager.Connection.Active";
const ACCESS_POINT: &str = "org.freedesktop.NetworkManager.AccessPoint";
/// The connections that are looked at for a wireless one: more than a machine has.
const MAX_CONNECTIONS: usize = 16;
/// The bytes of a name that are kept. A name has 32 at most, so that a longer one is not a name.
const MAX_NAME: usize = 64;
const EVENTS: &[EventType] = &[EventType::NetworkChanged, EventType::NetworkWifi];

/// The network of the machine.
pub(crate) struct NetworkManager {
    is_state_heard: bool,
    /// The extensions that hear of wireless networks, each with the one that it was told of.
    wifi: Told,
    state: NetworkState,
    /// The state that extensions know of.
    told: Option<NetworkState>,
    /// The active connections in the order of NetworkManager, as far as each is known.
    connections: Vec<(String, Connection)>,
    joined: Joined,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct NetworkState {
    connectivity: Option<&'static str>,
    is_metered: Option<bool>,
}

#[derive(Debug, Default)]
struct Connection {
    is_wireless: Option<bool>,
    is_up: Option<bool>,
    access_point: Option<String>,
}

/// The wireless network that the machine is in.
#[derive(Debug, Default, PartialEq, Eq)]
enum Joined {
    #[default]
    Unknown,
    None,
    /// The name of this access point is not known yet.
    Asked(String),
    /// The name as it is sent, of any bytes.
    Network(String, Vec<u8>),
}

impl NetworkManager {
    pub(crate) fn new(memory: Arc<dyn SessionMemory>) -> Self {
        Self {
            is_state_heard: false,
            wifi: Told::new(EventType::NetworkWifi, memory),
            state: NetworkState::default(),
            told: None,
            connections: Vec::new(),
            joined: Joined::Unknown,
        }
    }

    /// Takes properties of NetworkManager itself, and returns questions for new connections.
    fn take_root(&mut self, properties: &Properties<'_>) -> Vec<Question> {
        update(&mut self.state.connectivity, properties, "Connectivity", connectivity);
        update(&mut self.state.is_metered, properties, "Metered", is_metered);
        let paths = properties.get("ActiveConnections").and_then(elements);
        let Some(paths) = paths.filter(|_| !self.wifi.is_empty()) else { return Vec::new() };
        let paths: Vec<_> = paths.iter().filter_map(object).take(MAX_CONNECTIONS).collect();
        let mut before = std::mem::take(&mut self.connections);
        let mut questions = Vec::new();
        for path in paths {
            let known = before.iter().position(|(other, _)| *other == path);
            let connection = known.map(|at| before.swap_remove(at).1).unwrap_or_default();
            if connection.is_wireless.is_none() {
                questions.push(Question::properties(&path, CONNECTION));
            }
            self.connections.push((path, connection));
        }
        questions.extend(self.look_for_network());
        questions
    }

    /// Takes properties of a connection, and returns a question for its access point.
    fn take_connection(&mut self, path: &str, properties: &Properties<'_>) -> Vec<Question> {
        let connection = self.connections.iter_mut().find(|(other, _)| other == path);
        let Some((_, connection)) = connection else { return Vec::new() };
        update(&mut connection.is_wireless, properties, "Type", |value| {
            text(value).map(|kind| kind == "802-11-wireless")
        });
        // 2 is the state of a connection that is up.
        update(&mut connection.is_up, properties, "State", |value| number(value).map(|it| it == 2));
        update(&mut connection.access_point, properties, "SpecificObject", object);
        self.look_for_network().into_iter().collect()
    }

    /// Finds the access point of the first wireless connection that is up, and returns the question
    /// for its name.
    fn look_for_network(&mut self) -> Option<Question> {
        let is_joined = |it: &&Connection| it.is_wireless == Some(true) && it.is_up == Some(true);
        let connection = self.connections.iter().map(|(_, it)| it).find(is_joined);
        let Some(point) = connection.and_then(|it| it.access_point.clone()) else {
            // A connection that is not known yet may be the one.
            if self.connections.iter().all(|(_, it)| it.is_wireless.is_some()) {
                self.joined = Joined::None;
            }
            return None;
        };
        if self.joined.access_point() == Some(&point) {
            return None;
        }
        let question = Question::properties(&point, ACCESS_POINT);
        self.joined = Joined::Asked(point);
        Some(question)
    }

    fn take_access_point(&mut self, path: &str, answer: &Answer<'_>) {
        if self.joined != Joined::Asked(path.to_owned()) {
            return;
        }
        self.joined = match answer {
            Answer::Properties(properties) => {
                let name = properties.get("Ssid").map(bytes).unwrap_or_default();
                Joined::Network(path.to_owned(), name)
            }
            _ => Joined::Unknown,
        };
    }

    /// Counts a connection that does not say its kind, or is gone by now, as one that is not
    /// wireless.
    fn settle(&mut self, path: &str) -> Option<Question> {
        let connection = self.connections.iter_mut().find(|(other, _)| other == path);
        connection?.1.is_wireless.get_or_insert(false);
        self.look_for_network()
    }

    /// Returns the event of another state. The first one known is none.
    fn state_arrival(&mut self, time: u64) -> Option<Arrival> {
        if self.state == NetworkState::default() {
            return None;
        }
        let before = self.told.replace(self.state)?;
        let is_other = before != self.state;
        let values = self.state.values();
        is_other.then(|| Arrival::to_all(EventType::NetworkChanged, values, time)).flatten()
    }

    /// Returns an event for each extension that waits for the network that the machine is in.
    fn wifi_arrivals(&mut self, time: u64) -> Vec<Arrival> {
        let joined = match &self.joined {
            Joined::Unknown | Joined::Asked(_) => return Vec::new(),
            Joined::None => None,
            Joined::Network(_, name) => Some(name),
        };
        let ssid = joined.and_then(|name| name_of(name));
        let values: Vec<_> =
            ssid.iter().map(|ssid| ("ssid", EventValue::Text(ssid.as_str().to_owned()))).collect();
        self.wifi.arrivals(&values, time, |settings| match joined {
            Some(name) if wants(settings, ssid.as_ref()) => State::Is(name.clone()),
            _ => State::None,
        })
    }

    /// Forgets values without a listener, which may change unnoticed.
    fn forget_unheard(&mut self) {
        if !self.is_state_heard {
            (self.state, self.told) = (NetworkState::default(), None);
        }
        if self.wifi.is_empty() {
            (self.connections, self.joined) = (Vec::new(), Joined::Unknown);
        }
    }
}

impl Joined {
    fn access_point(&self) -> Option<&String> {
        match self {
            Self::Unknown | Self::None => None,
            Self::Asked(point) | Self::Network(point, _) => Some(point),
        }
    }
}

impl NetworkState {
    fn values(self) -> Vec<(&'static str, EventValue)> {
        let connectivity = self.connectivity.map(|it| EventValue::Text(it.to_owned()));
        let metered = self.is_metered.map(EventValue::Truth);
        known([("connectivity", connectivity), ("metered", metered)])
    }
}

/// Tells whether an extension waits for a network. One without a name is not a named one.
fn wants(settings: &Settings, ssid: Option<&Ssid>) -> bool {
    let Settings::Wifi { ssid: Some(wanted) } = settings else { return true };
    ssid.is_some_and(|ssid| wanted.contains(ssid))
}

fn connectivity(value: &Value<'_>) -> Option<&'static str> {
    match number(value)? {
        1 => Some("none"),
        2 => Some("portal"),
        3 => Some("limited"),
        4 => Some("full"),
        _ => None,
    }
}

/// Returns whether a connection costs by the byte, as it says or as NetworkManager guesses.
fn is_metered(value: &Value<'_>) -> Option<bool> {
    match number(value)? {
        1 | 3 => Some(true),
        2 | 4 => Some(false),
        _ => None,
    }
}

fn bytes(value: &Value<'_>) -> Vec<u8> {
    let byte =
        |value: &Value<'_>| if let Value::U8(byte) = plain(value) { Some(*byte) } else { None };
    let elements = elements(value).unwrap_or_default();
    elements.iter().filter_map(byte).take(MAX_NAME).collect()
}

/// Returns the name of a network, if it is one that a person can read.
fn name_of(name: &[u8]) -> Option<Ssid> {
    let name = std::str::from_utf8(name).ok()?;
    name.parse().ok().filter(|_| !name.contains(is_disruptive))
}

impl Service for NetworkManager {
    fn source_name(&self) -> &'static str {
        SOURCE
    }

    fn names(&self) -> Names {
        Names::One(NAME)
    }

    fn events(&self) -> Option<&'static [EventType]> {
        Some(EVENTS)
    }

    fn hear(&mut self, subscribers: &[Subscriber]) -> Vec<Rule> {
        self.is_state_heard = subscribers.iter().any(|it| it.hears_of(EventType::NetworkChanged));
        self.wifi.take(subscribers);
        self.forget_unheard();
        if subscribers.is_empty() {
            return Vec::new();
        }
        let mut rules = vec![Rule::properties(NAME, At::Object(ROOT), NAME)];
        if !self.wifi.is_empty() {
            rules.push(Rule::properties(NAME, At::Below(CONNECTIONS), CONNECTION));
        }
        rules
    }

    fn begin(&mut self, _: &str) -> Vec<Question> {
        vec![Question::properties(ROOT, NAME)]
    }

    fn end(&mut self, _: &str) {
        self.state = NetworkState::default();
        (self.connections, self.joined) = (Vec::new(), Joined::Unknown);
    }

    fn answer(&mut self, _: &str, question: &Question, answer: &Answer<'_>) -> Vec<Question> {
        let Question::Properties { path, interface } = question else { return Vec::new() };
        match (*interface, answer) {
            (NAME, Answer::Properties(properties)) => self.take_root(properties),
            (CONNECTION, Answer::Properties(properties)) => {
                let mut questions = self.take_connection(path, properties);
                questions.extend(self.settle(path));
                questions
            }
            (CONNECTION, _) => self.settle(path).into_iter().collect(),
            (ACCESS_POINT, answer) => {
                self.take_access_point(path, answer);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn signal(&mut self, _: &str, signal: &Signal<'_>) -> Vec<Question> {
        let Signal::Properties { path, interface, changed, is_partial } = signal else {
            return Vec::new();
        };
        let (mut questions, again) = match *interface {
            NAME if *path == ROOT => (self.take_root(changed), Question::properties(ROOT, NAME)),
            CONNECTION if self.connections.iter().any(|(known, _)| known == path) => {
                (self.take_connection(path, changed), Question::properties(path, CONNECTION))
            }
            _ => return Vec::new(),
        };
        if *is_partial {
            questions.push(again);
        }
        questions
    }

    fn take(&mut self, time: u64) -> Taken {
        let mut arrivals = self.wifi_arrivals(time);
        if self.is_state_heard {
            arrivals.extend(self.state_arrival(time));
        }
        Taken { arrivals, locked: None }
    }

    fn problem(&self) -> Option<String> {
        self.wifi.problem()
    }
}

#[cfg(test)]
mod tests;
