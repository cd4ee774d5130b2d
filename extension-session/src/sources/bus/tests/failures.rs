//! Forged signals, stolen names, and buses and services that come and go.

use super::*;

/// The number of connections to a bus.
fn connections(mock: &Mock) -> usize {
    let (bus, object) = ("org.freedesktop.DBus", "/org/freedesktop/DBus");
    let answer = mock.connection.call_method(Some(bus), object, Some(bus), "ListNames", &());
    let names: Vec<String> = answer.expect("an answer").body().deserialize().expect("names");
    names.iter().filter(|name| name.starts_with(':')).count()
}

/// A signal counts from the owner of the name alone, whether it is sent to all or to us.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn forged_signal_is_ignored() {
    let bus = PrivateBus::start();
    let (upower, forger) = (upower(&bus), Mock::connect(&bus.address()));
    let session = session(&bus, vec![hearing_all(&["power.source"])]);
    let asker = upower.asked(POWER.0);
    forger.tell(POWER, "OnBattery", true);
    forger.tell_to(Some(&asker), POWER, "OnBattery", true);
    session.nothing();
    upower.change(POWER, "OnBattery", true);
    assert_eq!(session.next(), "power.source on-battery=true");
}

/// The one who had the name before is not heard any more.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn stolen_name_is_followed() {
    let bus = PrivateBus::start();
    let (before, after) = (upower(&bus), Mock::connect(&bus.address()));
    let session = session(&bus, vec![hearing_all(&["power.source"])]);
    let asker = before.asked(POWER.0);
    after.set(POWER, "OnBattery", false);
    after.own(UPOWER);
    after.asked(POWER.0);
    before.tell(POWER, "OnBattery", true);
    before.tell_to(Some(&asker), POWER, "OnBattery", true);
    session.nothing();
    after.change(POWER, "OnBattery", true);
    assert_eq!(session.next(), "power.source on-battery=true");
}

/// A service that is not there is said to be absent, and heard when it comes and comes again.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn absent_service_is_heard_later() {
    let bus = PrivateBus::start();
    let session = session(&bus, vec![hearing_all(&["power.source"])]);
    for _ in 0..2 {
        session.until("upower", |state| {
            *state == SourceState::Absent("`org.freedesktop.UPower` is not on the bus".to_owned())
        });
        let is_open = || !session.engine.status().expect("running").is_locked;
        wait_for(is_open, "without logind nothing is locked");
        let upower = upower(&bus);
        upower.asked(POWER.0);
        session.until("upower", |state| *state == SourceState::Listening);
        upower.change(POWER, "OnBattery", true);
        assert_eq!(session.next(), "power.source on-battery=true");
        upower.change(POWER, "OnBattery", false);
        assert_eq!(session.next(), "power.source on-battery=false");
    }
}

/// A bus that ends is said, tried again, and listened to when it is back.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn restarted_bus_is_heard() {
    let mut bus = PrivateBus::start();
    let before = upower(&bus);
    let session = session(&bus, vec![hearing_all(&["power.source"])]);
    before.asked(POWER.0);
    bus.restart();
    drop(before);
    let upower = upower(&bus);
    upower.asked(POWER.0);
    upower.change(POWER, "OnBattery", true);
    assert_eq!(session.next(), "power.source on-battery=true");
}

/// Without a bus the engine runs, nothing is locked, and the state says why.
#[test]
fn missing_bus_is_said() {
    let directory = tempfile::tempdir().expect("a directory");
    let address = format!("unix:path={}", directory.path().join("none").display());
    let changing = Changing::default();
    changing.set(vec![hearing_all(&["power.source", "custom.*"])]);
    let login = LoginSession { id: None, memory: std::sync::Arc::new(Forgetful) };
    let (parts, delivered) = parts(&changing, system_bus_sources(Some(address), login));
    let session = Session { engine: Engine::start(parts).expect("started"), changing, delivered };
    session.until("upower", |state| match state {
        SourceState::Absent(reason) => reason.starts_with("cannot reach the system bus: "),
        _ => false,
    });
    assert_eq!(session.state("network-manager"), SourceState::Idle, "nothing hears of it");
    let is_open = || !session.engine.status().expect("running").is_locked;
    wait_for(is_open, "without a bus nothing is locked");
    let arrival =
        crate::Arrival::custom("custom.a".parse().expect("a name"), String::new(), "user", 0);
    session.engine.inbox().put(arrival).expect("running");
    assert_eq!(session.next(), "custom.a payload= from=user");
}

/// A connection is there while something is heard: one for each bus, and none before and after.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn idle_sources_have_no_connection() {
    let bus = PrivateBus::start();
    let watcher = Mock::connect(&bus.address());
    let session = session(&bus, Vec::new());
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(connections(&watcher), 1);
    assert_eq!(session.state("logind"), SourceState::Idle);
    for _ in 0..2 {
        session.changing.set(vec![hearing_all(&["power.source", "media.changed"])]);
        session.engine.inbox().changed().expect("running");
        wait_for(|| connections(&watcher) == 3, "a connection to each bus");
        session.changing.set(vec![hearing_all(&["custom.*"])]);
        session.engine.inbox().changed().expect("running");
        wait_for(|| connections(&watcher) == 2, "logind alone, for the lock");
        session.changing.set(Vec::new());
        session.engine.inbox().changed().expect("running");
        wait_for(|| connections(&watcher) == 1, "none");
    }
    drop(session.engine);
}

/// A storm of changes costs bounded memory and few deliveries, and delays nothing else.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn storm_costs_little() {
    const STORM: usize = 50_000;
    let bus = PrivateBus::start();
    let (logind, upower) = (logind(&bus), upower(&bus));
    let mut hearing = hearing_all(&["power.source", "system.sleep"]);
    hearing.min_interval = Duration::from_secs(1);
    let session = session(&bus, vec![hearing]);
    upower.asked(POWER.0);
    logind.asked(SESSION.0);
    let before = resident_kib();
    let storm = std::thread::spawn(move || {
        for at in 0..STORM {
            upower.tell(POWER, "OnBattery", at % 2 == 0);
        }
        upower
    });
    let asleep = Instant::now();
    logind.signal(MANAGER, "PrepareForSleep", true);
    let mut told = 0;
    while session.next() != "system.sleep" {
        told += 1;
    }
    assert!(asleep.elapsed() < Duration::from_secs(3), "{:?}", asleep.elapsed());
    let upower = storm.join().expect("a storm");
    upower.tell(POWER, "OnBattery", true);
    let begun = Instant::now();
    while session.delivered.recv_timeout(Duration::from_secs(2)).is_ok() {
        told += 1;
        assert!(begun.elapsed() < LONG, "it ends");
    }
    let seconds = asleep.elapsed().as_secs() + 1;
    assert!(told <= seconds + 1, "{told} deliveries in {seconds} seconds");
    let more = resident_kib().saturating_sub(before);
    assert!(more < 64 << 10, "{more} KiB more");
}

/// Returns the memory of this process.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
