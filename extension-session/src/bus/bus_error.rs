//! Errors as callers on the bus get them.

use core_types::ErrorKind;
use zbus::DBusError;
use zbus::message::{Header, Message};
use zbus::names::ErrorName;

/// An error with the name by which a program decides, and the text for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BusError {
    name: &'static str,
    text: String,
}

impl BusError {
    /// The message is wrong.
    pub(super) fn usage(text: impl Into<String>) -> Self {
        Self { name: "org.opensesame.Error.Usage", text: text.into() }
    }

    /// The caller may not ask for it.
    pub(super) fn refused(text: impl Into<String>) -> Self {
        Self { name: "org.opensesame.Error.Refused", text: text.into() }
    }

    /// The caller, or all callers together, have asked for too much at once.
    pub(super) fn busy(text: impl Into<String>) -> Self {
        Self { name: "org.opensesame.Error.Busy", text: text.into() }
    }

    /// The result is over a limit of the bus.
    pub(super) fn limit(text: impl Into<String>) -> Self {
        Self { name: "org.opensesame.Error.Limit", text: text.into() }
    }

    /// It does not work now.
    pub(super) fn unavailable(text: impl Into<String>) -> Self {
        Self { name: "org.opensesame.Error.Unavailable", text: text.into() }
    }

    /// An error of a kind that the command line has as well.
    pub(super) fn of_kind(kind: ErrorKind, text: String) -> Self {
        let name = match kind {
            ErrorKind::Failure => "org.opensesame.Error.ExtensionError",
            ErrorKind::Usage => "org.opensesame.Error.Usage",
            ErrorKind::NotFound => "org.opensesame.Error.NotFound",
            ErrorKind::Authentication | ErrorKind::Refused => "org.opensesame.Error.Refused",
            ErrorKind::Limit => "org.opensesame.Error.Limit",
            ErrorKind::Network => "org.opensesame.Error.Offline",
            ErrorKind::Untrusted | ErrorKind::Local => "org.opensesame.Error.Damaged",
        };
        Self { name, text }
    }

    /// Returns the last part of its name.
    pub(super) fn kind(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    /// Returns its text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl DBusError for BusError {
    fn create_reply(&self, call: &Header<'_>) -> zbus::Result<Message> {
        Message::error(call, self.name())?.build(&(&self.text,))
    }

    fn name(&self) -> ErrorName<'_> {
        ErrorName::from_static_str_unchecked(self.name)
    }

    fn description(&self) -> Option<&str> {
        Some(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use core_types::ErrorKind;

    use super::BusError;

    /// Every kind has a name that the bus takes.
    #[test]
    fn every_kind_has_a_valid_name() {
        for kind in ErrorKind::all() {
            let error = BusError::of_kind(kind, String::new());
            assert!(zbus::names::ErrorName::try_from(error.name).is_ok(), "{}", error.name);
        }
        assert_eq!(BusError::busy("x").kind(), "Busy");
    }
}
