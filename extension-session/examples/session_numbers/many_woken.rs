//! Fifty extensions that the battery wakes, each at a charge of its own: what they cost while nothing
//! happens, the time from the signal to their notification, and many events in a minute.

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
    for round in 0..rounds.clamp(EXTENSIONS, 5 * EXTENSIONS) {
        times.add(notified(&desktop, charge(round % EXTENSIONS))?);
    }
    let what = "from the signal until the guest's notification is shown";
    figures.add_times(what, &mut times, [None, Some(5.0)])?;
    figures.add("memory after deliveries to all 50", service.memory()?, "MiB", None)?;
    let busy = busy_minute(&desktop, &service)?;
    figures.add(
        "processor with 1,000 events in a minute, guests included",
        busy,
        "% of a core",
        Some(3.0),
    )
}

/// Returns the charge that wakes an extension: odd, so that an even one wakes none.
fn charge(number: usize) -> usize {
    2 * number + 1
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

/// Sets a charge, and returns the time until the extension that it wakes has shown its notification.
fn notified(desktop: &Desktop, charge: usize) -> Result<Duration> {
    let told = desktop.set_percent(charge)?;
    let shown = desktop.shown.recv_timeout(Duration::from_secs(10))?;
    std::thread::sleep(PAUSE);
    Ok(shown.duration_since(told))
}

/// Wakes an extension a thousand times in a minute, and returns the share of a processor that the
/// service took.
fn busy_minute(desktop: &Desktop, service: &Service<'_>) -> Result<f64> {
    let (begun, before) = (Instant::now(), service.processor_seconds()?);
    for event in 0..1000 {
        desktop.set_percent(charge(event % EXTENSIONS))?;
        let next = begun + MINUTE * (event as u32 + 1) / 1000;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    Ok((service.processor_seconds()? - before) / begun.elapsed().as_secs_f64() * 100.0)
}
