//! The events of a new project: for each one it shows a notification. The texts name values of the
//! event, as an example for the author.

use std::fmt::Write;

use core_types::event::{EventName, EventType, ValueKind, ValueSpec};

use super::words::fill;

/// The settings of an event, and the notification about it.
struct Sample {
    /// The lines of its table in `extension.toml`, each with its line end.
    settings: &'static str,
    /// The lines of `[capabilities]` that it needs, each with its line end.
    requests: &'static str,
    /// The type of `extension_sdk::event`.
    sdk_type: &'static str,
    title: &'static str,
    /// The text, with `{NAME}` in the place of each value.
    text: &'static str,
}

const fn sample(sdk_type: &'static str, title: &'static str, text: &'static str) -> Sample {
    Sample { settings: "", requests: "", sdk_type, title, text }
}

const fn with_settings(settings: &'static str, sample: Sample) -> Sample {
    Sample { settings, ..sample }
}

/// Every path of `file.changed` has to lie in a granted directory.
const READS_DOCUMENTS: &str = "filesystem = { read = [\"~/Documents\"] }   # where its paths lie\n";
/// `config.changed` is about the settings that the extension may read.
const READS_SETTINGS: &str = "config-read = true                      # its own settings\n";

impl Sample {
    fn of(event: EventType) -> Self {
        match event {
            EventType::TimeEvery => with_settings(
                "every = \"1h\"\n",
                sample("Every", "It is time", "An hour has passed"),
            ),
            EventType::TimeAt => with_settings(
                "at = [\"08:30\"]\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"]\n",
                sample("At", "It is time", "It is {at}"),
            ),
            EventType::SessionStart => sample("SessionStart", "Session", "Welcome"),
            EventType::SessionLocked => sample("SessionLocked", "Session", "The screen is locked"),
            EventType::SessionUnlocked => {
                sample("SessionUnlocked", "Session", "The screen is unlocked")
            }
            EventType::SessionIdle => sample("SessionIdle", "Session", "The session is idle"),
            EventType::SessionActive => sample("SessionActive", "Session", "Welcome back"),
            EventType::SystemSleep => sample("SystemSleep", "Computer", "About to sleep"),
            EventType::SystemWake => sample("SystemWake", "Computer", "Awake again"),
            EventType::PowerSource => sample("PowerSource", "Power", "On battery: {on-battery}"),
            EventType::PowerBattery => with_settings(
                "below = 20\ncharging = false\n",
                sample("Battery", "Battery", "{percent} % left"),
            ),
            EventType::NetworkChanged => {
                sample("Network", "Network", "Connectivity: {connectivity}")
            }
            EventType::NetworkWifi => sample("Wifi", "Network", "Joined {ssid}"),
            EventType::MediaChanged => sample("Media", "Now playing", "{title} by {artist}"),
            EventType::FileChanged => Self {
                requests: READS_DOCUMENTS,
                ..with_settings(
                    "paths = [\"~/Documents\"]\n",
                    sample("File", "Documents", "{path}: {kind}"),
                )
            },
            EventType::ConfigChanged => Self {
                requests: READS_SETTINGS,
                ..sample("ConfigChanged", "Settings", "One of them has changed")
            },
            EventType::Custom => sample("Custom", "Message", "{payload}"),
        }
    }

    /// Returns the values in the text.
    fn values(&self, event: &EventName) -> Vec<&'static ValueSpec> {
        let is_in_text = |value: &&ValueSpec| self.text.contains(&format!("{{{}}}", value.name));
        event.spec().values.iter().filter(is_in_text).collect()
    }

    /// Returns the text of the examples.
    fn text_of_examples(&self, event: &EventName) -> String {
        self.values(event).iter().fold(self.text.to_owned(), |text, value| {
            text.replace(&format!("{{{}}}", value.name), example(value))
        })
    }

    /// Returns the text as an expression of Rust about the fields of the event's type, and the name
    /// that binds the event.
    fn in_rust(&self, event: &EventName) -> (String, &'static str) {
        let values = self.values(event);
        match values[..] {
            [] => return (format!("{:?}", self.text), "_"),
            [value] if self.text == format!("{{{}}}", value.name) => {
                return (format!("&event.{}", value.name), "event");
            }
            _ => {}
        }
        let mut text = self.text.to_owned();
        let mut fields = String::new();
        for value in values {
            text = text.replace(&format!("{{{}}}", value.name), "{}");
            let _ = write!(fields, ", event.{}", value.name.replace('-', "_"));
            if value.kind != ValueKind::Text {
                fields.push_str(".unwrap_or_default()");
            }
        }
        (format!("&format!({text:?}{fields})"), "event")
    }
}

/// Returns the value that a test delivers.
fn example(value: &ValueSpec) -> &'static str {
    if value.example.is_empty() { "hello" } else { value.example }
}

/// Returns the words of the templates about the events of a project, each event once. An arm is
/// the part of a handler for one event, in its language.
pub fn words(events: &[EventName], arm: &str) -> Vec<(&'static str, String)> {
    let each = |text: fn(&EventName) -> String| events.iter().map(text).collect::<Vec<_>>();
    vec![
        ("@REQUESTS@\n", each(requests).concat()),
        ("@EVENT_TABLES@", each(table).join("\n")),
        ("@EVENT_CASES@\n", each(case).join("\n")),
        ("@EVENT_ROWS@\n", each(row).concat()),
        ("@EVENT_ARMS@\n", arms(events, arm)),
    ]
}

/// Returns the names of events in words, such as `power.battery and time.every`.
pub fn listed(events: &[EventName]) -> String {
    let names: Vec<_> = events.iter().map(EventName::as_str).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

fn requests(event: &EventName) -> String {
    Sample::of(event.event()).requests.to_owned()
}

/// Returns the table of an event in `extension.toml`.
fn table(event: &EventName) -> String {
    let settings = Sample::of(event.event()).settings;
    format!("# {}\n[events.\"{event}\"]\n{settings}", event.spec().meaning)
}

/// Returns the case of a test file that delivers an event.
fn case(event: &EventName) -> String {
    let sample = Sample::of(event.event());
    let mut case = format!("[[case]]\nname = \"tells about {event}\"\nevent = \"{event}\"\n");
    let values: Vec<_> = event.spec().values.iter().map(value).collect();
    if !values.is_empty() {
        let _ = writeln!(case, "values = {{ {} }}", values.join(", "));
    }
    let said = format!("{}: {}", sample.title, sample.text_of_examples(event));
    let _ = writeln!(case, "expect_notifications = [{said:?}]");
    case
}

/// Returns a value as it is written in a test file.
fn value(value: &ValueSpec) -> String {
    match value.kind {
        ValueKind::Text => format!("{} = {:?}", value.name, example(value)),
        _ => format!("{} = {}", value.name, example(value)),
    }
}

/// Returns the row of an event in the documentation.
fn row(event: &EventName) -> String {
    format!("| `{event}` | {} |\n", event.spec().meaning)
}

/// Returns the arms of a handler. Two topics have one in a language that has an arm for each type.
fn arms(events: &[EventName], arm: &str) -> String {
    let mut arms: Vec<String> = Vec::new();
    for event in events {
        let sample = Sample::of(event.event());
        let (shown, bound) = sample.in_rust(event);
        let words = [
            ("@EVENT@", event.to_string()),
            ("@SUMMARY@", sample.title.to_owned()),
            ("@BODY@", sample.text.to_owned()),
            ("@TYPE@", sample.sdk_type.to_owned()),
            ("@SHOWN@", shown),
            ("@BOUND@", bound.to_owned()),
        ];
        let arm = fill(arm, &words);
        if !arms.contains(&arm) {
            arms.push(arm);
        }
    }
    arms.concat()
}

#[cfg(test)]
mod tests {
    use core_types::event::AuthorEvents;
    use core_types::parse_toml;

    use super::*;

    fn all() -> Vec<EventName> {
        let custom = || "custom.build.done".parse().expect("a name");
        EventType::ALL.map(|event| EventName::of(event).unwrap_or_else(custom)).to_vec()
    }

    /// The settings of each event are valid and enough for it to come.
    #[test]
    fn tables_have_their_settings() {
        let tables: Vec<_> = all().iter().map(table).collect();
        let text = tables.concat().replace("[events.", "[");
        let parsed = parse_toml::<AuthorEvents>(&text).expect("valid");
        assert!(parsed.unknown_keys.is_empty(), "{:?}", parsed.unknown_keys);
        for event in all() {
            assert!(parsed.value.tables().settings(&event).is_ok(), "{event}");
        }
    }

    #[test]
    fn every_value_of_a_text_is_known() {
        for event in all() {
            let sample = Sample::of(event.event());
            assert!(!sample.text_of_examples(&event).contains('{'), "{event}");
            assert_eq!(sample.text.matches('{').count(), sample.values(&event).len(), "{event}");
        }
    }

    #[test]
    fn rust_reads_the_fields() {
        let said = |name: &str| {
            let event: EventName = name.parse().expect(name);
            Sample::of(event.event()).in_rust(&event)
        };
        let battery = "&format!(\"{} % left\", event.percent.unwrap_or_default())";
        assert_eq!(said("power.battery"), (battery.to_owned(), "event"));
        let media = "&format!(\"{} by {}\", event.title, event.artist)";
        assert_eq!(said("media.changed"), (media.to_owned(), "event"));
        assert_eq!(said("custom.a"), ("&event.payload".to_owned(), "event"));
        assert_eq!(said("session.start"), ("\"Welcome\"".to_owned(), "_"));
    }

    #[test]
    fn topics_of_one_type_have_one_arm() {
        let events = ["custom.a", "custom.b"].map(|name| name.parse().expect(name));
        assert_eq!(arms(&events, "@TYPE@;"), "Custom;");
        assert_eq!(arms(&events, "@EVENT@;"), "custom.a;custom.b;");
        assert_eq!(listed(&events), "custom.a and custom.b");
    }
}
