//! What UPower says, and what comes of it.

use std::collections::HashMap;

use core_types::event::{EventValue, Settings};
use zbus::zvariant::Value;

use super::*;
use crate::Wake;
use crate::engine::Forgetful;
use crate::testing::subscriber;

fn hearing(event: &str, settings: Settings) -> UPower {
    let by = Wake::by(event.parse().expect(event));
    let mut upower = UPower::new(Arc::new(Forgetful));
    let rules = upower.hear(&[subscriber("a", vec![Wake { settings, ..by }])]);
    assert_eq!(rules.len(), 1, "{rules:?}");
    upower
}

fn battery() -> UPower {
    hearing("power.battery", Settings::Battery { below: None, above: None, charging: None })
}

fn changed<'a>(path: &'a str, interface: &'a str, values: &[(&'a str, Value<'a>)]) -> Signal<'a> {
    let clone = |value: &Value<'a>| value.try_clone().expect("a copy");
    let changed: HashMap<_, _> = values.iter().map(|(name, value)| (*name, clone(value))).collect();
    Signal::Properties { path, interface, changed, is_partial: false }
}

/// Returns the values that are told after the battery changes.
fn after(
    upower: &mut UPower,
    values: &[(&str, Value<'_>)],
) -> Vec<Vec<(&'static str, EventValue)>> {
    upower.signal(NAME, &changed(DISPLAY, DEVICE, values));
    let arrivals = upower.take(0).arrivals;
    arrivals.into_iter().map(|arrival| arrival.occurrence.values).collect()
}

fn whole(percent: i64) -> (&'static str, EventValue) {
    ("percent", EventValue::Whole(percent))
}

/// Values out of range, of another type or missing are left out, and the others are told.
#[test]
fn hostile_values_are_left_out() {
    let mut upower = battery();
    assert_eq!(after(&mut upower, &[("Percentage", 19.9.into())]), [[whole(19)]]);
    for bad in [f64::NAN, f64::INFINITY, -1.0, -0.1, 100.1, 1e308] {
        let values = [("Percentage", bad.into()), ("State", 2_u32.into())];
        assert_eq!(
            after(&mut upower, &values),
            [[("charging", EventValue::Truth(false))]],
            "{bad}"
        );
        let values = [("Percentage", 50.0.into()), ("State", 99_u32.into())];
        assert_eq!(after(&mut upower, &values), [[whole(50)]]);
    }
    for bad in [Value::from("50"), 50_u32.into(), true.into(), vec![50.0].into()] {
        assert!(after(&mut upower, &[("Percentage", bad)]).is_empty(), "nothing is known");
        assert!(after(&mut upower, &[("Percentage", 50.0.into())]).is_empty(), "as it was");
    }
    assert!(after(&mut upower, &[]).is_empty());
    assert_eq!(after(&mut upower, &[("Percentage", 100.0.into())]), [[whole(100)]]);
}

/// The device that stands for no battery says 0 %.
#[test]
fn missing_battery_is_not_empty() {
    let mut upower = battery();
    let none = [("IsPresent", false.into()), ("Percentage", 0.0.into()), ("State", 0_u32.into())];
    assert!(after(&mut upower, &none).is_empty());
    assert_eq!(after(&mut upower, &[("IsPresent", true.into())]), [[whole(0)]]);
}

/// Only changes of the source are told, and none while UPower restarts.
#[test]
fn change_of_source_is_told() {
    let mut upower = hearing("power.source", Settings::None);
    let mut told = |is_on_battery: bool| {
        upower.signal(NAME, &changed(ROOT, NAME, &[("OnBattery", is_on_battery.into())]));
        upower.take(0).arrivals.len()
    };
    assert_eq!([false, false, true, true, false].map(&mut told), [0, 0, 1, 0, 1]);
    upower.end(NAME);
    assert!(upower.take(0).is_empty());
    let answer = Answer::Properties(HashMap::from([("OnBattery", false.into())]));
    upower.answer(NAME, &Question::properties(ROOT, NAME), &answer);
    assert!(upower.take(0).is_empty(), "as before the restart");
}

/// Other devices and interfaces are none of its business.
#[test]
fn other_devices_are_ignored() {
    let mut upower = battery();
    for (path, interface) in
        [("/org/freedesktop/UPower/devices/mouse", DEVICE), (DISPLAY, NAME), (ROOT, DEVICE)]
    {
        upower.signal(NAME, &changed(path, interface, &[("Percentage", 5.0.into())]));
        assert!(upower.take(0).is_empty(), "{path} {interface}");
    }
}
