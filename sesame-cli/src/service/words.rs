//! Failures of calls over the bus, in the words of the command line.

use core_types::{Activity, ErrorKind, ExtensionName};
use extension_depot::Opened;
use extension_host::CallError;
use extension_manager::OpenError;
use extension_session::{Explain, Explained};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::installed::worth_telling;

/// The words of the command line, without the output of the guest.
pub struct Words;

impl Explain for Words {
    fn unopened(&self, _: &ExtensionName, error: OpenError) -> Explained {
        explained(&error.into())
    }

    fn failed(&self, opened: &Opened, error: CallError, activity: &Activity) -> Explained {
        let failure = Failure::of_call(opened, error, &[], &worth_telling(activity));
        explained(&failure.with_missing(&activity.missing))
    }
}

fn explained(failure: &Failure) -> Explained {
    let kind = match failure.code() {
        ExitCode::Failed(kind) => kind,
        _ => ErrorKind::Failure,
    };
    let hints = failure.hints().iter().map(|hint| format!("hint: {hint}"));
    let lines = std::iter::once(failure.in_one_line());
    let lines: Vec<_> = lines.chain(failure.details().iter().cloned()).chain(hints).collect();
    Explained { kind, text: lines.join("\n") }
}
