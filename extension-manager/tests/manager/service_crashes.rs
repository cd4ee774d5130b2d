//! Crashes of the session service, and the extensions that ran then.

use std::time::Duration;

use core_types::{BootTime, ExtensionName};
use extension_manager::{CallMode, Manager};

use crate::support::{Home, name};

fn at(seconds: u64) -> BootTime {
    BootTime::since_boot(Duration::from_secs(seconds))
}

/// Starts a service after one that crashed while this extension ran, and returns who is put aside.
fn crash(manager: &Manager, running: &str, boot: &str, seconds: u64) -> Vec<ExtensionName> {
    let depot = manager.depot();
    let (service, _) = depot.begin_running(boot, at(seconds)).expect("begun");
    service.during(&name(running), || {
        let (_, put_aside) = depot.begin_running(boot, at(seconds)).expect("begun");
        put_aside.into_iter().map(|(name, _)| name).collect()
    })
}

/// Three crashes within five minutes of one start of the machine count, and no others do.
#[test]
fn crashes_in_a_row_put_aside() {
    let home = Home::new("");
    home.install("greeting", &["config-read"]);
    let manager = home.manager();
    let calls = || manager.callable(&name("greeting"), CallMode::Ordinary).is_ok();
    for (boot, seconds) in [("one", 0), ("one", 100), ("two", 200), ("two", 300), ("two", 501)] {
        assert_eq!(crash(&manager, "greeting", boot, seconds), []);
        assert_eq!(crash(&manager, "other", boot, seconds), [], "it is not installed");
    }
    assert!(calls());
    assert_eq!(crash(&manager, "greeting", "two", 599), [name("greeting")]);
    assert!(!calls());
    manager.depot().forget_failures(&name("greeting")).expect("forgotten");
    assert!(calls());
    assert_eq!(crash(&manager, "greeting", "two", 600), [], "it begins anew");
}
