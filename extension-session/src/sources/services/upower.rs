//! `power.source` and `power.battery`, from UPower.

use std::sync::Arc;

use core_types::event::{EventType, EventValue};
use zbus::zvariant::Value;

use super::battery_filters::{BatteryFilters, Reading};
use super::service::{Answer, At, Names, Properties, Question, Rule, Service, Signal, Taken};
use super::session_memory::SessionMemory;
use super::values::{fraction, number, truth, update};
use crate::delivery::{Arrival, Subscriber};

/// The name of the source.
pub(super) const SOURCE: &str = "upower";
/// Its service on the bus.
pub(super) const NAME: &str = "org.freedesktop.UPower";
const ROOT: &str = "/org/freedesktop/UPower";
/// The battery that stands for all batteries of the machine.
const DISPLAY: &str = "/org/freedesktop/UPower/devices/DisplayDevice";
const DEVICE: &str = "org.freedesktop.UPower.Device";
const EVENTS: &[EventType] = &[EventType::PowerSource, EventType::PowerBattery];

/// The power of the machine.
pub(crate) struct UPower {
    is_source_heard: bool,
    filters: BatteryFilters,
    is_on_battery: Option<bool>,
    /// The source that extensions know of.
    told_source: Option<bool>,
    percent: Option<u8>,
    is_charging: Option<bool>,
    is_present: Option<bool>,
}

impl UPower {
    pub(crate) fn new(memory: Arc<dyn SessionMemory>) -> Self {
        Self {
            is_source_heard: false,
            filters: BatteryFilters::new(memory),
            is_on_battery: None,
            told_source: None,
            percent: None,
            is_charging: None,
            is_present: None,
        }
    }

    fn take_properties(&mut self, path: &str, properties: &Properties<'_>) {
        match path {
            ROOT => update(&mut self.is_on_battery, properties, "OnBattery", truth),
            DISPLAY => {
                update(&mut self.percent, properties, "Percentage", percent);
                update(&mut self.is_charging, properties, "State", is_charging);
                update(&mut self.is_present, properties, "IsPresent", truth);
            }
            _ => {}
        }
    }

    /// Returns the battery. A machine without one has a device that says 0 %.
    fn reading(&self) -> Reading {
        match self.is_present {
            Some(false) => Reading::default(),
            _ => Reading { percent: self.percent, is_charging: self.is_charging },
        }
    }

    /// Returns the event of another source of power. The first one known is none.
    fn source_arrival(&mut self, time: u64) -> Option<Arrival> {
        let is_on_battery = self.is_on_battery?;
        let before = self.told_source.replace(is_on_battery);
        let values = vec![("on-battery", EventValue::Truth(is_on_battery))];
        let is_other = before.is_some_and(|before| before != is_on_battery);
        is_other.then(|| Arrival::to_all(EventType::PowerSource, values, time)).flatten()
    }

    /// Forgets values without a listener, which may change unnoticed.
    fn forget_unheard(&mut self) {
        if !self.is_source_heard {
            (self.is_on_battery, self.told_source) = (None, None);
        }
        if self.filters.is_empty() {
            self.forget_battery();
        }
    }

    fn forget_battery(&mut self) {
        (self.percent, self.is_charging, self.is_present) = (None, None, None);
    }

    fn questions(&self) -> Vec<Question> {
        let source = self.is_source_heard.then(|| Question::properties(ROOT, NAME));
        let battery = (!self.filters.is_empty()).then(|| Question::properties(DISPLAY, DEVICE));
        source.into_iter().chain(battery).collect()
    }
}

/// Returns a charge in whole percent, rounded down, so that 19.9 % is below 20 %.
fn percent(value: &Value<'_>) -> Option<u8> {
    let percent = fraction(value).filter(|percent| (0.0..=100.0).contains(percent))?;
    // The range fits.
    Some(percent as u8)
}

/// Returns whether a state of a battery is that of charging; nothing for an unknown one.
fn is_charging(value: &Value<'_>) -> Option<bool> {
    match number(value)? {
        1 => Some(true),
        // Discharging, empty, full, and waiting for either.
        2..=6 => Some(false),
        _ => None,
    }
}

impl Service for UPower {
    fn source_name(&self) -> &'static str {
        SOURCE
    }

    fn names(&self) -> Names {
        Names::One(NAME)
    }

    fn events(&self) -> Option<&'static [EventType]> {
        Some(EVENTS)
    }

    fn hear(&mut self, subscribers: &[Subscriber]) -> Vec<Rule> {
        self.is_source_heard = subscribers.iter().any(|it| it.hears_of(EventType::PowerSource));
        self.filters.set(subscribers);
        self.forget_unheard();
        let source = self.is_source_heard.then(|| Rule::properties(NAME, At::Object(ROOT), NAME));
        let battery = !self.filters.is_empty();
        let battery = battery.then(|| Rule::properties(NAME, At::Object(DISPLAY), DEVICE));
        source.into_iter().chain(battery).collect()
    }

    fn begin(&mut self, _: &str) -> Vec<Question> {
        self.questions()
    }

    fn end(&mut self, _: &str) {
        self.is_on_battery = None;
        self.forget_battery();
    }

    fn answer(&mut self, _: &str, question: &Question, answer: &Answer<'_>) -> Vec<Question> {
        if let (Question::Properties { path, .. }, Answer::Properties(properties)) =
            (question, answer)
        {
            self.take_properties(path, properties);
        }
        Vec::new()
    }

    fn signal(&mut self, _: &str, signal: &Signal<'_>) -> Vec<Question> {
        let Signal::Properties { path, interface, changed, is_partial } = signal else {
            return Vec::new();
        };
        if matches!((*path, *interface), (ROOT, NAME) | (DISPLAY, DEVICE)) {
            self.take_properties(path, changed);
        }
        if *is_partial { self.questions() } else { Vec::new() }
    }

    fn take(&mut self, time: u64) -> Taken {
        let mut arrivals = self.filters.arrivals(self.reading(), time);
        arrivals.extend(self.source_arrival(time));
        Taken { arrivals, locked: None }
    }

    fn problem(&self) -> Option<String> {
        self.filters.problem()
    }
}

#[cfg(test)]
mod tests;
