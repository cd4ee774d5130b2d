//! `media.changed`, from every player that speaks MPRIS. Their values are text of strangers.

use std::collections::BTreeMap;

use core_types::ExtensionName;
use core_types::event::{EventType, EventValue, MAX_VALUE_BYTES, MediaPlayer, Settings};
use zbus::zvariant::Value;

use super::service::{Answer, At, Names, Properties, Question, Rule, Service, Signal, Taken};
use super::text::cleaned;
use super::values::{elements, entry, known, text};
use crate::delivery::{Arrival, Subscriber};

/// The beginning of the name of each player, without its dot.
const PREFIX: &str = "org.mpris.MediaPlayer2";
const OBJECT: &str = "/org/mpris/MediaPlayer2";
const INTERFACE: &str = "org.mpris.MediaPlayer2.Player";
const EVENTS: &[EventType] = &[EventType::MediaChanged];

/// The media players of the session.
#[derive(Debug, Default)]
pub(crate) struct MediaPlayers {
    /// The extensions that hear of players, each with the one that it waits for.
    wanted: BTreeMap<ExtensionName, Option<MediaPlayer>>,
    /// The players by their names on the bus.
    players: BTreeMap<String, Player>,
}

#[derive(Debug, Default)]
struct Player {
    playing: Playing,
    /// What extensions know of it.
    told: Option<Playing>,
    is_known: bool,
    is_gone: bool,
}

/// The piece that a player plays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Playing {
    status: Option<&'static str>,
    title: Option<String>,
    artist: Option<String>,
}

impl MediaPlayers {
    /// Returns the events of a player for the extensions that wait for it.
    fn arrivals(&self, bus_name: &str, playing: &Playing, time: u64) -> Vec<Arrival> {
        let player = player_of(bus_name);
        let values = playing.values(player);
        let wanting = self.wanted.iter().filter(|(_, wanted)| {
            let is_it = |wanted: &MediaPlayer| {
                wanted.as_str() == player || is_named(bus_name, wanted.as_str())
            };
            wanted.as_ref().is_none_or(is_it)
        });
        let arrival =
            |(name, _)| Arrival::to_one(name, EventType::MediaChanged, values.clone(), time);
        wanting.filter_map(arrival).collect()
    }
}

impl Player {
    /// Returns what it plays, if that is something else than before. A new player counts when it
    /// plays, and one that is gone has stopped.
    fn take(&mut self) -> Option<Playing> {
        if self.is_gone {
            self.playing = Playing { status: Some("stopped"), ..Playing::default() };
        }
        let is_silent = self.playing.status != Some("playing");
        let is_same = match &self.told {
            Some(told) => *told == self.playing,
            None => !self.is_known || is_silent,
        };
        if self.is_known {
            self.told = Some(self.playing.clone());
        }
        (!is_same).then(|| self.playing.clone())
    }
}

impl Playing {
    fn take_properties(&mut self, properties: &Properties<'_>) {
        if let Some(value) = properties.get("PlaybackStatus") {
            self.status = text(value).and_then(status);
        }
        if let Some(metadata) = properties.get("Metadata") {
            self.title = entry(metadata, "xesam:title").and_then(text).map(cleaned);
            self.artist = entry(metadata, "xesam:artist").and_then(artists);
        }
    }

    fn values(&self, player: &str) -> Vec<(&'static str, EventValue)> {
        known([
            ("player", Some(EventValue::Text(player.to_owned()))),
            ("status", self.status.map(|status| EventValue::Text(status.to_owned()))),
            ("title", self.title.clone().map(EventValue::Text)),
            ("artist", self.artist.clone().map(EventValue::Text)),
        ])
    }
}

fn status(text: &str) -> Option<&'static str> {
    match text {
        "Playing" => Some("playing"),
        "Paused" => Some("paused"),
        "Stopped" => Some("stopped"),
        _ => None,
    }
}

/// Returns the artists in one text: a list by the book, and a text of some players.
fn artists(value: &Value<'_>) -> Option<String> {
    if let Some(artist) = text(value) {
        return Some(cleaned(artist));
    }
    let mut all = String::new();
    for artist in elements(value)?.iter().filter_map(text) {
        if all.len() > MAX_VALUE_BYTES {
            break;
        }
        let separator = if all.is_empty() { "" } else { ", " };
        all.extend([separator, &cleaned(artist)]);
    }
    (!all.is_empty()).then(|| cleaned(&all))
}

/// Returns the player of a name on the bus, without its instance, which is often a process id.
fn player_of(bus_name: &str) -> &str {
    let player = bus_name.strip_prefix(PREFIX).unwrap_or(bus_name).trim_start_matches('.');
    player.find(".instance").map_or(player, |end| &player[..end])
}

/// Tells whether a name on the bus is that of a player, its instance included.
fn is_named(bus_name: &str, player: &str) -> bool {
    let rest = bus_name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('.'));
    rest == Some(player)
}

impl Service for MediaPlayers {
    fn source_name(&self) -> &'static str {
        "media-players"
    }

    fn names(&self) -> Names {
        Names::Below(PREFIX)
    }

    fn events(&self) -> Option<&'static [EventType]> {
        Some(EVENTS)
    }

    fn hear(&mut self, subscribers: &[Subscriber]) -> Vec<Rule> {
        if subscribers.is_empty() {
            *self = Self::default();
            return Vec::new();
        }
        let wanted = |subscriber: &Subscriber| {
            let player = match subscriber.settings_of(EventType::MediaChanged)? {
                Settings::Media { player } => player.clone(),
                _ => None,
            };
            Some((subscriber.name.clone(), player))
        };
        self.wanted = subscribers.iter().filter_map(wanted).collect();
        vec![Rule::properties_of_any(At::Object(OBJECT), INTERFACE)]
    }

    fn begin(&mut self, name: &str) -> Vec<Question> {
        self.players.entry(name.to_owned()).or_default().is_gone = false;
        vec![Question::properties(OBJECT, INTERFACE)]
    }

    fn end(&mut self, name: &str) {
        if let Some(player) = self.players.get_mut(name) {
            player.is_gone = true;
        }
    }

    fn answer(&mut self, name: &str, _: &Question, answer: &Answer<'_>) -> Vec<Question> {
        if let (Some(player), Answer::Properties(properties)) = (self.players.get_mut(name), answer)
        {
            player.playing.take_properties(properties);
            player.is_known = true;
        }
        Vec::new()
    }

    fn signal(&mut self, name: &str, signal: &Signal<'_>) -> Vec<Question> {
        let Signal::Properties { path: OBJECT, interface: INTERFACE, changed, is_partial } = signal
        else {
            return Vec::new();
        };
        if let Some(player) = self.players.get_mut(name) {
            player.playing.take_properties(changed);
        }
        let again = is_partial.then(|| Question::properties(OBJECT, INTERFACE));
        again.into_iter().collect()
    }

    fn take(&mut self, time: u64) -> Taken {
        let mut players = std::mem::take(&mut self.players);
        let mut arrivals = Vec::new();
        for (name, player) in &mut players {
            if let Some(playing) = player.take() {
                arrivals.extend(self.arrivals(name, &playing, time));
            }
        }
        players.retain(|_, player| !player.is_gone);
        self.players = players;
        Taken { arrivals, locked: None }
    }
}

#[cfg(test)]
mod tests;
