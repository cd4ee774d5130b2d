//! `time.at`: times of day on days of the week, in the zone of the machine.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::{Date, Time, Weekday};
use jiff::{Timestamp, ToSpan, Zoned};

use super::first_moment;

/// The longest lateness of a moment that is still made up for.
const MAX_CATCH_UP: Duration = Duration::from_secs(12 * 60 * 60);
/// The longest lateness of a moment that counts as met: a busy machine, not a sleeping one.
const ON_TIME: Duration = Duration::from_secs(60);
/// The longest step back of the clock that counts as a correction, after which a moment that was
/// delivered already does not come again. Beyond it the clock was wrong, and all moments are new.
const MAX_CORRECTION: Duration = Duration::from_secs(60 * 60);
/// The number of days to look back for moments that were missed. The number of them is for
/// information, so that it may stop here.
const DAYS_BACK: usize = 400;
/// The number of days to look ahead. A weekday that is chosen comes within eight.
const DAYS_AHEAD: usize = 9;

/// Times of day, with the last moment that was looked at.
///
/// ```
/// use extension_session::At;
/// use jiff::{civil::{Weekday, time}, Zoned};
///
/// let now: Zoned = "2026-11-27T08:00:00+01:00[Europe/Paris]".parse()?;
/// let at = At::starting([time(8, 30, 0, 0)], [Weekday::Friday], true, &now);
/// let next = at.next(&now).expect("today");
/// assert_eq!(next.to_string(), "2026-11-27T08:30:00+01:00[Europe/Paris]");
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    times: BTreeSet<Time>,
    /// The days as numbers from Monday; empty means every day.
    days: Vec<Weekday>,
    catches_up: bool,
    /// Everything up to this moment was looked at.
    seen: Timestamp,
}

/// Moments of a day that have passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueAt {
    /// The last of them, as the clock on the wall shows it.
    pub time: Time,
    /// The time since then.
    pub late: Duration,
    /// The number of earlier ones.
    pub missed: u32,
}

impl At {
    /// Makes times of day of which nothing up to now is due. No days mean every day.
    pub fn starting(
        times: impl IntoIterator<Item = Time>,
        days: impl IntoIterator<Item = Weekday>,
        catches_up: bool,
        now: &Zoned,
    ) -> Self {
        Self {
            times: times.into_iter().collect(),
            days: days.into_iter().collect(),
            catches_up,
            seen: now.timestamp(),
        }
    }

    /// Returns the same times, of which everything up to a moment was delivered by an earlier
    /// process. A moment in the far future is of a clock that was set back, and counts as now.
    pub fn seen_until(mut self, moment: Timestamp) -> Self {
        self.seen = seen_at(self.seen, moment);
        self
    }

    /// Returns the moment up to which everything was looked at.
    pub fn seen(&self) -> Timestamp {
        self.seen
    }

    /// Returns the next moment after now that was not looked at yet.
    pub fn next(&self, now: &Zoned) -> Option<Zoned> {
        let today = now.date().yesterday().unwrap_or(now.date());
        let days = today.series(1.day()).take(DAYS_AHEAD + 1);
        let moments = days.flat_map(|day| self.moments(day, now));
        let seen = seen_at(now.timestamp(), self.seen).max(now.timestamp());
        moments.filter(|moment| moment.timestamp() > seen).min()
    }

    /// Returns the moments up to now. The last counts unless it is late and is not to be made up
    /// for. After a clock that was set back nothing is due before its next moment.
    pub fn take_due(&mut self, now: &Zoned) -> Option<DueAt> {
        let seen = seen_at(now.timestamp(), self.seen);
        self.seen = seen.max(now.timestamp());
        let mut passed = self.passed(seen, now);
        let last = passed.next()?;
        let late = now.timestamp().duration_since(last.timestamp()).unsigned_abs();
        if late > ON_TIME && !(self.catches_up && late <= MAX_CATCH_UP) {
            return None;
        }
        let missed = u32::try_from(passed.count()).unwrap_or(u32::MAX);
        Some(DueAt { time: last.time(), late, missed })
    }

    /// Iterates over the moments after one and up to now, the newest first.
    fn passed<'a>(&'a self, after: Timestamp, now: &'a Zoned) -> impl Iterator<Item = Zoned> + 'a {
        let first = after.to_zoned(now.time_zone().clone()).date();
        let days = now.date().series(-1.day()).take(DAYS_BACK);
        days.take_while(move |day| *day >= first).flat_map(move |day| {
            let mut moments = self.moments(day, now);
            moments.retain(|moment| after < moment.timestamp() && moment <= now);
            moments.sort();
            // Times within a gap are one moment.
            moments.dedup();
            moments.into_iter().rev()
        })
    }

    /// Returns the moments of a day.
    fn moments(&self, day: Date, now: &Zoned) -> Vec<Zoned> {
        if !self.days.is_empty() && !self.days.contains(&day.weekday()) {
            return Vec::new();
        }
        let zone = now.time_zone();
        self.times.iter().filter_map(|time| first_moment(day.to_datetime(*time), zone)).collect()
    }
}

/// Returns the moment up to which everything was looked at, by a clock that may have been set back
/// since.
fn seen_at(now: Timestamp, seen: Timestamp) -> Timestamp {
    let is_correction = seen.duration_since(now).unsigned_abs() <= MAX_CORRECTION;
    if seen <= now || is_correction { seen } else { now }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::civil::{Time, Weekday, time};
    use jiff::{Timestamp, ToSpan, Zoned};
    use proptest::prelude::*;

    use super::At;

    /// Central European time by its rule, so that the test needs no database of zones.
    fn berlin(text: &str) -> Zoned {
        let zone = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a rule");
        text.parse::<Timestamp>().expect("a moment").to_zoned(zone)
    }

    fn daily(times: &[Time], now: &Zoned) -> At {
        At::starting(times.iter().copied(), [], true, now)
    }

    /// A time that summer time skips is due when the skipped hour ends.
    #[test]
    fn skipped_time_comes_after_gap() {
        let now = berlin("2026-03-28T12:00:00Z");
        let at = daily(&[time(2, 30, 0, 0)], &now);
        let next = at.next(&now).expect("a moment");
        assert_eq!(next.timestamp().to_string(), "2026-03-29T01:00:00Z");
    }

    /// Two times in one gap are one moment.
    #[test]
    fn skipped_times_are_one() {
        let mut at =
            daily(&[time(2, 10, 0, 0), time(2, 40, 0, 0)], &berlin("2026-03-28T12:00:00Z"));
        let due = at.take_due(&berlin("2026-03-29T01:00:00Z")).expect("due");
        assert_eq!(due.missed, 0);
    }

    /// A time that a clock shows twice is due at the first.
    #[test]
    fn repeated_time_comes_once() {
        let before = berlin("2026-10-24T12:00:00Z");
        let mut at = daily(&[time(2, 30, 0, 0)], &before);
        let first = at.next(&before).expect("a moment");
        assert_eq!(first.timestamp().to_string(), "2026-10-25T00:30:00Z");
        assert!(at.take_due(&first).is_some());
        let second = berlin("2026-10-25T01:30:00Z");
        assert_eq!(second.time(), time(2, 30, 0, 0), "the clock shows it again");
        assert_eq!(at.take_due(&second), None);
    }

    /// A clock set back leads to nothing, and one set forward to one moment at most.
    #[test]
    fn set_clock_makes_no_burst() {
        let now = berlin("2026-06-01T06:00:00Z");
        let mut at = daily(&[time(8, 30, 0, 0)], &now);
        assert_eq!(at.take_due(&berlin("2024-06-01T06:00:00Z")), None);
        let due = at.take_due(&berlin("2028-06-01T07:00:00Z")).expect("one");
        assert!(due.missed > 300, "{due:?}");
        assert_eq!(at.take_due(&berlin("2028-06-01T07:00:01Z")), None);
    }

    /// A clock that is corrected by a moment shows a time twice, which comes once; one that was wrong by
    /// more than an hour begins anew. A restart meanwhile changes nothing.
    #[test]
    fn corrected_clock_repeats_nothing() {
        let before = berlin("2026-06-01T06:00:00Z");
        let mut at = daily(&[time(8, 30, 0, 0)], &before);
        assert!(at.take_due(&berlin("2026-06-01T06:30:01Z")).is_some());
        let corrected = berlin("2026-06-01T06:29:59Z");
        let next = |at: &At, now: &Zoned| at.next(now).expect("a moment").date().to_string();
        assert_eq!((next(&at, &corrected).as_str(), at.take_due(&corrected)), ("2026-06-02", None));
        assert_eq!(at.take_due(&berlin("2026-06-01T06:30:02Z")), None, "it has come");
        let restarted = daily(&[time(8, 30, 0, 0)], &corrected).seen_until(at.seen());
        assert_eq!(next(&restarted, &corrected), "2026-06-02");
        let wrong = berlin("2026-06-01T05:00:00Z");
        assert_eq!(next(&at, &wrong), "2026-06-01", "the clock was wrong");
        assert_eq!(at.take_due(&wrong), None);
        assert!(at.take_due(&berlin("2026-06-01T06:30:00Z")).is_some());
    }

    /// A moment is made up for within twelve hours, unless the author does not want it.
    #[test]
    fn late_moment_is_made_up_for() {
        let now = berlin("2026-06-01T06:00:00Z");
        for (wanted, hours, comes) in [(true, 11, true), (true, 13, false), (false, 1, false)] {
            let mut at = At::starting([time(8, 30, 0, 0)], [], wanted, &now);
            let late = berlin("2026-06-01T06:30:00Z").checked_add(hours.hours()).expect("later");
            assert_eq!(at.take_due(&late).is_some(), comes, "{hours} h late, wanted: {wanted}");
        }
    }

    #[test]
    fn days_are_kept() {
        let friday = berlin("2026-11-27T12:00:00Z");
        let at = At::starting([time(8, 30, 0, 0)], [Weekday::Monday], true, &friday);
        assert_eq!(at.next(&friday).expect("a moment").date().to_string(), "2026-11-30");
    }

    /// A moment that an earlier process delivered is not delivered again.
    #[test]
    fn restart_repeats_nothing() {
        let delivered = berlin("2026-06-01T06:30:00Z");
        let restart = berlin("2026-06-01T06:30:10Z");
        let at = daily(&[time(8, 30, 0, 0)], &restart);
        let mut at = at.seen_until(delivered.timestamp());
        assert_eq!(at.take_due(&berlin("2026-06-01T06:31:00Z")), None);
    }

    proptest! {
        /// In any zone of whole hours, the next moment follows within a week and a day, and is due
        /// when it comes, on time.
        #[test]
        fn next_is_due(seconds in 0..4_000_000_000_i64, hour in 0..24_i8, zone in -11..12_i8) {
            let zone = jiff::tz::Offset::constant(zone).to_time_zone();
            let now = Timestamp::from_second(seconds).expect("a moment").to_zoned(zone);
            let mut at = At::starting([time(hour, 15, 0, 0)], [Weekday::Sunday], false, &now);
            let next = at.next(&now).expect("a moment");
            let due = at.take_due(&next).expect("due");
            prop_assert_eq!((due.time, due.late, due.missed), (time(hour, 15, 0, 0), Duration::ZERO, 0));
        }
    }
}
