//! Events, which wake the extension when something happens in the session.
//!
//! The macro [`events!`](crate::events) makes a handler the component's. Each event in
//! `extension.toml` requests the capability `events`, and its settings say when it comes:
//!
//! ```toml
//! [events."power.battery"]
//! below = 20
//! charging = false
//! ```
//!
//! A value that the host does not know is `None`, and a missing text is empty. An event can get more
//! values in a later version.

pub use bindings::exports::open_sesame::extension::events::{Event, Guest, Value};

/// The bindings of `wit/extension`. The macro of the exports is for other crates, so that a
/// component without events exports none.
#[doc(hidden)]
#[allow(missing_docs, reason = "generated; its documentation is that of the WIT files")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit/extension",
        world: "wakeable",
        pub_export_macro: true,
        export_macro_name: "export_events",
        additional_derives: [PartialEq],
    });
}

impl Event {
    /// Returns the value of this name.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(its, _)| its == name).map(|(_, value)| value)
    }

    /// Returns the text of this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns the whole number of this name.
    pub fn whole(&self, name: &str) -> Option<i64> {
        match self.value(name) {
            Some(Value::Whole(number)) => Some(*number),
            _ => None,
        }
    }

    /// Returns the number of this name.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.value(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// Returns the truth of this name.
    pub fn truth(&self, name: &str) -> Option<bool> {
        match self.value(name) {
            Some(Value::Truth(is_so)) => Some(*is_so),
            _ => None,
        }
    }
}

/// An event as [`events!`](crate::events) gives it to a handler.
pub trait Typed: for<'e> From<&'e Event> {
    /// Tells whether an event of this name is one.
    fn is(name: &str) -> bool;
}

/// Every event, as the host delivers it.
impl Typed for Event {
    fn is(_: &str) -> bool {
        true
    }
}

impl From<&Self> for Event {
    fn from(event: &Self) -> Self {
        event.clone()
    }
}

/// A value of an event in the type of its field.
trait Field {
    fn of(event: &Event, name: &str) -> Self;
}

impl Field for String {
    fn of(event: &Event, name: &str) -> Self {
        event.text(name).unwrap_or_default().to_owned()
    }
}

impl Field for Option<bool> {
    fn of(event: &Event, name: &str) -> Self {
        event.truth(name)
    }
}

impl Field for Option<u8> {
    fn of(event: &Event, name: &str) -> Self {
        event.whole(name).and_then(|number| number.try_into().ok())
    }
}

impl Field for Option<u64> {
    fn of(event: &Event, name: &str) -> Self {
        event.whole(name).and_then(|number| number.try_into().ok())
    }
}

/// Makes the type of each event: its name, and the names of its values where they differ from those
/// of the fields.
macro_rules! typed_events {
    ($(
        $(#[$of_type:meta])*
        $name:literal => $type:ident {
            $($(#[$of_field:meta])* $value:literal => $field:ident: $field_type:ty,)*
        }
    )+) => {$(
        $(#[$of_type])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $type {
            $($(#[$of_field])* pub $field: $field_type,)*
        }

        impl From<&Event> for $type {
            fn from(event: &Event) -> Self {
                let _ = event;
                Self { $($field: Field::of(event, $value),)* }
            }
        }

        impl Typed for $type {
            fn is(name: &str) -> bool {
                name == $name
            }
        }
    )+};
}

typed_events! {
    /// `time.every`: again and again, after a time.
    "time.every" => Every {
        /// When it was due, in milliseconds since 1970.
        "due" => due: Option<u64>,
    }

    /// `time.at`: at times of the day.
    "time.at" => At {
        /// The time that was due, such as `08:30`.
        "at" => at: String,
        /// How many seconds later it comes.
        "late" => late: Option<u64>,
    }

    /// `session.start`: once, when the session service starts in a login session.
    "session.start" => SessionStart {}

    /// `session.locked`: when the screen is locked.
    "session.locked" => SessionLocked {}

    /// `session.unlocked`: when the screen is unlocked.
    "session.unlocked" => SessionUnlocked {}

    /// `session.idle`: when the session becomes idle.
    "session.idle" => SessionIdle {}

    /// `session.active`: when an idle session is used again.
    "session.active" => SessionActive {}

    /// `system.sleep`: when the computer is about to sleep, which does not wait for it.
    "system.sleep" => SystemSleep {}

    /// `system.wake`: when the computer wakes up.
    "system.wake" => SystemWake {}

    /// `power.source`: when the computer goes on battery or on mains.
    "power.source" => PowerSource {
        /// Whether it is on battery.
        "on-battery" => on_battery: Option<bool>,
    }

    /// `power.battery`: when the charge of the battery begins to meet a condition.
    ///
    /// ```
    /// use extension_sdk::event::{Battery, Event, Value};
    ///
    /// let values = vec![("percent".to_owned(), Value::Whole(9))];
    /// let event = Event { name: "power.battery".to_owned(), values, time: 0, missed: 0 };
    /// let battery = Battery::from(&event);
    /// assert_eq!((battery.percent, battery.charging), (Some(9), None));
    /// ```
    "power.battery" => Battery {
        /// The charge in percent.
        "percent" => percent: Option<u8>,
        /// Whether it is charging.
        "charging" => charging: Option<bool>,
    }

    /// `network.changed`: when the connection to the network changes.
    "network.changed" => Network {
        /// `none`, `portal`, `limited` or `full`.
        "connectivity" => connectivity: String,
        /// Whether its data is counted.
        "metered" => metered: Option<bool>,
    }

    /// `network.wifi`: when the computer joins a wireless network.
    "network.wifi" => Wifi {
        /// The name of the network.
        "ssid" => ssid: String,
    }

    /// `media.changed`: when a media player plays something else. The texts come from the player.
    "media.changed" => Media {
        /// The name of the player.
        "player" => player: String,
        /// Such as `playing`.
        "status" => status: String,
        /// The title.
        "title" => title: String,
        /// The artist.
        "artist" => artist: String,
    }

    /// `file.changed`: when a file changes in a directory that the extension may read.
    "file.changed" => File {
        /// The path by which the extension opens it.
        "path" => path: String,
        /// Such as `changed`.
        "kind" => kind: String,
    }

    /// `config.changed`: when one of the extension's own settings changes.
    "config.changed" => ConfigChanged {}
}

/// `custom.TOPIC`: when a program or an extension sends a message on a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Custom {
    /// The topic, such as `build.done`.
    pub topic: String,
    /// The message. It may come from anybody.
    pub payload: String,
    /// `user`, `program`, or `extension` with its identity. Only the last one is proven.
    pub from: String,
}

/// The beginning of the names of custom events.
const CUSTOM: &str = "custom.";

impl From<&Event> for Custom {
    fn from(event: &Event) -> Self {
        let topic = event.name.strip_prefix(CUSTOM).unwrap_or_default();
        Self {
            topic: topic.to_owned(),
            payload: Field::of(event, "payload"),
            from: Field::of(event, "from"),
        }
    }
}

impl Typed for Custom {
    fn is(name: &str) -> bool {
        name.starts_with(CUSTOM)
    }
}

/// Gives an event to a handler if it is of the handler's type, as [`events!`](crate::events) does for
/// each.
#[doc(hidden)]
pub fn deliver<T: Typed, E: Into<String>>(
    event: &Event,
    handler: impl FnOnce(T) -> Result<(), E>,
) -> Option<Result<(), String>> {
    T::is(&event.name).then(|| handler(T::from(event)).map_err(Into::into))
}

/// Exports handlers of events, so that the host can wake the extension.
///
/// Each type of an [event](crate::event) has a function or a closure that takes it. The result is
/// `Ok`, or an error that becomes text, such as [`Error`](crate::Error) or `String`: it goes to the
/// log, and the event counts as handled. Other events are ignored.
///
/// ```
/// use extension_sdk::event::{Battery, Custom};
/// use extension_sdk::{Error, notification, storage};
///
/// extension_sdk::events! {
///     Battery => tell,
///     Custom => |message| storage::set_text("last", &message.payload),
/// }
///
/// fn tell(battery: Battery) -> Result<(), Error> {
///     let percent = battery.percent.unwrap_or_default();
///     notification::show("Battery", &format!("{percent} % left"))
/// }
/// # fn main() {}
/// ```
///
/// One handler can take every event, with the time and with the number of those that were left out:
///
/// ```
/// use extension_sdk::event::Event;
///
/// extension_sdk::events!(handle);
///
/// fn handle(event: Event) -> Result<(), String> {
///     extension_sdk::log::info(format!("{} after {} others", event.name, event.missed));
///     Ok(())
/// }
/// # fn main() {}
/// ```
///
/// An extension uses it once, beside [`generate!`](crate::generate) if it has functions to call as
/// well. A world that exports `open-sesame:extension/events` itself does not need it.
#[macro_export]
macro_rules! events {
    ($handler:expr $(,)?) => {
        $crate::events! { $crate::event::Event => $handler }
    };
    ($($event:ty => $handler:expr),+ $(,)?) => {
        const _: () = {
            #[allow(dead_code, reason = "only a component exports it")]
            struct Woken;

            impl $crate::event::Guest for Woken {
                fn handle(
                    event: $crate::event::Event,
                ) -> ::core::result::Result<(), ::std::string::String> {
                    $(
                        let handled = $crate::event::deliver::<$event, _>(&event, $handler);
                        if let ::core::option::Option::Some(handled) = handled {
                            return handled;
                        }
                    )+
                    ::core::result::Result::Ok(())
                }
            }

            // Linkers of other targets take the `@` in its name for the version of a symbol.
            #[cfg(target_family = "wasm")]
            $crate::event::bindings::export_events!(
                Woken with_types_in $crate::event::bindings
            );
        };
    };
}
