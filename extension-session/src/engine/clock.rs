//! The clocks of the machine.

use core_types::BootTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The file that says in which zone the machine is.
const LOCAL_ZONE: &str = "/etc/localtime";
/// The largest file of a zone, in bytes; the largest of the database has four thousand.
const MAX_ZONE_FILE: u64 = 64 << 10;

/// One moment on both clocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Now {
    /// The clock that counts from boot, sleep included. It cannot be set.
    pub boot: BootTime,
    /// The clock on the wall, in the zone of the machine.
    pub wall: Zoned,
}

impl Now {
    /// Returns the moment in milliseconds since 1970.
    pub fn milliseconds(&self) -> u64 {
        milliseconds(self.wall.timestamp())
    }
}

/// Returns this moment in milliseconds since 1970, for events.
pub(crate) fn milliseconds_now() -> u64 {
    milliseconds(Timestamp::now())
}

/// A clock before 1970 is wrong, and stands at 0.
fn milliseconds(moment: Timestamp) -> u64 {
    u64::try_from(moment.as_millisecond()).unwrap_or_default()
}

/// Something that knows the time.
pub trait Clock: Send {
    /// Returns this moment.
    fn now(&mut self) -> Now;

    /// Forgets the zone, so that it is read anew: the machine is in another one.
    fn read_zone(&mut self);
}

/// The clocks of the kernel, and the zone of `/etc/localtime`.
#[derive(Debug)]
pub struct SystemClock {
    zone: TimeZone,
}

impl SystemClock {
    /// Reads the zone of the machine; Coordinated Universal Time where there is none.
    pub fn new() -> Self {
        Self { zone: local_zone() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&mut self) -> Now {
        let wall = Timestamp::now().to_zoned(self.zone.clone());
        Now { boot: extension_host::boot_time(), wall }
    }

    fn read_zone(&mut self) {
        self.zone = local_zone();
    }
}

fn local_zone() -> TimeZone {
    let bytes = extension_depot::read_regular(LOCAL_ZONE.as_ref(), MAX_ZONE_FILE).ok();
    bytes.and_then(|bytes| TimeZone::tzif("Local", &bytes).ok()).unwrap_or(TimeZone::UTC)
}
