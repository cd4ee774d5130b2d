//! `time.every`: a period on the clock that counts from boot, sleep included.

use std::time::Duration;

use core_types::BootTime;

/// The share of a period by which it may fire later, so that timers fire together: one in twenty.
const LATENESS: u32 = 20;
/// The longest lateness of a period.
const MAX_LATENESS: Duration = Duration::from_secs(60);

/// A period with its next moment.
///
/// ```
/// use std::time::Duration;
/// use core_types::BootTime;
/// use extension_session::Every;
///
/// let start = BootTime::since_boot(Duration::from_secs(100));
/// let mut every = Every::starting(Duration::from_secs(10), true, start);
/// let later = start.after(Duration::from_secs(35));
/// let due = every.take_due(later).expect("three moments have passed");
/// assert_eq!(due.missed, 2);
/// assert_eq!(every.next(), start.after(Duration::from_secs(40)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Every {
    period: Duration,
    is_exact: bool,
    /// The next moment of the period, before any lateness.
    due: BootTime,
}

/// Moments of a period that have passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueEvery {
    /// The last of them.
    pub due: BootTime,
    /// The number of earlier ones.
    pub missed: u32,
}

impl Every {
    /// Makes a period with its first moment one period after `start`.
    pub fn starting(period: Duration, is_exact: bool, start: BootTime) -> Self {
        Self { period, is_exact, due: start.after(period) }
    }

    /// Makes a period that an earlier process left with this next moment.
    pub fn due_at(period: Duration, is_exact: bool, due: BootTime) -> Self {
        Self { period, is_exact, due }
    }

    /// Returns the moment to wake at. Without `exact` it lies up to a twentieth of the period, and
    /// at most a minute, after the moment of the period, where other periods fire as well.
    pub fn next(&self) -> BootTime {
        match grain(self.lateness()) {
            None => self.due,
            Some(grain) => rounded_up(self.due, grain),
        }
    }

    /// Returns the moments up to now, and moves on to the first one after now.
    pub fn take_due(&mut self, now: BootTime) -> Option<DueEvery> {
        if now < self.next() {
            return None;
        }
        // The remainder says where the last moment was, however many there were.
        let late = now.since(self.due).as_nanos();
        let period = self.period.as_nanos().max(1);
        let since_last = u64::try_from(late % period).unwrap_or(u64::MAX);
        let due = BootTime::since_boot(
            now.since(BootTime::default()).saturating_sub(Duration::from_nanos(since_last)),
        );
        let missed = u32::try_from(late / period).unwrap_or(u32::MAX);
        self.due = due.after(self.period);
        Some(DueEvery { due, missed })
    }

    fn lateness(&self) -> Duration {
        if self.is_exact { Duration::ZERO } else { (self.period / LATENESS).min(MAX_LATENESS) }
    }
}

/// The largest power of two of milliseconds within a lateness. Each power is a multiple of the
/// smaller ones, so that timers of different periods meet.
fn grain(lateness: Duration) -> Option<u64> {
    let milliseconds = u64::try_from(lateness.as_millis()).unwrap_or(u64::MAX);
    milliseconds.checked_ilog2().map(|exponent| 1 << exponent)
}

fn rounded_up(moment: BootTime, grain: u64) -> BootTime {
    // A part of a millisecond is past the whole ones.
    let rounded = moment.milliseconds().checked_next_multiple_of(grain).unwrap_or(u64::MAX);
    BootTime::since_boot(Duration::from_millis(rounded)).max(moment)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use core_types::BootTime;
    use proptest::prelude::*;

    use super::{Every, MAX_LATENESS};

    fn at(milliseconds: u64) -> BootTime {
        BootTime::since_boot(Duration::from_millis(milliseconds))
    }

    /// A machine that slept over fifty moments delivers one, and says how many it left out.
    #[test]
    fn slept_moments_are_one() {
        let mut every = Every::starting(Duration::from_secs(60), true, at(0));
        let due = every.take_due(at(50 * 60_000)).expect("due");
        assert_eq!((due.due, due.missed), (at(50 * 60_000), 49));
        assert_eq!(every.take_due(at(50 * 60_000 + 1)), None);
    }

    /// Timers that may be late fire at the same moment.
    #[test]
    fn late_timers_meet() {
        let first = Every::starting(Duration::from_secs(60), false, at(1_000));
        let second = Every::starting(Duration::from_secs(60), false, at(1_400));
        assert_eq!(first.next(), second.next());
    }

    proptest! {
        /// A moment is never early, and late by no more than is allowed.
        #[test]
        fn lateness_is_bounded(start in 0..1_u64 << 40, period in 1_000..3_000_000_u64) {
            let period = Duration::from_millis(period);
            let every = Every::starting(period, false, at(start));
            let late = every.next().since(at(start).after(period));
            prop_assert!(every.next() >= at(start).after(period));
            prop_assert!(late <= (period / 20).min(MAX_LATENESS));
        }

        /// However far the clock jumps, the next moment lies after it, within one period.
        #[test]
        fn next_follows_any_jump(period in 1_000..3_000_000_u64, jump in 0..1_u64 << 45) {
            let period = Duration::from_millis(period);
            let mut every = Every::starting(period, true, at(0));
            let _ = every.take_due(at(jump));
            prop_assert!(every.next() > at(jump));
            prop_assert!(every.next().since(at(jump)) <= period);
        }
    }
}
