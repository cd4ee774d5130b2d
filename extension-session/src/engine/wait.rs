//! The one wait of the engine: for timers on both clocks, and for messages.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use core_types::BootTime;
use jiff::Timestamp;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fs::Timespec;
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

/// A wait that sleeps through nothing: the timer counts the sleep of the machine, and the other one
/// notices a clock that is set.
#[derive(Debug)]
pub(super) struct Wait {
    bell: Bell,
    boot: OwnedFd,
    wall: OwnedFd,
}

/// Ends the wait from another thread.
#[derive(Debug, Clone)]
pub(super) struct Bell(Arc<OwnedFd>);

impl Bell {
    /// Ends the wait, or the next one.
    pub(super) fn ring(&self) {
        // A full counter, after 2^64 rings, rings as well.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }
}

impl Wait {
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        Ok(Self {
            bell: Bell(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)),
            boot: timerfd_create(TimerfdClockId::Boottime, flags)?,
            wall: timerfd_create(TimerfdClockId::Realtime, flags)?,
        })
    }

    pub(super) fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Waits for a moment on one of the clocks, or for a ring. A wall clock that is set ends it
    /// too.
    pub(super) fn until(&self, boot: Option<BootTime>, wall: Option<Timestamp>) -> io::Result<()> {
        let absolute = TimerfdTimerFlags::ABSTIME;
        let boot = boot.map_or(NEVER, spec_of_boot);
        timerfd_settime(&self.boot, absolute, &timer(boot))?;
        let wall = wall.map_or(NEVER, spec_of_wall);
        timerfd_settime(&self.wall, absolute | TimerfdTimerFlags::CANCEL_ON_SET, &timer(wall))?;
        let mut fds =
            [&*self.bell.0, &self.boot, &self.wall].map(|fd| PollFd::new(fd, PollFlags::IN));
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for fd in [&*self.bell.0, &self.boot, &self.wall] {
            forget(fd);
        }
        Ok(())
    }
}

/// A timer of this value is off.
const NEVER: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

fn timer(it_value: Timespec) -> Itimerspec {
    Itimerspec { it_interval: NEVER, it_value }
}

/// A moment of zero would turn the timer off; a nanosecond later is past as well.
fn spec(seconds: i64, nanoseconds: i64) -> Timespec {
    let tv_nsec = if (seconds, nanoseconds) == (0, 0) { 1 } else { nanoseconds };
    Timespec { tv_sec: seconds, tv_nsec }
}

fn spec_of_boot(moment: BootTime) -> Timespec {
    let since = moment.since(BootTime::default());
    spec(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), i64::from(since.subsec_nanos()))
}

fn spec_of_wall(moment: Timestamp) -> Timespec {
    // A clock before 1970 is wrong, and its timer is due at once.
    spec(moment.as_second().max(0), i64::from(moment.subsec_nanosecond().max(0)))
}

/// Reads a ready descriptor, so that it is not ready any more. A timer of a clock that was set gives
/// an error instead, which means the same.
fn forget(fd: &OwnedFd) {
    let _ = rustix::io::read(fd, &mut [0_u8; 8]);
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use jiff::Timestamp;

    use super::Wait;

    #[test]
    fn each_clock_and_ring_ends_wait() {
        let wait = Wait::new().expect("descriptors");
        let begun = Instant::now();
        let soon = Duration::from_millis(30);
        wait.until(Some(extension_host::boot_time().after(soon)), None).expect("waited");
        assert!(begun.elapsed() >= soon);
        wait.until(None, Some(Timestamp::now() + soon)).expect("waited");
        assert!(begun.elapsed() >= 2 * soon);
        wait.until(Some(Default::default()), None).expect("a moment that is past");
        wait.bell().ring();
        wait.until(None, None).expect("rung before");
    }
}
