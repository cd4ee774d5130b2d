//! An event as it is delivered.

use crate::event::name::EventName;
use crate::event::spec::ValueSpec;
use crate::event::value::{EventValue, EventValueError};

/// The longest text of a value, in bytes: a title or a path, and not a document. The payload of a
/// custom event is as long as a whole event.
pub const MAX_VALUE_BYTES: usize = 4 << 10;
/// The longest texts of one event together, in bytes.
pub const MAX_EVENT_BYTES: usize = 64 << 10;

/// Something that happened, as an extension is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence {
    /// The event.
    pub name: EventName,
    /// Names and values, each name once, in the order of the documentation.
    pub values: Vec<(&'static str, EventValue)>,
    /// When it was noticed, in milliseconds since 1970.
    pub time: u64,
    /// How many of the same name were left out before this one.
    pub missed: u32,
}

/// Why values do not make an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OccurrenceError {
    /// The event does not have a value of this name.
    #[error("`{name}` does not have a value `{}`{}", value.escape_debug(), having(name))]
    Unknown {
        /// The event.
        name: EventName,
        /// The name of the value.
        value: String,
    },
    /// A value is given twice.
    #[error("`{value}` is given twice")]
    Twice {
        /// The name of the value.
        value: &'static str,
    },
    /// A text is too long.
    #[error("the texts of one event have at most {MAX_EVENT_BYTES} bytes")]
    TooLong,
    /// A value has another type.
    #[error(transparent)]
    Value(#[from] EventValueError),
}

/// Returns the values of an event, as the end of a sentence.
fn having(name: &EventName) -> String {
    let values: Vec<_> =
        name.spec().values.iter().map(|value| format!("`{}`", value.name)).collect();
    if values.is_empty() {
        "; it has none".to_owned()
    } else {
        format!("; it has {}", values.join(", "))
    }
}

impl Occurrence {
    /// Makes an event up from some of its values as text. Those that are not given are examples.
    ///
    /// ```
    /// use core_types::event::{EventValue, Occurrence};
    ///
    /// let given = [("percent".to_owned(), "7".to_owned())];
    /// let event = Occurrence::made_up("power.battery".parse()?, &given, 0)?;
    /// assert_eq!(event.values[0], ("percent", EventValue::Whole(7)));
    /// assert_eq!(event.values[1], ("charging", EventValue::Truth(false)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the event does not have such a value, or it has another type.
    pub fn made_up(
        name: EventName,
        given: &[(String, String)],
        time: u64,
    ) -> Result<Self, OccurrenceError> {
        let specs = name.spec().values;
        let has = |value: &&(String, String)| specs.iter().any(|spec| spec.name == value.0);
        if let Some((value, _)) = given.iter().find(|value| !has(value)) {
            return Err(OccurrenceError::Unknown { name: name.clone(), value: value.clone() });
        }
        let mut values = Vec::new();
        for spec in specs {
            values.push((spec.name, given_or_example(spec, given)?));
        }
        if values.iter().map(|(_, value)| value.text_bytes()).sum::<usize>() > MAX_EVENT_BYTES {
            return Err(OccurrenceError::TooLong);
        }
        Ok(Self { name, values, time, missed: 0 })
    }
}

fn given_or_example(
    spec: &ValueSpec,
    given: &[(String, String)],
) -> Result<EventValue, OccurrenceError> {
    let mut texts = given.iter().filter(|(name, _)| name == spec.name).map(|(_, text)| text);
    let text = texts.next();
    if texts.next().is_some() {
        return Err(OccurrenceError::Twice { value: spec.name });
    }
    Ok(EventValue::parse(spec, text.map_or(spec.example, String::as_str))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn made_up(name: &str, given: &[(&str, &str)]) -> Result<Occurrence, OccurrenceError> {
        let given: Vec<_> =
            given.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
        Occurrence::made_up(name.parse().expect(name), &given, 0)
    }

    #[test]
    fn wrong_value_is_named() {
        let long = "x".repeat(MAX_EVENT_BYTES);
        for (name, given, said) in [
            ("power.battery", &[("percnt", "7")][..], "it has `percent`, `charging`"),
            ("power.battery", &[("percent", "7.5")], "`percent` is a whole number"),
            ("power.battery", &[("charging", "yes")], "`charging` is `true` or `false`"),
            ("power.battery", &[("percent", "7"), ("percent", "7")], "`percent` is given twice"),
            ("session.start", &[("a", "b")], "it has none"),
            ("custom.a", &[("payload", &long), ("from", "user")], "at most 65536 bytes"),
        ] {
            let error = made_up(name, given).expect_err(name).to_string();
            assert!(error.contains(said), "{error}");
        }
        assert!(made_up("custom.a", &[("payload", &long), ("from", "")]).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_panics(value: String, text: String) {
            let _ = made_up("power.battery", &[(&value, &text)]);
            let _ = made_up("power.battery", &[("percent", &text)]);
        }
    }
}
