//! The timers of every extension.

use core_types::event::{EventType, EventValue, Settings, TimeOfDay, Weekday};
use core_types::{BootTime, ExtensionName};
use jiff::civil::{Time, Weekday as Day};
use jiff::{Timestamp, Zoned};

use crate::delivery::{Arrival, BySettings, Subscriber};
use crate::engine::clock::Now;
use crate::engine::timer_memory::LastDue;
use crate::schedule::{At, DueAt, DueEvery, Every};

/// The schedules of extensions, as their manifests have them now.
///
/// A schedule whose settings did not change goes on when the extensions are taken anew.
#[derive(Debug, Default)]
pub struct Timers {
    every: BySettings<Every>,
    at: BySettings<At>,
}

impl Timers {
    /// Takes the extensions anew. New schedules begin now, or where an earlier process left them.
    pub fn subscribe(&mut self, subscribers: &[Subscriber], last: &LastDue, now: &Now) {
        self.every.take(subscribers, EventType::TimeEvery, |name, settings| {
            every_of(settings, last.every(name), now.boot)
        });
        self.at.take(subscribers, EventType::TimeAt, |name, settings| {
            at_of(settings, last.at(name), &now.wall)
        });
    }

    /// Returns the events that are due, and moves on.
    pub fn take_due(&mut self, now: &Now) -> Vec<Arrival> {
        let every = self
            .every
            .iter_mut()
            .filter_map(|(name, _, every)| every_event(name, every.take_due(now.boot)?, now));
        let at = self
            .at
            .iter_mut()
            .filter_map(|(name, _, at)| at_event(name, &at.take_due(&now.wall)?, now));
        every.chain(at).collect()
    }

    /// Returns the next moment of `time.every`, on the clock that counts from boot.
    pub fn next_every(&self) -> Option<BootTime> {
        self.every.iter().map(|(_, every)| every.next()).min()
    }

    /// Returns the next moment of `time.at`, on the clock on the wall.
    pub fn next_at(&self, now: &Zoned) -> Option<Zoned> {
        self.at.iter().filter_map(|(_, at)| at.next(now)).min()
    }

    /// Returns the next moments of one extension: of `time.every` and of `time.at`.
    pub fn next_of(&self, name: &ExtensionName, now: &Zoned) -> (Option<BootTime>, Option<Zoned>) {
        (self.every.get(name).map(Every::next), self.at.get(name).and_then(|at| at.next(now)))
    }

    /// Returns the moments for a later process.
    pub fn last_due(&self) -> LastDue {
        let every = self.every.iter().map(|(name, every)| (name.clone(), every.next()));
        let at = self.at.iter().map(|(name, at)| (name.clone(), at.seen()));
        LastDue::new(every, at)
    }
}

fn every_of(settings: &Settings, next: Option<BootTime>, now: BootTime) -> Option<Every> {
    let Settings::Every { every, exact } = settings else { return None };
    // A moment further away than a period belongs to other settings.
    let Some(next) = next.filter(|next| next.since(now) <= *every) else {
        return Some(Every::starting(*every, *exact, now));
    };
    let mut schedule = Every::due_at(*every, *exact, next);
    // The earlier process may have delivered it: a delivery is lost rather than made twice.
    let _ = schedule.take_due(now);
    Some(schedule)
}

fn at_of(settings: &Settings, seen: Option<Timestamp>, now: &Zoned) -> Option<At> {
    let Settings::At { times, days, catch_up } = settings else { return None };
    let at = At::starting(
        times.iter().map(|time| civil_time(*time)),
        days.iter().map(|day| civil_day(*day)),
        *catch_up,
        now,
    );
    Some(match seen {
        Some(seen) => at.seen_until(seen),
        None => at,
    })
}

fn civil_time(time: TimeOfDay) -> Time {
    // Both are in the range of a day by their type.
    let part = |number: u8| i8::try_from(number).unwrap_or_default();
    Time::new(part(time.hour()), part(time.minute()), 0, 0).unwrap_or(Time::MIN)
}

fn civil_day(day: Weekday) -> Day {
    match day {
        Weekday::Monday => Day::Monday,
        Weekday::Tuesday => Day::Tuesday,
        Weekday::Wednesday => Day::Wednesday,
        Weekday::Thursday => Day::Thursday,
        Weekday::Friday => Day::Friday,
        Weekday::Saturday => Day::Saturday,
        Weekday::Sunday => Day::Sunday,
    }
}

fn every_event(name: &ExtensionName, due: DueEvery, now: &Now) -> Option<Arrival> {
    // As a moment of the wall clock: the clock from boot means nothing to a guest.
    let late = u64::try_from(now.boot.since(due.due).as_millis()).unwrap_or(u64::MAX);
    let values = vec![("due", whole(now.milliseconds().saturating_sub(late)))];
    let arrival = Arrival::to_one(name, EventType::TimeEvery, values, now.milliseconds())?;
    Some(arrival.standing_for(due.missed))
}

fn at_event(name: &ExtensionName, due: &DueAt, now: &Now) -> Option<Arrival> {
    let values = vec![
        ("at", EventValue::Text(due.time.strftime("%H:%M").to_string())),
        ("late", whole(due.late.as_secs())),
    ];
    let arrival = Arrival::to_one(name, EventType::TimeAt, values, now.milliseconds())?;
    Some(arrival.standing_for(due.missed))
}

fn whole(number: u64) -> EventValue {
    EventValue::Whole(i64::try_from(number).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use core_types::BootTime;
    use core_types::event::{EventValue, Settings};
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::Timers;
    use crate::delivery::{Subscriber, Wake};
    use crate::engine::{LastDue, Now};

    fn now(boot: u64, wall: &str) -> Now {
        let wall: Timestamp = wall.parse().expect(wall);
        let boot = BootTime::since_boot(Duration::from_secs(boot));
        Now { boot, wall: wall.to_zoned(TimeZone::UTC) }
    }

    /// An extension that wakes every minute and at half past eight.
    fn subscriber() -> Subscriber {
        let wake =
            |event: &str, settings| Wake { settings, ..Wake::by(event.parse().expect(event)) };
        let every = Settings::Every { every: Duration::from_secs(60), exact: true };
        let times = vec!["08:30".parse().expect("a time")];
        let at = Settings::At { times, days: Vec::new(), catch_up: true };
        let name = "clock".parse().expect("a name");
        Subscriber::new(name, vec![wake("time.every", every), wake("time.at", at)])
    }

    /// Returns the names of the events that are due.
    fn due(timers: &mut Timers, now: &Now) -> Vec<String> {
        let due = timers.take_due(now);
        due.iter().map(|arrival| arrival.occurrence.name.to_string()).collect()
    }

    /// A later process goes on where this one ended, repeats nothing, and makes up for a time of
    /// day.
    #[test]
    fn restart_goes_on() {
        let start = now(100, "2026-06-01T08:00:00Z");
        let mut timers = Timers::default();
        timers.subscribe(&[subscriber()], &LastDue::default(), &start);
        assert_eq!(due(&mut timers, &now(160, "2026-06-01T08:01:00Z")), ["time.every"]);
        let left = timers.last_due();
        let mut later = Timers::default();
        later.subscribe(&[subscriber()], &left, &now(165, "2026-06-01T09:00:00Z"));
        assert_eq!(due(&mut later, &now(165, "2026-06-01T09:00:00Z")), ["time.at"]);
        assert_eq!(later.next_every(), Some(now(220, "2026-06-01T09:00:00Z").boot));
        assert!(due(&mut later, &now(166, "2026-06-01T09:00:01Z")).is_empty());
    }

    /// An event says when it was due, on the clock on the wall, and how many it stands for.
    #[test]
    fn event_says_when_it_was_due() {
        let mut timers = Timers::default();
        let start = now(100, "2026-06-01T08:00:00Z");
        timers.subscribe(&[subscriber()], &LastDue::default(), &start);
        let due = timers.take_due(&now(100 + 45 * 60 + 7, "2026-06-01T08:45:07Z"));
        let [every, at] = due.as_slice() else { panic!("{due:?}") };
        let last: Timestamp = "2026-06-01T08:45:00Z".parse().expect("a moment");
        let last = EventValue::Whole(last.as_millisecond());
        assert_eq!(every.occurrence.values, [("due", last)]);
        assert_eq!(every.occurrence.missed, 44);
        let time = ("at", EventValue::Text("08:30".to_owned()));
        let late = ("late", EventValue::Whole(15 * 60 + 7));
        assert_eq!(at.occurrence.values, [time, late]);
        assert_eq!(at.occurrence.missed, 0);
    }

    /// A reading of unchanged manifests moves no timer, and an event that comes back makes up for
    /// nothing.
    #[test]
    fn unchanged_timer_goes_on() {
        let start = now(100, "2026-06-01T08:00:00Z");
        let mut timers = Timers::default();
        timers.subscribe(&[subscriber()], &LastDue::default(), &start);
        let next = timers.next_every();
        timers.subscribe(&[subscriber()], &LastDue::default(), &now(130, "2026-06-01T08:10:00Z"));
        assert_eq!(timers.next_every(), next);
        timers.subscribe(&[], &LastDue::default(), &now(131, "2026-06-01T08:11:00Z"));
        assert_eq!((timers.next_every(), timers.next_at(&start.wall)), (None, None));
        let back = now(140, "2026-06-01T09:00:00Z");
        timers.subscribe(&[subscriber()], &LastDue::default(), &back);
        assert!(due(&mut timers, &back).is_empty());
    }
}
