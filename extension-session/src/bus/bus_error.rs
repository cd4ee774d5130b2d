//! Errors as callers on the bus get them.

use core_types::ErrorKind;
use zbus::DBusError;
use zbus::message::{Header, Message};
use zbus::names::ErrorName;

/// The kind of an error, by which a program decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BusErrorKind {
    Usage,
    NotFound,
    Refused,
    ExtensionError,
    Limit,
    Busy,
    Damaged,
    Offline,
    Unavailable,
}

use BusErrorKind::{
    Busy, Damaged, ExtensionError, Limit, NotFound, Offline, Refused, Unavailable, Usage,
};

/// Every kind with its name on the bus, and the kind that a command which asked ends with.
const KINDS: [(BusErrorKind, &str, ErrorKind); 9] = [
    (Usage, "org.opensesame.Error.Usage", ErrorKind::Usage),
    (NotFound, "org.opensesame.Error.NotFound", ErrorKind::NotFound),
    (Refused, "org.opensesame.Error.Refused", ErrorKind::Refused),
    (ExtensionError, "org.opensesame.Error.ExtensionError", ErrorKind::Failure),
    (Limit, "org.opensesame.Error.Limit", ErrorKind::Limit),
    (Busy, "org.opensesame.Error.Busy", ErrorKind::Local),
    (Damaged, "org.opensesame.Error.Damaged", ErrorKind::Local),
    (Offline, "org.opensesame.Error.Offline", ErrorKind::Network),
    (Unavailable, "org.opensesame.Error.Unavailable", ErrorKind::Local),
];

impl BusErrorKind {
    fn name(self) -> &'static str {
        KINDS[self as usize].1
    }
}

/// Returns the kind of error that a command ends with, by the name of the error on the bus; nothing
/// for an error that is not the service's.
pub(super) fn kind_of_name(name: &str) -> Option<ErrorKind> {
    KINDS.iter().find(|(_, own, _)| *own == name).map(|(_, _, kind)| *kind)
}

/// An error with its kind, and the text for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BusError {
    kind: BusErrorKind,
    text: String,
}

impl BusError {
    fn new(kind: BusErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// The message is wrong.
    pub(super) fn usage(text: impl Into<String>) -> Self {
        Self::new(Usage, text)
    }

    /// The caller may not ask for it.
    pub(super) fn refused(text: impl Into<String>) -> Self {
        Self::new(Refused, text)
    }

    /// The caller, or all callers together, have asked for too much at once.
    pub(super) fn busy(text: impl Into<String>) -> Self {
        Self::new(Busy, text)
    }

    /// The result is over a limit of the bus.
    pub(super) fn limit(text: impl Into<String>) -> Self {
        Self::new(Limit, text)
    }

    /// It does not work now.
    pub(super) fn unavailable(text: impl Into<String>) -> Self {
        Self::new(Unavailable, text)
    }

    /// An error of a kind that the command line has as well.
    pub(super) fn of_kind(kind: ErrorKind, text: String) -> Self {
        let kind = match kind {
            ErrorKind::Failure => ExtensionError,
            ErrorKind::Usage => Usage,
            ErrorKind::NotFound => NotFound,
            ErrorKind::Authentication | ErrorKind::Refused => Refused,
            ErrorKind::Limit => Limit,
            ErrorKind::Network => Offline,
            ErrorKind::Untrusted | ErrorKind::Local => Damaged,
        };
        Self::new(kind, text)
    }

    /// Adds a line to its text.
    pub(super) fn noting(mut self, note: &str) -> Self {
        self.text.push_str("\nnote: ");
        self.text.push_str(note);
        self
    }

    /// Returns the last part of its name.
    pub(super) fn kind(&self) -> &'static str {
        let name = self.kind.name();
        name.rsplit('.').next().unwrap_or(name)
    }

    /// Tells whether another call of the same function may not have it.
    pub(super) fn is_of_one_call(&self) -> bool {
        matches!(self.kind, Limit | ExtensionError | Offline)
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
        ErrorName::from_static_str_unchecked(self.kind.name())
    }

    fn description(&self) -> Option<&str> {
        Some(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use core_types::ErrorKind;

    use super::{BusError, KINDS, kind_of_name};

    /// Each kind finds its own row, with a name that the bus takes, and every kind of error has
    /// one.
    #[test]
    fn every_kind_has_a_valid_name() {
        for (at, (kind, name, _)) in KINDS.iter().enumerate() {
            assert_eq!((*kind as usize, kind.name()), (at, *name));
        }
        for kind in ErrorKind::all() {
            let name = BusError::of_kind(kind, String::new()).kind.name();
            assert!(zbus::names::ErrorName::try_from(name).is_ok(), "{name}");
            let is_shared = matches!(kind, ErrorKind::Authentication | ErrorKind::Untrusted);
            assert!(is_shared || kind_of_name(name) == Some(kind), "{kind}");
        }
        assert_eq!(BusError::busy("x").kind(), "Busy");
        assert_eq!(kind_of_name("org.freedesktop.DBus.Error.Failed"), None);
    }
}
