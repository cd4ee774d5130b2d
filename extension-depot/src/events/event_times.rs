//! How far the timers of extensions came.

use std::collections::BTreeMap;

use core_types::ExtensionName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::files::state_file::{self, StateFile, StateFileError};
use crate::store::Depot;

/// The moments of timers: `~/.local/state/pds/extensions/events/state`.
///
/// ```
/// use extension_depot::{Depot, EventTimes, Places};
/// # let directory = tempfile::tempdir()?;
/// # let root = directory.path();
///
/// let depot = Depot::new(Places::below(root));
/// assert_eq!(depot.event_times()?, EventTimes::default());
/// let times = EventTimes { boot: "one".to_owned(), ..EventTimes::default() };
/// depot.keep_event_times(&times)?;
/// assert_eq!(depot.event_times()?, times);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventTimes {
    /// The start of the machine that `every` belongs to, by the name that the kernel gives it.
    #[serde(default)]
    pub boot: String,
    /// The next moment of each `time.every`, in milliseconds from that start.
    #[serde(default)]
    pub every: BTreeMap<ExtensionName, u64>,
    /// The moment up to which each `time.at` was delivered.
    #[serde(default)]
    pub at: BTreeMap<ExtensionName, Timestamp>,
}

impl StateFile for EventTimes {
    const FORMAT: u32 = 1;
}

impl Depot {
    /// Returns the moments of timers; none where none were kept.
    ///
    /// # Errors
    /// When the file cannot be read, or a newer sesame wrote it.
    pub fn event_times(&self) -> Result<EventTimes, StateFileError> {
        let times = state_file::read(&self.places().event_times())?;
        Ok(times.unwrap_or_default())
    }

    /// Keeps the moments of timers.
    ///
    /// # Errors
    /// When the file cannot be written, or a newer sesame wrote it.
    pub fn keep_event_times(&self, times: &EventTimes) -> Result<(), StateFileError> {
        state_file::write(&self.places().event_times(), times)
    }
}
