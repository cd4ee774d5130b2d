//! The record of the extensions that run, for the service after this one.

use std::sync::Arc;

use core_types::ExtensionName;
use extension_depot::{BegunRunning, Quarantine, RunningExtensions, StateFileError};
use extension_host::boot_time;
use extension_manager::Manager;

use super::event_memory::boot_name;

/// Records which extensions a service runs, so that one that crashes it again and again is quarantined.
/// By default nothing is recorded.
///
/// ```
/// use extension_session::Running;
///
/// let answer = Running::default().track(&"weather".parse()?, || 42);
/// assert_eq!(answer, 42);
/// # Ok::<(), core_types::NameError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Running(Option<Arc<RunningExtensions>>);

/// The beginning of a record.
#[derive(Debug)]
pub struct BegunRecord {
    /// The record.
    pub running: Running,
    /// The extensions that ran at each of the last crashes of a service, and are not called any more.
    pub quarantined: Vec<(ExtensionName, Quarantine)>,
    /// Why a crash could not be counted.
    pub problem: Option<StateFileError>,
}

impl Running {
    /// Begins where the manager keeps its state. Extensions that ran during three crashes of a service
    /// within five minutes are quarantined. Without a record the service runs, and no crash is counted.
    pub fn begin(manager: &Manager) -> BegunRecord {
        match manager.depot().begin_running(&boot_name(), boot_time()) {
            Ok(BegunRunning { running, quarantined, problem }) => {
                BegunRecord { running: Self(Some(Arc::new(running))), quarantined, problem }
            }
            Err(error) => BegunRecord {
                running: Self::default(),
                quarantined: Vec::new(),
                problem: Some(error),
            },
        }
    }

    /// Runs a function with an extension recorded as running.
    pub fn track<T>(&self, name: &ExtensionName, run: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(running) => running.track(name, run),
            None => run(),
        }
    }

    /// Records a clean end of the service.
    pub fn end(&self) {
        if let Some(running) = &self.0 {
            running.end();
        }
    }
}
