//! Names of events.

use std::fmt;
use std::str::FromStr;

use crate::capability::Pattern;
use crate::event::nearest::{nearest_name, or_nearest};
use crate::event::spec::{EventSpec, EventType};
use crate::serde_as_text;

/// The longest name, in bytes: that of names on a bus, where topics come from.
const MAX_NAME: usize = 255;
/// The beginning of the names that people and programs choose.
pub(super) const CUSTOM: &str = "custom.";

/// The name of an event, such as `power.battery` or `custom.build.done`.
///
/// ```
/// use core_types::event::{EventName, EventType};
///
/// let name: EventName = "custom.build.done".parse()?;
/// assert_eq!((name.event(), name.topic()), (EventType::Custom, Some("build.done")));
/// assert!("power.batery".parse::<EventName>().is_err());
/// # Ok::<(), core_types::event::EventNameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventName {
    event: EventType,
    text: String,
}

/// Why a text is not the name of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventNameError {
    /// The event is unknown.
    #[error("`{}` is not an event{}", name.escape_debug(), or_nearest(*nearest))]
    Unknown {
        /// The name as given.
        name: String,
        /// The nearest name, if one is near.
        nearest: Option<&'static str>,
    },
    /// The topic behind `custom.` is not one.
    #[error("`{}` does not name a topic: write a dotted name, such as `custom.build.done`", name.escape_debug())]
    Topic {
        /// The name as given.
        name: String,
    },
}

impl EventName {
    /// Returns the name of an event; nothing for [`EventType::Custom`], which has many.
    pub fn of(event: EventType) -> Option<Self> {
        (event != EventType::Custom).then(|| Self { event, text: event.spec().name.to_owned() })
    }

    /// Returns the kind of event.
    pub fn event(&self) -> EventType {
        self.event
    }

    /// Returns its row of the table.
    pub fn spec(&self) -> &'static EventSpec {
        self.event.spec()
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the topic of a custom event.
    pub fn topic(&self) -> Option<&str> {
        self.text.strip_prefix(CUSTOM).filter(|_| self.event == EventType::Custom)
    }

    /// Tells whether only this name grants it, and no pattern.
    pub fn is_private(&self) -> bool {
        self.spec().is_private
    }
}

/// Tells whether a text is a topic: a dotted name without the star of patterns.
fn is_topic(text: &str) -> bool {
    !text.ends_with('*') && text.parse::<Pattern>().is_ok()
}

impl FromStr for EventName {
    type Err = EventNameError;

    fn from_str(text: &str) -> Result<Self, EventNameError> {
        if let Some(topic) = text.strip_prefix(CUSTOM) {
            return match is_topic(topic) && text.len() <= MAX_NAME {
                true => Ok(Self { event: EventType::Custom, text: text.to_owned() }),
                false => Err(EventNameError::Topic { name: text.to_owned() }),
            };
        }
        let event = EventType::ALL.into_iter().find(|event| event.spec().name == text);
        event.map(|event| Self { event, text: text.to_owned() }).ok_or_else(|| {
            EventNameError::Unknown { name: text.to_owned(), nearest: nearest_name(text) }
        })
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

serde_as_text!(EventName);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wrong_name_says_the_nearest() {
        for (text, nearest) in [
            ("power.batery", "power.battery"),
            ("power", "power.source"),
            ("Time.Every", "time.every"),
            ("time.evry", "time.every"),
        ] {
            let error = text.parse::<EventName>().expect_err(text).to_string();
            assert!(error.ends_with(&format!("; the nearest is `{nearest}`")), "{error}");
        }
        for text in ["custom.", "custom.*", "custom.a.", "custom..a", "custom.a b", "custom.a*"] {
            let error = text.parse::<EventName>().expect_err(text);
            assert!(matches!(error, EventNameError::Topic { .. }), "{text}: {error}");
        }
        let long = format!("custom.{}", "a".repeat(MAX_NAME));
        assert!(long.parse::<EventName>().is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<EventName>();
        }

        #[test]
        fn topics_are_names(topic in "[a-z0-9_-]{1,9}(\\.[a-z0-9_-]{1,9}){0,3}") {
            let name: EventName = format!("custom.{topic}").parse().expect("a name");
            prop_assert_eq!(name.topic(), Some(topic.as_str()));
        }
    }
}
