//! When the charge of the battery meets the condition of an extension.

use std::sync::Arc;

use core_types::event::{EventType, EventValue, Settings};

use super::session_memory::SessionMemory;
use super::told::{State, Told};
use super::values::known;
use crate::delivery::{Arrival, Subscriber};

/// The battery, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) percent: Option<u8>,
    pub(super) is_charging: Option<bool>,
}

/// The conditions of extensions.
pub(super) struct BatteryFilters(Told);

impl Reading {
    /// Returns the known values of the event.
    fn values(self) -> Vec<(&'static str, EventValue)> {
        let percent = self.percent.map(|percent| EventValue::Whole(percent.into()));
        let charging = self.is_charging.map(EventValue::Truth);
        known([("percent", percent), ("charging", charging)])
    }

    /// Tells whether the battery meets a condition; nothing where that is not known.
    fn meets(self, settings: &Settings) -> Option<bool> {
        let Settings::Battery { below, above, charging } = settings else { return Some(true) };
        let percent = |is_met: &dyn Fn(u8) -> bool| self.percent.map(is_met);
        let parts = [
            below.map(|limit| percent(&|percent| percent < limit.get())),
            above.map(|limit| percent(&|percent| percent > limit.get())),
            charging.map(|wanted| self.is_charging.map(|is_charging| is_charging == wanted)),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        if parts.contains(&Some(false)) {
            return Some(false);
        }
        (!parts.contains(&None)).then_some(true)
    }

    /// Returns the state for an extension: its condition is met, or the reading itself without one.
    fn state(self, settings: &Settings) -> State {
        if is_open(settings) {
            let is_known = self != Self::default();
            return if is_known { State::Is(self.bytes().to_vec()) } else { State::Unknown };
        }
        match self.meets(settings) {
            None => State::Unknown,
            Some(false) => State::None,
            Some(true) => State::Is(Vec::new()),
        }
    }

    /// Returns bytes that no other reading has. A charge is 100 at most.
    fn bytes(self) -> [u8; 2] {
        [self.percent.unwrap_or(u8::MAX), self.is_charging.map_or(u8::MAX, u8::from)]
    }
}

impl BatteryFilters {
    pub(super) fn new(memory: Arc<dyn SessionMemory>) -> Self {
        Self(Told::new(EventType::PowerBattery, memory))
    }

    /// Takes the extensions. One with other settings than before begins anew.
    pub(super) fn set(&mut self, subscribers: &[Subscriber]) {
        self.0.take(subscribers);
    }

    /// Tells whether no extension hears of the battery.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the reason for telling a condition twice.
    pub(super) fn problem(&self) -> Option<String> {
        self.0.problem()
    }

    /// Returns an event for each extension whose condition the battery begins to meet.
    pub(super) fn arrivals(&mut self, reading: Reading, time: u64) -> Vec<Arrival> {
        self.0.arrivals(&reading.values(), time, |settings| reading.state(settings))
    }
}

/// Tells whether settings have no condition.
fn is_open(settings: &Settings) -> bool {
    let none = Settings::Battery { below: None, above: None, charging: None };
    matches!(settings, Settings::None) || *settings == none
}

#[cfg(test)]
mod tests {
    use core_types::event::EventTables;
    use proptest::prelude::*;

    use super::*;
    use crate::Wake;
    use crate::engine::Forgetful;
    use crate::testing::{Remembering, subscriber};

    fn settings(text: &str) -> Settings {
        let text = format!("[\"power.battery\"]\n{text}");
        let tables = core_types::parse_toml::<EventTables>(&text).expect(&text).value;
        tables.settings(&"power.battery".parse().expect("a name")).expect("settings")
    }

    fn filters(text: &str) -> BatteryFilters {
        filters_with(Arc::new(Forgetful), text)
    }

    fn filters_with(memory: Arc<dyn SessionMemory>, text: &str) -> BatteryFilters {
        let by = Wake::by("power.battery".parse().expect("a pattern"));
        let mut filters = BatteryFilters::new(memory);
        filters.set(&[subscriber("a", vec![Wake { settings: settings(text), ..by }])]);
        filters
    }

    /// Returns which of these readings are told.
    fn told(text: &str, readings: &[(i16, Option<bool>)]) -> Vec<usize> {
        let mut filters = filters(text);
        let mut is_told = |(percent, is_charging): &(i16, Option<bool>)| {
            let reading =
                Reading { percent: u8::try_from(*percent).ok(), is_charging: *is_charging };
            !filters.arrivals(reading, 0).is_empty()
        };
        let at = readings.iter().enumerate().filter(|(_, reading)| is_told(reading));
        at.map(|(at, _)| at).collect()
    }

    /// A condition counts when it becomes true, again only after it was false, and what is not
    /// known changes nothing.
    #[test]
    fn condition_counts_once() {
        let (yes, no) = (Some(true), Some(false));
        for (text, readings, expected) in [
            ("below = 20", vec![(20, no), (19, no), (18, no), (20, no), (19, no)], vec![1, 4]),
            ("below = 20", vec![(10, no), (-1, no), (9, no)], vec![0]),
            ("below = 0", vec![(0, no)], vec![]),
            ("above = 80", vec![(80, no), (81, no), (100, no), (80, no), (90, no)], vec![1, 4]),
            ("above = 100", vec![(100, yes)], vec![]),
            ("above = 20\nbelow = 22", vec![(20, no), (21, no), (22, no)], vec![1]),
            ("charging = true", vec![(5, no), (5, yes), (6, yes), (6, None), (6, yes)], vec![1]),
            (
                "below = 20\ncharging = false",
                vec![(10, yes), (10, no), (10, yes), (9, no)],
                vec![1, 3],
            ),
            ("below = 20\ncharging = false", vec![(10, None), (30, None), (10, no)], vec![2]),
            (
                "",
                vec![(-1, None), (50, no), (50, no), (49, no), (49, yes), (-1, None)],
                vec![1, 3, 4],
            ),
        ] {
            assert_eq!(told(text, &readings), expected, "{text}: {readings:?}");
        }
    }

    /// Other settings begin anew, the same ones do not.
    #[test]
    fn changed_condition_begins_anew() {
        let reading = Reading { percent: Some(10), is_charging: Some(false) };
        let mut filters = filters("below = 20");
        assert_eq!(filters.arrivals(reading, 0).len(), 1);
        let by = Wake::by("power.battery".parse().expect("a pattern"));
        for (text, expected) in [("below = 20", 0), ("below = 30", 1), ("below = 5", 0)] {
            let wake = Wake { settings: settings(text), ..by.clone() };
            filters.set(&[subscriber("a", vec![wake])]);
            assert_eq!(filters.arrivals(reading, 0).len(), expected, "{text}");
        }
        filters.set(&[]);
        assert!(filters.is_empty() && filters.arrivals(reading, 0).is_empty());
    }

    /// A condition that was told as met is not told by the next process, unless it was not met in
    /// between, or is another one.
    #[test]
    fn restart_repeats_nothing() {
        let memory = Arc::new(Remembering::default());
        let told = |text: &str, percents: &[u8]| {
            let mut filters = filters_with(memory.clone(), text);
            let mut is_told = |percent: u8| {
                let reading = Reading { percent: Some(percent), is_charging: None };
                !filters.arrivals(reading, 0).is_empty()
            };
            percents.iter().map(|percent| is_told(*percent)).collect::<Vec<_>>()
        };
        assert_eq!(told("below = 20", &[50, 10]), [false, true]);
        assert_eq!(told("below = 20", &[10, 9]), [false, false], "told before");
        assert_eq!(told("below = 20", &[30, 9]), [false, true]);
        assert_eq!(told("below = 20", &[9, 30]), [false, false]);
        assert_eq!(told("below = 20", &[9]), [true], "it was not met while that process ran");
        assert_eq!(told("below = 15", &[9]), [true], "another condition");
        assert_eq!(told("below = 20", &[9]), [true]);
        filters_with(memory.clone(), "below = 20").set(&[]);
        BatteryFilters::new(memory.clone()).set(&[]);
        assert_eq!(told("below = 20", &[9]), [false], "those processes only began and ended");
        assert_eq!(told("", &[9, 8]), [true, true]);
        assert_eq!(told("", &[8, 9]), [false, true], "without a condition, each other reading");
    }

    /// Without a memory that works events come all the same, and the source says so.
    #[test]
    fn broken_memory_is_a_problem() {
        let mut filters = filters_with(Arc::new(Remembering::broken()), "below = 20");
        let reading = Reading { percent: Some(10), is_charging: None };
        assert_eq!(filters.arrivals(reading, 0).len(), 1);
        assert!(filters.problem().expect("a problem").contains("the disk is full"));
    }

    #[test]
    fn unknown_value_is_left_out() {
        let mut filters = filters("charging = false");
        let reading = Reading { percent: None, is_charging: Some(false) };
        let arrivals = filters.arrivals(reading, 7);
        assert_eq!(arrivals[0].occurrence.values, [("charging", EventValue::Truth(false))]);
        assert_eq!(arrivals[0].occurrence.time, 7);
    }

    proptest! {
        /// Between two events the condition was not met, and each event meets it.
        #[test]
        fn events_are_edges(
            limit in 0_u8..=100,
            readings in prop::collection::vec(0_u8..=100, 0..60),
        ) {
            let mut filters = filters(&format!("below = {limit}"));
            let mut was_met = false;
            for percent in readings {
                let reading = Reading { percent: Some(percent), is_charging: None };
                let is_told = !filters.arrivals(reading, 0).is_empty();
                let is_met = percent < limit;
                prop_assert_eq!(is_told, is_met && !was_met);
                was_met = is_met;
            }
        }
    }
}
