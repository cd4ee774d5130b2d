//! Crashes of the session service, and the extensions that are quarantined for them.

use std::collections::BTreeMap;
use std::time::Duration;

use core_types::{BootTime, Digest, ExtensionName};
use serde::{Deserialize, Serialize};

use super::running_extensions::{PreviousRun, RunningExtensions};
use crate::activity::Quarantine;
use crate::files::state_file::{self, StateFile, StateFileError};
use crate::store::Depot;

/// The time in which crashes are counted.
const WINDOW: Duration = Duration::from_secs(5 * 60);
/// The crashes within [`WINDOW`] after which an extension is quarantined.
const MAX_CRASHES: u32 = 3;

/// A record of running extensions that has begun, and the crashes that were counted for it.
#[derive(Debug, Default)]
pub struct BegunRunning {
    /// The record.
    pub running: RunningExtensions,
    /// The extensions that ran at each of the last crashes, and are not called any more.
    pub quarantined: Vec<(ExtensionName, Quarantine)>,
    /// The reason why a crash is not counted: this one, or without a record the next one.
    pub problem: Option<StateFileError>,
}

/// `~/.local/state/pds/extensions/events/crashes`: the crashes of the service in the last minutes.
#[derive(Debug, Default, Serialize, Deserialize)]
struct ServiceCrashes {
    /// The start of the machine that the moments belong to.
    #[serde(default)]
    boot: String,
    /// The extensions that ran then.
    #[serde(default)]
    extensions: BTreeMap<ExtensionName, Crashes>,
}

/// The crashes during which an extension ran.
#[derive(Debug, Serialize, Deserialize)]
struct Crashes {
    /// Its digest. Another version starts anew.
    pinned: Digest,
    /// Their moments, in milliseconds from the start of the machine.
    moments: Vec<u64>,
}

impl StateFile for ServiceCrashes {
    const FORMAT: u32 = 1;
}

impl ServiceCrashes {
    /// Forgets crashes of another start of the machine, and those of long ago.
    fn forget_old(&mut self, boot: &str, now: BootTime) {
        if self.boot != boot {
            *self = Self { boot: boot.to_owned(), ..Self::default() };
        }
        let is_recent =
            |moment: &u64| now.since(BootTime::since_boot(Duration::from_millis(*moment))) < WINDOW;
        for crashes in self.extensions.values_mut() {
            crashes.moments.retain(is_recent);
        }
        self.extensions.retain(|_, crashes| !crashes.moments.is_empty());
    }

    /// Counts a crash, and returns how many there were lately.
    fn count(&mut self, name: &ExtensionName, pinned: Digest, now: BootTime) -> u32 {
        let crashes = self.extensions.entry(name.clone());
        let crashes = crashes.or_insert_with(|| Crashes { pinned, moments: Vec::new() });
        if crashes.pinned != pinned {
            *crashes = Crashes { pinned, moments: Vec::new() };
        }
        crashes.moments.push(now.milliseconds());
        u32::try_from(crashes.moments.len()).unwrap_or(u32::MAX)
    }
}

impl Depot {
    /// Begins to record which extensions a session service runs. Those that ran when the service before
    /// this one crashed are counted, and each that ran at three crashes within five minutes is
    /// quarantined: which of them crashed the service is not known. `boot` is the name of this start of
    /// the machine.
    ///
    /// To be called by the one service alone, which has a [`SessionClaim`](crate::SessionClaim). A
    /// record that cannot be written, or that another service has, is a problem and no reason not to
    /// run.
    pub fn begin_running(&self, boot: &str, now: BootTime) -> BegunRunning {
        let path = self.places().running_extensions();
        let (running, previous) = match RunningExtensions::begin(&path, boot) {
            Ok(begun) => begun,
            Err(source) => {
                let problem = Some(StateFileError::Io { path, source });
                return BegunRunning { problem, ..BegunRunning::default() };
            }
        };
        let mut quarantined = Vec::new();
        let counted = match previous.boot == boot && !previous.names.is_empty() {
            true => self.count_crash(&previous, now, &mut quarantined),
            false => Ok(()),
        };
        BegunRunning { running, quarantined, problem: counted.err() }
    }

    fn count_crash(
        &self,
        PreviousRun { boot, names }: &PreviousRun,
        now: BootTime,
        quarantined: &mut Vec<(ExtensionName, Quarantine)>,
    ) -> Result<(), StateFileError> {
        let path = self.places().service_crashes();
        let mut crashes: ServiceCrashes = state_file::read_or_begin(&path)?;
        crashes.forget_old(boot, now);
        for name in names {
            let Ok(installed) = self.installed(name) else { continue };
            let pinned = installed.artifact.digest;
            let counted = crashes.count(name, pinned, now);
            if counted >= MAX_CRASHES {
                crashes.extensions.remove(name);
                let quarantine = Quarantine::of_service(pinned, counted);
                state_file::write(&self.places().health(name), &quarantine)?;
                quarantined.push((name.clone(), quarantine));
            }
        }
        state_file::write(&path, &crashes)
    }
}
