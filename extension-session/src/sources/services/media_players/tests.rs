//! What media players say, and what comes of it.

use std::collections::HashMap;

use proptest::prelude::*;
use zbus::zvariant::Value;

use super::*;
use crate::Wake;
use crate::testing::subscriber;

const MPV: &str = "org.mpris.MediaPlayer2.mpv";

fn hearing(player: Option<&str>) -> MediaPlayers {
    let by = Wake::by("media.changed".parse().expect("a pattern"));
    let settings = Settings::Media { player: player.map(|player| player.parse().expect(player)) };
    let mut players = MediaPlayers::default();
    players.hear(&[subscriber("a", vec![Wake { settings, ..by }])]);
    players
}

fn playing<'a>(status: &'a str, title: Value<'a>, artist: Value<'a>) -> Properties<'a> {
    let metadata = HashMap::from([("xesam:title", title), ("xesam:artist", artist)]);
    HashMap::from([("PlaybackStatus", status.into()), ("Metadata", metadata.into())])
}

/// Makes a player known, and returns what is told of it.
fn appears(players: &mut MediaPlayers, name: &str, values: Properties<'_>) -> Vec<String> {
    for question in players.begin(name) {
        assert!(told(players).is_empty(), "nothing is known yet");
        let copy = values.iter().map(|(key, it)| (*key, it.try_clone().expect("a copy"))).collect();
        players.answer(name, &question, &Answer::Properties(copy));
    }
    told(players)
}

fn changes(players: &mut MediaPlayers, name: &str, changed: Properties<'_>) -> Vec<String> {
    let (path, interface) = (OBJECT, INTERFACE);
    players.signal(name, &Signal::Properties { path, interface, changed, is_partial: false });
    told(players)
}

fn told(players: &mut MediaPlayers) -> Vec<String> {
    let arrivals = players.take(0).arrivals;
    arrivals.into_iter().map(|arrival| shown(&arrival)).collect()
}

fn shown(arrival: &Arrival) -> String {
    let value = |(name, value): &(&str, EventValue)| match value {
        EventValue::Text(text) => format!("{name}={text}"),
        other => panic!("{other:?}"),
    };
    arrival.occurrence.values.iter().map(value).collect::<Vec<_>>().join(" ")
}

#[test]
fn change_of_player_is_told() {
    let mut players = hearing(None);
    assert!(appears(&mut players, MPV, playing("Paused", "A".into(), vec!["B"].into())).is_empty());
    let status = HashMap::from([("PlaybackStatus", "Playing".into())]);
    let expected = "player=mpv status=playing title=A artist=B";
    assert_eq!(changes(&mut players, MPV, status), [expected]);
    let same = playing("Playing", "A".into(), vec!["B"].into());
    assert!(changes(&mut players, MPV, same).is_empty());
    let next = playing("Playing", "C".into(), vec!["D", "E"].into());
    assert_eq!(changes(&mut players, MPV, next), ["player=mpv status=playing title=C artist=D, E"]);
    players.end(MPV);
    assert_eq!(told(&mut players), ["player=mpv status=stopped"]);
    assert!(told(&mut players).is_empty() && players.players.is_empty());
}

/// A new player counts when it plays.
#[test]
fn new_player_is_told_while_playing() {
    let mut players = hearing(None);
    let values = playing("Playing", "A".into(), "B".into());
    let told = appears(&mut players, MPV, values);
    assert_eq!(told, ["player=mpv status=playing title=A artist=B"]);
}

/// A process id in the name of an instance is not told, and a filter needs it not.
#[test]
fn instance_is_left_out() {
    for (filter, name, expected) in [
        (Some("vlc"), "vlc.instance4242", Some("vlc")),
        (Some("vlc.instance4242"), "vlc.instance4242", Some("vlc")),
        (Some("vlc"), "vlc", Some("vlc")),
        (Some("vlc"), "vlc2", None),
        (Some("vlc"), "mpv", None),
        (Some("io.github.Player"), "io.github.Player.instance-1", Some("io.github.Player")),
        (None, "firefox.instance_1_2", Some("firefox")),
    ] {
        let mut players = hearing(filter);
        let name = format!("{PREFIX}.{name}");
        let told = appears(&mut players, &name, playing("Playing", "A".into(), "B".into()));
        let expected =
            expected.map(|player| format!("player={player} status=playing title=A artist=B"));
        assert_eq!(told, Vec::from_iter(expected), "{filter:?} {name}");
    }
}

/// Values of another type are left out, text is cleaned and cut.
#[test]
fn hostile_values_are_cleaned() {
    let long = "ü".repeat(1 << 20);
    for (title, artist, expected) in [
        ("a\u{1b}[2J\n\u{202e}b".into(), vec!["c\u{7}", "\0d"].into(), " title=a[2Jb artist=c, d"),
        (Value::from(1_u32), 2.5.into(), ""),
        (vec!["a"].into(), vec![1_u32, 2].into(), ""),
        (f64::NAN.into(), vec![vec!["a"]].into(), ""),
    ] {
        let mut players = hearing(None);
        let told = appears(&mut players, MPV, playing("Playing", title, artist));
        assert_eq!(told, [format!("player=mpv status=playing{expected}")]);
    }
    let mut players = hearing(None);
    let many: Vec<_> = std::iter::repeat_n(long.as_str(), 8).collect();
    let told = appears(&mut players, MPV, playing("Playing", long.as_str().into(), many.into()));
    assert!(told[0].len() <= 2 * MAX_VALUE_BYTES + 64, "{}", told[0].len());
    let odd = HashMap::from([("PlaybackStatus", "\u{1b}".into()), ("Metadata", "text".into())]);
    assert_eq!(changes(&mut players, MPV, odd), ["player=mpv"], "known no more");
}

proptest! {
    /// Whatever a title is, it comes as a short text that disrupts nothing.
    #[test]
    fn no_title_disrupts(title: String) {
        let mut players = hearing(None);
        let values = playing("Playing", title.as_str().into(), "B".into());
        let told = appears(&mut players, MPV, values);
        prop_assert!(!told[0].contains(super::super::text::is_disruptive));
    }
}
