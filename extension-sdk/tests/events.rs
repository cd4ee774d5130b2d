//! The types of events have the values of the table of events.

use std::fmt::Debug;

use core_types::event::{EventName, EventType, EventValue, Occurrence};
use extension_sdk::event::{
    At, Battery, ConfigChanged, Custom, Event, Every, File, Media, Network, PowerSource,
    SessionActive, SessionIdle, SessionLocked, SessionStart, SessionUnlocked, SystemSleep,
    SystemWake, Typed, Value, Wifi, deliver,
};

/// Returns an event as the host delivers it, with the examples of the table.
fn made_up(event: EventType) -> Event {
    let name = EventName::of(event);
    let name = name.unwrap_or_else(|| "custom.build.done".parse().expect("a name"));
    let made_up = Occurrence::made_up(name, &[], 1).expect("examples");
    let values = made_up.values.into_iter().map(|(name, value)| (name.to_owned(), guest(value)));
    Event { name: made_up.name.to_string(), values: values.collect(), time: 1, missed: 0 }
}

fn guest(value: EventValue) -> Value {
    match value {
        EventValue::Text(text) if text.is_empty() => Value::Text("hello".to_owned()),
        EventValue::Text(text) => Value::Text(text),
        EventValue::Whole(number) => Value::Whole(number),
        EventValue::Number(number) => Value::Number(number),
        EventValue::Truth(is_so) => Value::Truth(is_so),
    }
}

/// Returns the event in its own type, in words.
fn typed(event: &Event) -> Option<String> {
    fn of<T: Typed + Debug>(event: &Event) -> Option<String> {
        let mut said = String::new();
        let handled = deliver(event, |typed: T| {
            said = format!("{typed:?}");
            Ok::<(), String>(())
        });
        handled.map(|handled| handled.map(|()| said).expect("handled"))
    }
    let all: [fn(&Event) -> Option<String>; EventType::ALL.len()] = [
        of::<Every>,
        of::<At>,
        of::<SessionStart>,
        of::<SessionLocked>,
        of::<SessionUnlocked>,
        of::<SessionIdle>,
        of::<SessionActive>,
        of::<SystemSleep>,
        of::<SystemWake>,
        of::<PowerSource>,
        of::<Battery>,
        of::<Network>,
        of::<Wifi>,
        of::<Media>,
        of::<File>,
        of::<ConfigChanged>,
        of::<Custom>,
    ];
    let mut found: Vec<_> = all.iter().filter_map(|of| of(event)).collect();
    assert!(found.len() < 2, "{found:?}");
    found.pop()
}

#[test]
fn each_event_has_a_type() {
    for event in EventType::ALL {
        let made_up = made_up(event);
        let typed = typed(&made_up).unwrap_or_else(|| panic!("{} has no type", made_up.name));
        assert!(!typed.contains("None") && !typed.contains("\"\""), "{typed}");
        let fields = made_up.values.len() + usize::from(event == EventType::Custom);
        assert_eq!(typed.matches(": ").count(), fields, "{typed}");
    }
}

#[test]
fn unknown_event_has_no_type() {
    for name in ["power.batteries", "power", "custom", ""] {
        let event = Event { name: name.to_owned(), values: Vec::new(), time: 0, missed: 0 };
        assert_eq!(typed(&event), None, "{name}");
    }
}

/// What a later version of the host sends does not crash an extension of today.
#[test]
fn foreign_value_is_missing() {
    let value = |name: &str, value: Value| (name.to_owned(), value);
    let values = vec![
        value("percent", Value::Whole(1_000)),
        value("charging", Value::Text("yes".to_owned())),
        value("temperature", Value::Number(30.5)),
    ];
    let event = Event { name: "power.battery".to_owned(), values, time: 0, missed: 7 };
    let battery = Battery::from(&event);
    assert_eq!((battery.percent, battery.charging), (None, None));
    assert_eq!(event.whole("percent"), Some(1_000));
    assert_eq!((event.number("temperature"), event.number("percent")), (Some(30.5), None));
    assert_eq!(Event::from(&event), event);
}

#[test]
fn error_becomes_text() {
    let event = made_up(EventType::Custom);
    let denied = |_: Custom| Err(extension_sdk::Error::Denied("notification".to_owned()));
    assert_eq!(deliver(&event, denied), Some(Err("denied: notification".to_owned())));
}
