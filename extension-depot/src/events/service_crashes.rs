//! Crashes of the session service, and the extensions that are put aside for them.

use std::collections::BTreeMap;
use std::time::Duration;

use core_types::{BootTime, Digest, ExtensionName};
use serde::{Deserialize, Serialize};

use super::running_extensions::{LeftBehind, RunningExtensions};
use crate::activity::Quarantine;
use crate::files::state_file::{self, StateFile, StateFileError};
use crate::store::Depot;

/// The time in which crashes are counted.
const WINDOW: Duration = Duration::from_secs(5 * 60);
/// The crashes within [`WINDOW`] after which an extension is put aside.
const MAX_CRASHES: usize = 3;

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
    /// Forgets what is of another start of the machine, or long ago.
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
    fn count(&mut self, name: &ExtensionName, pinned: Digest, now: BootTime) -> usize {
        let crashes = self.extensions.entry(name.clone());
        let crashes = crashes.or_insert_with(|| Crashes { pinned, moments: Vec::new() });
        if crashes.pinned != pinned {
            *crashes = Crashes { pinned, moments: Vec::new() };
        }
        crashes.moments.push(now.milliseconds());
        crashes.moments.len()
    }
}

impl Depot {
    /// Begins to keep which extensions a session service runs. Those that ran when the service
    /// before this one crashed are counted, and the ones with whom it crashed three times in five
    /// minutes are put aside and returned. `boot` is the name of this start of the machine.
    ///
    /// To be called by the one service alone, which has a [`SessionClaim`](crate::SessionClaim).
    ///
    /// # Errors
    /// When the files cannot be read or written.
    pub fn begin_running(
        &self,
        boot: &str,
        now: BootTime,
    ) -> Result<(RunningExtensions, Vec<(ExtensionName, Quarantine)>), StateFileError> {
        let path = self.places().running_extensions();
        let left = LeftBehind::at(&path);
        let put_aside = match left.boot == boot && !left.names.is_empty() {
            true => self.count_crash(&left.names, boot, now)?,
            false => Vec::new(),
        };
        let running = RunningExtensions::begin(&path, boot);
        let running = running.map_err(|source| StateFileError::Io { path, source })?;
        Ok((running, put_aside))
    }

    fn count_crash(
        &self,
        names: &[ExtensionName],
        boot: &str,
        now: BootTime,
    ) -> Result<Vec<(ExtensionName, Quarantine)>, StateFileError> {
        let path = self.places().service_crashes();
        let mut crashes: ServiceCrashes = state_file::read(&path)?.unwrap_or_default();
        crashes.forget_old(boot, now);
        let mut put_aside = Vec::new();
        for name in names {
            let Ok(installed) = self.installed(name) else { continue };
            let pinned = installed.artifact.digest;
            if crashes.count(name, pinned, now) >= MAX_CRASHES {
                crashes.extensions.remove(name);
                put_aside.push((name.clone(), self.note_service_crashes(name, pinned)?));
            }
        }
        state_file::write(&path, &crashes)?;
        Ok(put_aside)
    }

    fn note_service_crashes(
        &self,
        name: &ExtensionName,
        pinned: Digest,
    ) -> Result<Quarantine, StateFileError> {
        let quarantine = Quarantine::of_service(pinned, MAX_CRASHES);
        state_file::write(&self.places().health(name), &quarantine)?;
        Ok(quarantine)
    }
}
