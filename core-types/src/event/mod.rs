//! The events that can wake an extension: the table of them, their names and patterns over names,
//! the settings that manifests have for them, and an event as it is delivered.

mod name;
mod nearest;
mod occurrence;
mod pattern;
mod setting;
mod setting_values;
mod settings;
mod spec;
mod table;
mod tables;
mod value;

pub use name::{EventName, EventNameError};
pub(crate) use nearest::nearest_name;
pub use occurrence::{MAX_EVENT_BYTES, MAX_VALUE_BYTES, Occurrence, OccurrenceError};
pub use pattern::{EventPattern, EventPatternError};
pub use setting::Setting;
pub use setting_values::{Interval, MediaPlayer, Percent, Ssid, TimeOfDay, WatchedPath, Weekday};
#[cfg(feature = "schema")]
pub(crate) use setting_values::{MAX_PATHS, MAX_SSIDS, MAX_TIMES};
pub use settings::{MissingSetting, Settings};
pub use spec::{EventSpec, EventType, Kind, ValueKind, ValueSpec};
pub use table::EventTable;
pub use tables::{AuthorEvents, EventTables};
pub use value::{EventValue, EventValueError};
