//! Failures of the session service, of commands that ask it, and of the files that start it.

use std::io;

use core_types::{BUS_NAME, ErrorKind, SESSION_UNIT, shell_word};
use extension_session::{ActivationError, ClientError, ProgramError, StartError};

use super::files::LOCKS_HINT;
use super::help::{Explain, Help};

impl Explain for ClientError {
    fn help(&self) -> Help {
        match self {
            Self::NoBus(_) => Help::new(ErrorKind::Local)
                .with_hint("run it in a desktop session, or start a bus: dbus-run-session -- sh"),
            Self::NotRunning => Help::new(ErrorKind::Local).with_hint("sesame session run"),
            Self::Answered { kind, .. } => Help::new(*kind),
            Self::Bus(_) | Self::Unreadable(_) => {
                Help::new(ErrorKind::Local).with_hint("sesame session run --replace")
            }
        }
    }
}

impl Explain for StartError {
    fn help(&self) -> Help {
        let help = Help::new(ErrorKind::Local);
        match self {
            Self::Taken => help.with_hint(format!("see which: busctl --user status {BUS_NAME}")),
            Self::NoBus(_) | Self::Refused(_) => help,
        }
    }
}

impl Explain for ActivationError {
    fn help(&self) -> Help {
        let help = Help::new(ErrorKind::Local);
        match self {
            Self::Foreign(path) => {
                let path = shell_word(&path.to_string_lossy());
                help.with_hint(format!("move it away: mv {path} {path}.old"))
            }
            Self::Edited(_) => help
                .with_hint("to lose the changes: sesame session install --force")
                .with_hint(format!(
                    "to keep changes of the unit, make them here: systemctl --user edit {SESSION_UNIT}"
                )),
            Self::Masked(_) => help.with_hint(format!("systemctl --user unmask {SESSION_UNIT}")),
            Self::Lock { source, .. } if source.kind() == io::ErrorKind::Unsupported => {
                help.with_hint(LOCKS_HINT)
            }
            Self::Halfway { .. } => help.with_hint("repeat it: sesame session install"),
            Self::Read { source, .. } | Self::Change { source, .. }
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                help.with_hint("sesame doctor")
            }
            Self::Read { .. } | Self::Change { .. } | Self::Lock { .. } => help,
        }
    }
}

impl Explain for ProgramError {
    fn help(&self) -> Help {
        let help = Help::new(ErrorKind::Local);
        match self {
            Self::Deleted(_) | Self::NotAbsolute(_) => {
                help.with_hint("run it again by the path of the program that stays")
            }
            Self::Character { .. } => help.with_hint("move the program, such as to ~/.local/bin"),
        }
    }
}
