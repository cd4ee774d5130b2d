//! The extensions that run, on disk for the service after this one.

use std::sync::Arc;

use core_types::ExtensionName;
use extension_depot::{Quarantine, RunningExtensions, StateFileError};
use extension_host::boot_time;
use extension_manager::Manager;

use super::event_memory::boot_name;

/// Keeps which extensions a service runs, so that one that crashes it again and again is put aside. By
/// default nothing is kept.
///
/// ```
/// use extension_session::Running;
///
/// let answer = Running::default().during(&"weather".parse()?, || 42);
/// assert_eq!(answer, 42);
/// # Ok::<(), core_types::NameError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Running(Option<Arc<RunningExtensions>>);

impl Running {
    /// Begins where the manager keeps its state. Extensions that ran during three crashes of a service
    /// within five minutes are put aside, and returned.
    ///
    /// # Errors
    /// When the files cannot be read or written.
    pub fn begin(
        manager: &Manager,
    ) -> Result<(Self, Vec<(ExtensionName, Quarantine)>), StateFileError> {
        let (running, put_aside) = manager.depot().begin_running(&boot_name(), boot_time())?;
        Ok((Self(Some(Arc::new(running))), put_aside))
    }

    /// Does something while an extension counts as running.
    pub fn during<T>(&self, name: &ExtensionName, run: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(running) => running.during(name, run),
            None => run(),
        }
    }

    /// Says that the service ends as it was told to.
    pub fn end(&self) {
        if let Some(running) = &self.0 {
            running.end();
        }
    }
}
