//! The state of the service, for `sesame session status`.

use serde::{Deserialize, Serialize};

use crate::engine::Status;
use crate::sources::SourceState;

/// The service at one moment. It travels as JSON: a command of another version skips unknown
/// members.
///
/// ```
/// use extension_session::ServiceStatus;
///
/// let status: ServiceStatus = serde_json::from_str(r#"{"pid": 42, "version": "0.2.0"}"#)?;
/// assert!(status.pid == 42 && status.sources.is_empty());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceStatus {
    /// The number of its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// The path of its executable.
    pub executable: String,
    /// Whether no extension is called, as the user wants it.
    pub is_safe_mode: bool,
    /// Whether the session is locked, as far as the service was told.
    pub is_locked: bool,
    /// The sources of events, by name.
    pub sources: Vec<SourceLine>,
    /// The extensions that something may wake, by name.
    pub extensions: Vec<ExtensionLoad>,
    /// The deliveries at this moment.
    pub deliveries: usize,
    /// What programs ask for at this moment.
    pub bus: BusLoad,
    /// The last thing that could not be done.
    pub problem: Option<String>,
}

/// A source of events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceLine {
    /// Its name.
    pub name: String,
    /// `listening`, `idle` or `absent`.
    pub state: String,
    /// The reason why it is absent.
    pub reason: Option<String>,
}

/// The load of one extension.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExtensionLoad {
    /// Its name.
    pub name: String,
    /// The number of events that wait for it.
    pub waiting: usize,
    /// Its deliveries in the current minute.
    pub deliveries: u32,
    /// Whether it has used up what it may use in this minute.
    pub is_over_budget: bool,
    /// The milliseconds until the next moment of its `time.every`.
    pub next_every_ms: Option<u64>,
    /// The next moment of its `time.at`, in the form of RFC 3339.
    pub next_at: Option<String>,
}

/// What programs ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BusLoad {
    /// The calls that run or wait.
    pub calls: usize,
    /// The watches.
    pub watches: usize,
}

impl ServiceStatus {
    /// Makes it of the state of this process and of its engine.
    pub(super) fn of(status: Status, bus: BusLoad) -> Self {
        let now = extension_host::boot_time();
        let until = |moment: core_types::BootTime| {
            u64::try_from(moment.since(now).as_millis()).unwrap_or(u64::MAX)
        };
        let load = |load: crate::engine::Load| ExtensionLoad {
            name: load.name.to_string(),
            waiting: load.waiting,
            deliveries: load.deliveries,
            is_over_budget: load.is_over_budget,
            next_every_ms: load.next_every.map(until),
            next_at: load.next_at.map(|moment| moment.timestamp().to_string()),
        };
        Self {
            pid: std::process::id(),
            is_locked: status.is_locked,
            sources: status.sources.into_iter().map(SourceLine::from).collect(),
            extensions: status.extensions.into_iter().map(load).collect(),
            deliveries: status.running,
            bus,
            problem: status.problem,
            ..Self::default()
        }
    }
}

impl From<(&'static str, SourceState)> for SourceLine {
    fn from((name, state): (&'static str, SourceState)) -> Self {
        let (state, reason) = match state {
            SourceState::Listening => ("listening", None),
            SourceState::Idle => ("idle", None),
            SourceState::Absent(reason) => ("absent", Some(reason)),
        };
        Self { name: name.to_owned(), state: state.to_owned(), reason }
    }
}
