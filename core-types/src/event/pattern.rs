//! Patterns over names of events: the scopes of the capability `events`.

use std::fmt;
use std::str::FromStr;

use crate::event::name::{EventName, EventNameError};
use crate::event::nearest::{nearest_pattern, or_nearest};
use crate::event::spec::EventType;
use crate::serde_as_text;

/// The name of an event, or everything below one: `power.battery`, `power.*`, `custom.build.*`.
///
/// A pattern with a star never covers a private event.
///
/// ```
/// use core_types::event::EventPattern;
///
/// let pattern: EventPattern = "network.*".parse()?;
/// assert!(pattern.covers(&"network.changed".parse()?));
/// assert!(!pattern.covers(&"network.wifi".parse()?), "it is private");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventPattern {
    /// One event.
    Name(EventName),
    /// Every event below this name that is not private. It ends with a dot.
    Below(String),
}

/// Why a text is not a pattern of events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventPatternError {
    /// Every event there is, and every one that there will be.
    #[error("`*` would be every event: name each, or a family such as `power.*`")]
    Everything,
    /// The event is unknown, and so is every event below it.
    #[error("`{}` is not an event{}", text.escape_debug(), or_nearest(*nearest))]
    Unknown {
        /// The text as given.
        text: String,
        /// The nearest name or pattern, if one is near.
        nearest: Option<&'static str>,
    },
    /// The text is in no form that a name or a pattern can have.
    #[error("`{}` is not a pattern of events: write a name such as `power.battery`, or `power.*` for all below `power`", text.escape_debug())]
    Form {
        /// The text as given.
        text: String,
    },
}

impl EventPattern {
    /// Tells whether the pattern covers the event.
    pub fn covers(&self, name: &EventName) -> bool {
        match self {
            Self::Name(own) => own == name,
            Self::Below(prefix) => !name.is_private() && name.as_str().starts_with(prefix),
        }
    }

    /// Tells whether the pattern names the event, private or not. A policy forbids by it.
    pub fn names(&self, name: &EventName) -> bool {
        match self {
            Self::Name(own) => own == name,
            Self::Below(prefix) => name.as_str().starts_with(prefix),
        }
    }

    /// Tells whether the pattern names every event that the other one covers.
    pub fn names_all(&self, other: &Self) -> bool {
        match other {
            Self::Name(name) => self.names(name),
            Self::Below(_) => self.covers_all(other),
        }
    }

    /// Tells whether the pattern covers every event that the other one covers.
    pub fn covers_all(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Name(name)) => self.covers(name),
            (Self::Below(own), Self::Below(other)) => other.starts_with(own),
            (Self::Name(_), Self::Below(_)) => false,
        }
    }

    /// Returns the event that it is the name of.
    pub fn name(&self) -> Option<&EventName> {
        match self {
            Self::Name(name) => Some(name),
            Self::Below(_) => None,
        }
    }

    /// Returns a custom event below it, for a pattern of custom events.
    pub fn topic_below(&self) -> Option<EventName> {
        match self {
            Self::Below(prefix) if prefix.starts_with("custom.") => {
                format!("{prefix}any").parse().ok()
            }
            _ => None,
        }
    }

    /// Returns the private events below it, which it does not cover although they look so.
    pub fn private_below(&self) -> impl Iterator<Item = EventName> {
        let prefix = match self {
            Self::Below(prefix) => Some(prefix.clone()),
            Self::Name(_) => None,
        };
        let names = EventType::ALL.into_iter().filter_map(EventName::of);
        names.filter(move |name| {
            let is_below = |prefix: &String| name.as_str().starts_with(prefix);
            name.is_private() && prefix.as_ref().is_some_and(is_below)
        })
    }
}

/// Tells whether a dotted name without its star has events below it.
fn has_events(prefix: &str) -> bool {
    let is_custom = prefix == "custom" || prefix.parse::<EventName>().is_ok_and(is_topic);
    is_custom || EventType::ALL.into_iter().any(|event| event.spec().family() == prefix)
}

fn is_topic(name: EventName) -> bool {
    name.event() == EventType::Custom
}

/// Tells whether each part between the dots is a word.
fn is_dotted(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
    };
    text.split('.').all(is_word)
}

impl FromStr for EventPattern {
    type Err = EventPatternError;

    fn from_str(text: &str) -> Result<Self, EventPatternError> {
        let prefix = text.strip_suffix(".*");
        if text == "*" {
            return Err(EventPatternError::Everything);
        }
        if !is_dotted(prefix.unwrap_or(text)) {
            return Err(EventPatternError::Form { text: text.to_owned() });
        }
        let unknown =
            || EventPatternError::Unknown { text: text.to_owned(), nearest: nearest_pattern(text) };
        match prefix {
            Some(prefix) if has_events(prefix) => Ok(Self::Below(format!("{prefix}."))),
            Some(_) => Err(unknown()),
            None => text.parse().map(Self::Name).map_err(|error| match error {
                EventNameError::Unknown { .. } => unknown(),
                EventNameError::Topic { name } => EventPatternError::Form { text: name },
            }),
        }
    }
}

impl fmt::Display for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Below(prefix) => f.pad(&format!("{prefix}*")),
        }
    }
}

serde_as_text!(EventPattern);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> EventPattern {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn name(text: &str) -> EventName {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn pattern_covers_what_is_below() {
        for (wide, covered, is_covered) in [
            ("power.battery", "power.battery", true),
            ("power.battery", "power.source", false),
            ("power.*", "power.battery", true),
            ("custom.build.*", "custom.build.done", true),
            ("custom.build.*", "custom.build.a.b", true),
            ("custom.build.*", "custom.build", false),
            ("custom.build.*", "custom.builds.a", false),
            ("custom.*", "custom.a", true),
            ("time.*", "custom.time", false),
        ] {
            assert_eq!(pattern(wide).covers(&name(covered)), is_covered, "{wide} {covered}");
        }
    }

    /// Whatever the pattern, a private event needs its own name.
    #[test]
    fn private_event_needs_its_name() {
        let private = EventType::ALL.into_iter().filter(|event| event.spec().is_private);
        let private: Vec<_> = private.filter_map(EventName::of).collect();
        assert_eq!(private.len(), 3);
        for name in private {
            let family = format!("{}.*", name.spec().family());
            let wide = pattern(&family);
            assert!(!wide.covers(&name), "{name}");
            assert!(wide.private_below().eq([name.clone()]), "{name}");
            assert!(!wide.covers_all(&EventPattern::Name(name.clone())), "{name}");
            assert!(pattern(name.as_str()).covers(&name), "{name}");
        }
    }

    #[test]
    fn wrong_pattern_is_refused() {
        for (text, said) in [
            ("*", "would be every event"),
            ("power", "`power` is not an event; the nearest is `power.*`"),
            ("custom", "`custom` is not an event; the nearest is `custom.*`"),
            ("powr.battery", "the nearest is `power.battery`"),
            ("power.battery.*", "is not an event; the nearest is `power.battery`"),
            ("window.focused", "`window.focused` is not an event"),
            ("custom.", "is not a pattern of events"),
            ("custom.*.a", "is not a pattern of events"),
            ("power.b*", "is not a pattern of events"),
            ("**", "is not a pattern of events"),
            ("", "is not a pattern of events"),
        ] {
            let error = text.parse::<EventPattern>().expect_err(text).to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    proptest! {
        /// Printing then parsing is the identity, and no text panics.
        #[test]
        fn printed_pattern_parses_back(text in "(power|custom|[a-z.*]{0,6})(\\.[a-z*]{0,5}){0,3}") {
            if let Ok(pattern) = text.parse::<EventPattern>() {
                prop_assert_eq!(pattern.to_string(), text);
            }
        }

        /// A wider pattern covers each event that a narrower one covers.
        #[test]
        fn wider_covers_more(
            wide in "custom(\\.[ab]){0,2}\\.[*]",
            narrow in "custom(\\.[ab]){1,3}(\\.[*])?",
            topic in "custom(\\.[ab]){1,4}",
        ) {
            let (wide, narrow, topic) = (pattern(&wide), pattern(&narrow), name(&topic));
            if wide.covers_all(&narrow) && narrow.covers(&topic) {
                prop_assert!(wide.covers(&topic));
            }
        }
    }
}
