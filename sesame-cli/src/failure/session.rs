//! Failures of the session service, and of commands that ask it.

use core_types::ErrorKind;
use extension_session::{ClientError, StartError};

use super::help::{Explain, Help};

impl Explain for ClientError {
    fn help(&self) -> Help {
        match self {
            Self::NoBus(_) => Help::new(ErrorKind::Local)
                .with_hint("run it in a desktop session, or start a bus: dbus-run-session -- sh"),
            Self::NotRunning => Help::new(ErrorKind::Local).with_hint("sesame session run"),
            Self::Answered { kind, .. } => Help::new(kind_of(kind)),
            Self::Bus(_) | Self::Unreadable(_) => {
                Help::new(ErrorKind::Local).with_hint("sesame session run --replace")
            }
        }
    }
}

impl Explain for StartError {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Local)
    }
}

/// Returns the kind of an error by its name on the bus.
fn kind_of(name: &str) -> ErrorKind {
    match name {
        "Usage" => ErrorKind::Usage,
        "NotFound" => ErrorKind::NotFound,
        "Refused" => ErrorKind::Refused,
        "ExtensionError" => ErrorKind::Failure,
        "Limit" => ErrorKind::Limit,
        "Offline" => ErrorKind::Network,
        _ => ErrorKind::Local,
    }
}
