//! The clock since boot, by which timed grants end and requests are counted.

use std::time::Duration;

use core_types::BootTime;
use rustix::time::{ClockId, clock_gettime};

/// Reads the clock that timed grants end by.
pub fn boot_time() -> BootTime {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    BootTime::since_boot(Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default()))
}
