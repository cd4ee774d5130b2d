//! Where host functions ask whether they may do what a guest wants. What was asked and decided is
//! kept.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use core_types::{
    Activity, BootTime, Capabilities, Decision, GrantedPath, Permissions, Request, decide,
};
use rustix::time::{ClockId, clock_gettime};

/// Asks the one decision point of [`core_types::decide`] in the name of one extension.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) permissions: Arc<Permissions>,
    activity: Arc<Mutex<Activity>>,
    /// The directories that were not there when the call began.
    missing: Arc<Mutex<Vec<GrantedPath>>>,
}

/// The moment on the clock that timed grants end by.
pub fn boot_time() -> BootTime {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    BootTime::since_boot(std::time::Duration::new(
        seconds,
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    ))
}

impl Gate {
    pub(crate) fn new(permissions: Arc<Permissions>) -> Self {
        Self { permissions, activity: Arc::default(), missing: Arc::default() }
    }

    /// Whether the extension may do this now. Noted either way.
    pub(crate) fn allows(&self, request: &Request) -> bool {
        self.decide(request).allows()
    }

    /// What is decided now, and by which rule. Noted either way.
    pub(crate) fn decide(&self, request: &Request) -> Decision<'_> {
        let decision = decide(request, &self.permissions.authority, self.now());
        self.activity().note(request, &decision);
        decision
    }

    /// Keeps that the guest is not given this directory, because it is not there.
    pub(crate) fn leave_out(&self, path: &GrantedPath) {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
    }

    /// Notes that the guest found a directory that is granted, or did not because it is not there.
    pub(crate) fn note_directory(&self, path: &GrantedPath, write: bool) {
        if self.missing.lock().unwrap_or_else(PoisonError::into_inner).contains(path) {
            self.activity().note_missing(path);
        } else {
            self.allows(&Request::OpenDirectory { path: path.clone(), write });
        }
    }

    /// Everything that is granted at this moment.
    pub(crate) fn in_force(&self) -> Cow<'_, Capabilities> {
        self.permissions.authority.in_force(self.now())
    }

    /// What was asked and decided up to now.
    pub(crate) fn noted(&self) -> Activity {
        self.activity().clone()
    }

    /// The clock is looked at only where something ends by it.
    fn now(&self) -> BootTime {
        if self.permissions.authority.timed.is_empty() { BootTime::default() } else { boot_time() }
    }

    fn activity(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
