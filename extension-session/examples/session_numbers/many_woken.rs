//! The cost of fifty extensions that the battery wakes, two at each of 25 charges: idle, from a signal
//! to the first notification, and in a minute with many events.

use std::time::{Duration, Instant};

use test_support::asking;
use zbus::blocking::Connection;

use crate::Result;
use crate::desktop::Desktop;
use crate::figures::{Figures, Times};
use crate::home::{Home, Service};

const EXTENSIONS: usize = 50;
const MINUTE: Duration = Duration::from_secs(60);
/// Between two signals: one delivery ends before the next, and a source looks at most ten times a
/// second.
const PAUSE: Duration = Duration::from_millis(150);

pub fn measure(home: &Home, component: &str, rounds: usize, figures: &mut Figures) -> Result<()> {
    let declared = "[capabilities]\nnotification = true\n[events.\"power.battery\"]\n";
    let component = home.write("woken.wasm", &asking(&std::fs::read(component)?, declared))?;
    for number in 0..EXTENSIONS {
        home.install(&component, &format!("woken-{number}"), &settings(number))?;
    }
    let desktop = Desktop::start()?;
    let (service, _) = home.start(&Connection::session()?)?;
    // The first answers of UPower.
    std::thread::sleep(Duration::from_secs(1));
    figures.add("memory with 50 that may be woken, idle", service.memory()?, "MiB", Some(40.0))?;
    let wakings = wakings_in_a_minute(&service)?;
    figures.add("wake-ups in a minute with 50 that may be woken", wakings, "", Some(0.0))?;
    let mut times = Times::default();
    for number in (0..EXTENSIONS).step_by(2) {
        times.add(notified(&desktop, charge(number))?);
    }
    figures.add_times(
        "from the signal to the first notification of a guest",
        &mut times,
        [None, None],
    )?;
    let mut times = Times::default();
    for round in 0..rounds.clamp(EXTENSIONS, 3 * EXTENSIONS) {
        times.add(notified(&desktop, charge(2 * round % EXTENSIONS))?);
    }
    let what = "from the signal to a later one";
    figures.add_times(what, &mut times, [None, Some(5.0)])?;
    figures.add("memory after deliveries to all 50", service.memory()?, "MiB", None)?;
    let busy = busy_minute(home, &desktop, &service)?;
    figures.add(
        &format!("processor with {} events in a minute, guests included", busy.deliveries),
        busy.processor,
        "% of a core",
        Some(3.0),
    )
}

/// Returns the charge that wakes an extension.
fn charge(number: usize) -> usize {
    number / 2 * 2 + 1
}

fn settings(number: usize) -> Vec<String> {
    let charge = charge(number);
    let (above, below) = (charge - 1, charge + 1);
    vec![
        r#"[events."power.battery"]"#.to_owned(),
        format!("above = {above}"),
        format!("below = {below}"),
    ]
}

fn wakings_in_a_minute(service: &Service<'_>) -> Result<f64> {
    let before = service.wakings()?;
    std::thread::sleep(MINUTE);
    Ok(service.wakings()? - before)
}

/// Sets a charge, and returns the time until one of the extensions that it wakes has shown its
/// notification.
fn notified(desktop: &Desktop, charge: usize) -> Result<Duration> {
    let told = desktop.set_percent(charge)?;
    let shown = desktop.shown.recv_timeout(Duration::from_secs(10))?;
    std::thread::sleep(PAUSE);
    desktop.shown.try_iter().for_each(drop);
    Ok(shown.duration_since(told))
}

/// The cost of a minute with many events.
struct BusyMinute {
    deliveries: usize,
    /// The share of a processor, in percent.
    processor: f64,
}

/// Sends 500 signals in a minute, each of which wakes two extensions.
fn busy_minute(home: &Home, desktop: &Desktop, service: &Service<'_>) -> Result<BusyMinute> {
    let (begun, before, first) = (Instant::now(), service.processor_seconds()?, home.deliveries()?);
    for signal in 0..500 {
        desktop.set_percent(charge(2 * signal % EXTENSIONS))?;
        let next = begun + MINUTE * (signal as u32 + 1) / 500;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    let processor = service.processor_seconds()? - before;
    Ok(BusyMinute {
        deliveries: home.deliveries()? - first,
        processor: processor / begun.elapsed().as_secs_f64() * 100.0,
    })
}
