//! Values of events.

use crate::event::spec::{ValueKind, ValueSpec};

/// A value of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum EventValue {
    /// A text.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
    /// True or false.
    Truth(bool),
}

/// A text that is not a value of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is {}, and `{}` is not", expected(*kind), text.escape_debug())]
pub struct EventValueError {
    /// The name of the value.
    pub name: &'static str,
    /// The type that it has.
    pub kind: ValueKind,
    /// The text as given.
    pub text: String,
}

/// Returns a type in words.
fn expected(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Text => "a text",
        ValueKind::Whole => "a whole number",
        ValueKind::Number => "a finite number",
        ValueKind::Truth => "`true` or `false`",
    }
}

impl EventValue {
    /// Reads a value of an event from text.
    ///
    /// # Errors
    /// When the text is not of its type.
    pub fn parse(spec: &ValueSpec, text: &str) -> Result<Self, EventValueError> {
        let value = match spec.kind {
            ValueKind::Text => Some(Self::Text(text.to_owned())),
            ValueKind::Whole => text.parse().ok().map(Self::Whole),
            ValueKind::Number => {
                text.parse().ok().filter(|number: &f64| number.is_finite()).map(Self::Number)
            }
            ValueKind::Truth => text.parse().ok().map(Self::Truth),
        };
        let error = || EventValueError { name: spec.name, kind: spec.kind, text: text.to_owned() };
        value.ok_or_else(error)
    }

    /// Returns the number of bytes of a text; 0 for the other types.
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Whole(_) | Self::Number(_) | Self::Truth(_) => 0,
        }
    }
}
