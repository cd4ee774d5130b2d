//! Each event once, from a service to an extension.

use std::collections::HashMap;

use zbus::zvariant::{ObjectPath, Value};

use super::*;
use crate::Arrival;

/// The lock and the idleness of the session wake, and the lock holds other events back.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn session_and_sleep_wake() {
    let bus = PrivateBus::start();
    let logind = logind(&bus);
    let session = session(&bus, vec![hearing_all(&["session.*", "system.*", "custom.*"])]);
    assert_eq!(session.next(), "session.start");
    logind.change(SESSION, "LockedHint", true);
    assert_eq!(session.next(), "session.locked");
    assert!(session.engine.status().expect("running").is_locked);
    let held = Arrival::custom("custom.a".parse().expect("a name"), String::new(), "user", 0);
    session.engine.inbox().put(held).expect("running");
    session.nothing();
    logind.change(SESSION, "LockedHint", false);
    let mut both = [session.next(), session.next()];
    both.sort();
    assert_eq!(both, ["custom.a payload= from=user", "session.unlocked"]);
    logind.change(SESSION, "IdleHint", true);
    assert_eq!(session.next(), "session.idle");
    logind.change(SESSION, "IdleHint", false);
    assert_eq!(session.next(), "session.active");
    logind.signal(MANAGER, "PrepareForSleep", true);
    assert_eq!(session.next(), "system.sleep");
    logind.signal(MANAGER, "PrepareForSleep", false);
    assert_eq!(session.next(), "system.wake");
}

#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn power_wakes() {
    const BATTERY: (&str, &str) =
        ("/org/freedesktop/UPower/devices/DisplayDevice", "org.freedesktop.UPower.Device");
    let bus = PrivateBus::start();
    let upower = upower(&bus);
    upower.set(BATTERY, "Percentage", 50.0);
    upower.set(BATTERY, "State", 2_u32);
    upower.set(BATTERY, "IsPresent", true);
    let below = core_types::parse_toml::<core_types::event::EventTables>(
        "[\"power.battery\"]\nbelow = 20\ncharging = false",
    );
    let settings =
        below.expect("settings").value.settings(&"power.battery".parse().expect("a name"));
    let mut hearing = hearing("power.battery", settings.expect("settings"));
    hearing.wakes.push(Wake::by("power.source".parse().expect("a pattern")));
    let session = session(&bus, vec![hearing]);
    upower.asked(POWER.0);
    upower.asked(BATTERY.0);
    upower.change(POWER, "OnBattery", true);
    assert_eq!(session.next(), "power.source on-battery=true");
    upower.change(BATTERY, "Percentage", f64::NAN);
    upower.change(BATTERY, "Percentage", "none");
    session.nothing();
    upower.change(BATTERY, "Percentage", 19.5);
    assert_eq!(session.next(), "power.battery percent=19 charging=false");
    upower.change(BATTERY, "Percentage", 18.0);
    session.nothing();
}

#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn network_wakes() {
    const NAME: &str = "org.freedesktop.NetworkManager";
    const ROOT: (&str, &str) = ("/org/freedesktop/NetworkManager", NAME);
    const WIRELESS: (&str, &str) = (
        "/org/freedesktop/NetworkManager/ActiveConnection/1",
        "org.freedesktop.NetworkManager.Connection.Active",
    );
    const POINT: (&str, &str) = ("/ap/1", "org.freedesktop.NetworkManager.AccessPoint");
    let bus = PrivateBus::start();
    let network = Mock::connect(&bus.address());
    network.set(ROOT, "Connectivity", 1_u32);
    network.set(ROOT, "Metered", 2_u32);
    network.set(WIRELESS, "Type", "802-11-wireless");
    network.set(WIRELESS, "State", 1_u32);
    network.set(WIRELESS, "SpecificObject", ObjectPath::try_from(POINT.0).expect("a path"));
    network.set(POINT, "Ssid", b"home".to_vec());
    network.own(NAME);
    let session = session(&bus, vec![hearing_all(&["network.changed", "network.wifi"])]);
    network.asked(ROOT.0);
    network.change(ROOT, "Connectivity", 4_u32);
    assert_eq!(session.next(), "network.changed connectivity=full metered=false");
    let connections = vec![ObjectPath::try_from(WIRELESS.0).expect("a path")];
    network.change(ROOT, "ActiveConnections", connections);
    network.asked(WIRELESS.0);
    network.change(WIRELESS, "State", 2_u32);
    assert_eq!(session.next(), "network.wifi ssid=home");
}

#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn player_wakes() {
    const PLAYER: (&str, &str) = ("/org/mpris/MediaPlayer2", "org.mpris.MediaPlayer2.Player");
    let bus = PrivateBus::start();
    let (there, comes) = (Mock::connect(&bus.address()), Mock::connect(&bus.address()));
    there.set(PLAYER, "PlaybackStatus", "Paused");
    there.own("org.mpris.MediaPlayer2.mpv.instance42");
    let session = session(&bus, vec![hearing_all(&["media.changed"])]);
    there.asked(PLAYER.0);
    let metadata: HashMap<&str, Value<'_>> =
        HashMap::from([("xesam:title", "A".into()), ("xesam:artist", vec!["B", "C"].into())]);
    there.change(PLAYER, "Metadata", metadata);
    assert_eq!(session.next(), "media.changed player=mpv status=paused title=A artist=B, C");
    comes.set(PLAYER, "PlaybackStatus", "Playing");
    comes.own("org.mpris.MediaPlayer2.vlc");
    assert_eq!(session.next(), "media.changed player=vlc status=playing");
    drop(comes);
    assert_eq!(session.next(), "media.changed player=vlc status=stopped");
}

/// A change that comes together with the first state is a change.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn change_behind_the_first_state_wakes() {
    for _ in 0..10 {
        let bus = PrivateBus::start();
        let upower = upower(&bus);
        upower.change_behind_answer(POWER, "OnBattery", true);
        let session = session(&bus, vec![hearing_all(&["power.source"])]);
        assert_eq!(session.next(), "power.source on-battery=true");
    }
}
