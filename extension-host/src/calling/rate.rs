//! Rates of requests that disturb people, counted over all calls and processes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use core_types::{BootTime, Capability, Owner};
use private_files::{Sharing, acquire, create_directory, open_to_change};

use super::boot_clock::boot_time;

/// The period in which requests are counted.
const PERIOD: Duration = Duration::from_secs(60);

/// The wait for another process that counts, which takes microseconds: after this long it was
/// stopped.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// Counts the requests of the last minute by extension and capability: in the memory of this
/// process, or in files of a directory that all processes share.
///
/// ```
/// use std::sync::Arc;
///
/// use extension_host::{Backends, RateLimits};
///
/// let rates = RateLimits::shared("/run/user/1000/my-program/rates".into());
/// let backends = Backends { rates: Arc::new(rates), ..Backends::default() };
/// ```
#[derive(Default)]
pub struct RateLimits {
    directory: Option<PathBuf>,
    memory: Mutex<HashMap<(Owner, Capability), LastMinute>>,
}

impl RateLimits {
    /// Shares the limits with all processes that use this directory. It should end with the login
    /// session, as the clock does.
    pub fn shared(directory: PathBuf) -> Self {
        Self { directory: Some(directory), memory: Mutex::default() }
    }

    /// Counts a request, if one more is allowed. A request that cannot be counted is refused.
    pub(crate) fn take(&self, owner: &Owner, capability: Capability) -> io::Result<bool> {
        let Some(most) = capability.spec().requests_a_minute else { return Ok(true) };
        match &self.directory {
            Some(directory) => {
                create_directory(directory)?;
                take_in_file(&directory.join(format!("{}.{capability}", owner.name)), most)
            }
            None => {
                let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(memory.entry((owner.clone(), capability)).or_default().count(most))
            }
        }
    }
}

/// The moments of the last minute at which something was done.
///
/// ```
/// let mut requests = extension_host::LastMinute::default();
/// assert!(requests.is_over() && requests.count(1));
/// assert!(!requests.count(1), "one is enough");
/// ```
#[derive(Debug, Default)]
pub struct LastMinute(Vec<BootTime>);

impl LastMinute {
    /// Adds this moment, if there are fewer than `most`. Returns whether it did.
    pub fn count(&mut self, most: usize) -> bool {
        let now = self.forget_earlier();
        let is_free = self.0.len() < most;
        if is_free {
            self.0.push(now);
        }
        is_free
    }

    /// Tells whether nothing was done in the last minute.
    pub fn is_over(&mut self) -> bool {
        self.forget_earlier();
        self.0.is_empty()
    }

    fn forget_earlier(&mut self) -> BootTime {
        let now = boot_time();
        self.0.retain(|time| *time <= now && now.since(*time) < PERIOD);
        now
    }
}

fn take_in_file(path: &Path, most: usize) -> io::Result<bool> {
    let file = open_to_change(path)?;
    // The lock is held for as long as writing a few numbers takes, unless the holder was stopped: a
    // call does not wait for that.
    let mut file = acquire(file, Sharing::Exclusive, LOCK_TIMEOUT)?;
    let mut times = read_times(&mut file)?;
    let is_free = times.count(most);
    let text: String = times.0.iter().map(|time| format!("{}\n", time.milliseconds())).collect();
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())?;
    Ok(is_free)
}

/// Reads the times. A damaged file counts as an empty one: at worst one more minute's worth is let
/// through.
fn read_times(file: &mut File) -> io::Result<LastMinute> {
    let mut text = Vec::new();
    file.take(16 * 1024).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let times = text.lines().filter_map(|line| line.parse().ok());
    let since_boot = |milliseconds| BootTime::since_boot(Duration::from_millis(milliseconds));
    Ok(LastMinute(times.map(since_boot).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(limits: &RateLimits, owner: &Owner, capability: Capability, tries: usize) -> usize {
        (0..tries).filter(|_| limits.take(owner, capability).expect("counted")).count()
    }

    /// Ten notifications a minute are let through, and owners do not share them.
    #[test]
    fn rate_is_counted_per_owner() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("rates");
        let other = Owner::embedded("other".parse().expect("a name"));
        for limits in [RateLimits::default(), RateLimits::shared(path.clone())] {
            assert_eq!(taken(&limits, &Owner::default(), Capability::Notification, 10_000), 10);
            assert_eq!(taken(&limits, &other, Capability::Notification, 5), 5);
            assert_eq!(taken(&limits, &Owner::default(), Capability::SecretRead, 50), 50);
        }
        let again = RateLimits::shared(path);
        assert_eq!(
            taken(&again, &Owner::default(), Capability::Notification, 10),
            0,
            "another process is no way out"
        );
        assert_eq!(taken(&again, &other, Capability::Notification, 10), 5);
    }
}
