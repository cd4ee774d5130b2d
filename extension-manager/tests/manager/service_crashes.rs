//! Crashes of the session service, and the extensions that ran then.

use std::time::Duration;

use core_types::{BootTime, ExtensionName};
use extension_host::Arguments;
use extension_manager::CallMode;

use crate::support::{Home, name};

fn at(seconds: u64) -> BootTime {
    BootTime::since_boot(Duration::from_secs(seconds))
}

/// Starts a service after one that crashed while this extension ran, and returns who is quarantined.
fn crash(home: &Home, running: &str, boot: &str, seconds: u64) -> Vec<ExtensionName> {
    let manager = home.manager();
    let begin = || manager.depot().begin_running(boot, at(seconds));
    let record = home.places().state.join("extensions/events/running");
    let begun = begin();
    let left = begun.running.track(&name(running), || std::fs::read(&record).expect("read"));
    drop(begun);
    std::fs::write(&record, left).expect("written");
    let begun = begin();
    assert!(begun.problem.is_none(), "{:?}", begun.problem);
    begun.running.end();
    begun.quarantined.into_iter().map(|(name, _)| name).collect()
}

/// Three crashes within five minutes of one start of the machine count, and no others do.
#[test]
fn three_crashes_quarantine() {
    let home = Home::new("");
    home.install("greeting", &["config-read"]);
    let manager = home.manager();
    let calls = || manager.callable(&name("greeting"), CallMode::Ordinary).is_ok();
    for (boot, seconds) in [("one", 0), ("one", 100), ("two", 200), ("two", 300), ("two", 501)] {
        assert_eq!(crash(&home, "greeting", boot, seconds), []);
        assert_eq!(crash(&home, "other", boot, seconds), [], "it is not installed");
    }
    assert!(calls());
    assert_eq!(crash(&home, "greeting", "two", 599), [name("greeting")]);
    assert!(!calls());
    manager.depot().forget_failures(&name("greeting")).expect("forgotten");
    assert!(calls());
    assert_eq!(crash(&home, "greeting", "two", 600), [], "it begins anew");
    let history = home.places().state.join("extensions/events/crashes");
    std::fs::write(&history, "{").expect("written");
    assert_eq!(crash(&home, "greeting", "two", 601), [], "a damaged history begins anew");
}

/// A call that began before the quarantine does not lift it, however it ends.
#[test]
fn quarantine_outlasts_running_calls() {
    let home = Home::new("");
    home.install("greeting", &["config-read"]);
    let manager = home.manager();
    let callable = manager.callable(&name("greeting"), CallMode::Ordinary).expect("callable");
    for seconds in [1, 2, 3] {
        crash(&home, "greeting", "boot", seconds);
    }
    let report = callable.call_blocking("greet", &Arguments::words(["World"]));
    assert!(report.outcome.is_ok());
    assert!(manager.callable(&name("greeting"), CallMode::Ordinary).is_err());
}
