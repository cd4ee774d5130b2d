//! The decisions about one call, and the record of them.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use core_types::{
    Activity, BootTime, Capabilities, Decision, GrantedPath, Permissions, Request, decide,
};

use super::boot_clock::boot_time;

/// Asks [`core_types::decide`] in the name of one extension, and keeps each request with its
/// decision.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) permissions: Arc<Permissions>,
    activity: Arc<Mutex<Activity>>,
    /// The directories that did not exist when the call began.
    missing: Arc<Mutex<Vec<GrantedPath>>>,
}

impl Gate {
    pub(crate) fn new(permissions: Arc<Permissions>) -> Self {
        Self { permissions, activity: Arc::default(), missing: Arc::default() }
    }

    /// Decides a request now and notes it. Returns whether it is allowed.
    pub(crate) fn allows(&self, request: &Request) -> bool {
        self.decide(request).allows()
    }

    /// Decides a request now and notes it. Returns the decision with its rule.
    pub(crate) fn decide(&self, request: &Request) -> Decision<'_> {
        let decision = decide(request, &self.permissions.authority, self.now());
        self.activity().note(request, &decision);
        decision
    }

    /// Records that the guest does not get this directory because it does not exist.
    pub(crate) fn leave_out(&self, path: &GrantedPath) {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
    }

    /// Notes that the guest looked for a granted directory, found or missing.
    pub(crate) fn note_directory(&self, path: &GrantedPath, write: bool) {
        if self.missing.lock().unwrap_or_else(PoisonError::into_inner).contains(path) {
            self.activity().note_missing(path);
        } else {
            self.allows(&Request::OpenDirectory { path: path.clone(), write });
        }
    }

    /// Notes that the guest was refused to write in a directory that it may only read. `depth`
    /// returns how deep a granted directory lies if it holds the place. The deepest one is noted.
    pub(crate) fn note_refused_write(&self, depth: impl Fn(&GrantedPath) -> Option<usize>) {
        let granted = self.in_force();
        let read_only = granted.directories().filter(|(_, write)| !write);
        let holding = read_only.filter_map(|(path, _)| Some((depth(path)?, path)));
        if let Some((_, path)) = holding.max_by_key(|(depth, _)| *depth) {
            self.decide(&Request::OpenDirectory { path: path.clone(), write: true });
        }
    }

    /// Returns everything that is granted at this moment.
    pub(crate) fn in_force(&self) -> Cow<'_, Capabilities> {
        self.permissions.authority.in_force(self.now())
    }

    /// Returns how many bytes of its own the extension may keep at this moment.
    pub(crate) fn storage_bytes(&self) -> u64 {
        self.permissions.authority.storage_bytes(self.now())
    }

    /// Returns the requests and decisions up to now.
    pub(crate) fn noted(&self) -> Activity {
        self.activity().clone()
    }

    /// Reads the clock, but only where a grant ends by it.
    fn now(&self) -> BootTime {
        if self.permissions.authority.timed.is_empty() { BootTime::default() } else { boot_time() }
    }

    fn activity(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
