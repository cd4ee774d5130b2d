//! The moments of timers and the events of login sessions, in the state of sesame.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use core_types::event::EventName;
use core_types::{BootTime, Digest, ExtensionName};
use extension_depot::{BegunRunning, EventTimes, StateFileError};
use extension_host::boot_time;
use extension_manager::Manager;

use crate::engine::{LastDue, TimerMemory, Unremembered};
use crate::sources::SessionMemory;

/// The name of this start of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// A name is a UUID with a line end.
const MAX_BOOT_ID: u64 = 64;

/// Keeps the moments of timers and the events of login sessions in the places of a manager.
pub struct EventMemory {
    manager: Arc<Manager>,
    boot: String,
}

impl EventMemory {
    /// Takes the state of a manager.
    pub fn of(manager: Arc<Manager>) -> Self {
        Self { manager, boot: boot_name() }
    }
}

/// Begins to record which extensions a service runs, where the manager keeps its state:
/// [`Depot::begin_running`](extension_depot::Depot::begin_running) in this start of the machine.
pub fn begin_running(manager: &Manager) -> BegunRunning {
    manager.depot().begin_running(&boot_name(), boot_time())
}

/// Returns the name of this start of the machine; nothing where the kernel does not give one.
fn boot_name() -> String {
    let boot = extension_depot::read_regular(BOOT_ID.as_ref(), MAX_BOOT_ID).unwrap_or_default();
    String::from_utf8_lossy(&boot).trim().to_owned()
}

fn unremembered(error: StateFileError) -> Unremembered {
    Unremembered(Box::new(error))
}

impl TimerMemory for EventMemory {
    fn read(&self) -> Result<LastDue, Unremembered> {
        let depot = self.manager.depot();
        let times = depot.event_times().map_err(unremembered)?;
        // Milliseconds from another start say nothing about this one.
        let is_same = times.boot == self.boot && !self.boot.is_empty();
        let every = if is_same { times.every } else { BTreeMap::new() };
        let moment = |(name, since): (ExtensionName, u64)| {
            (name, BootTime::since_boot(Duration::from_millis(since)))
        };
        Ok(LastDue::new(every.into_iter().map(moment), times.at))
    }

    fn write(&self, last: &LastDue) -> Result<(), Unremembered> {
        let every = last.all_every().map(|(name, next)| (name.clone(), next.milliseconds()));
        let times = EventTimes {
            boot: self.boot.clone(),
            every: every.collect(),
            at: last.all_at().map(|(name, seen)| (name.clone(), seen)).collect(),
        };
        self.manager.depot().keep_event_times(&times).map_err(unremembered)
    }

    fn leave(&self, name: &ExtensionName, event: &EventName) -> Result<(), Unremembered> {
        let mut told = self.told(event)?;
        match told.remove(name) {
            Some(_) => self.keep_told(event, &told),
            None => Ok(()),
        }
    }
}

impl SessionMemory for EventMemory {
    fn begin(&self, session: &str) -> Result<bool, Unremembered> {
        self.manager.depot().begin_session(&self.boot, session).map_err(unremembered)
    }

    fn told(&self, event: &EventName) -> Result<BTreeMap<ExtensionName, Digest>, Unremembered> {
        self.manager.depot().told_states(event).map_err(unremembered)
    }

    fn keep_told(
        &self,
        event: &EventName,
        told: &BTreeMap<ExtensionName, Digest>,
    ) -> Result<(), Unremembered> {
        self.manager.depot().keep_told_states(event, told).map_err(unremembered)
    }
}
