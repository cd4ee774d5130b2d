//! How a policy that stops an extension is shown.

use extension_manager::PolicyStop;

use crate::failure::{Explain, in_one_line};

/// The reason why policy stops an extension, in words.
#[derive(Debug)]
pub struct Stop {
    /// The policy's reason.
    pub reason: String,
    /// The hint, if there is one.
    pub fix: Option<String>,
}

impl Stop {
    /// Describes why policy stops an extension.
    pub fn new(stop: &PolicyStop<'_>) -> Self {
        match stop {
            PolicyStop::Unreadable(error) => Self::explained(*error),
            PolicyStop::Refused(error) => Self::explained(&**error),
            PolicyStop::DeniedImport(decision) => {
                let place = decision.place();
                let fix = place.map(|place| format!("change `deny` in `{}`", place.path.display()));
                Self { reason: format!("{decision}, which it needs"), fix }
            }
        }
    }

    /// Describes an error by itself, with the hint that helps most.
    fn explained(error: &impl Explain) -> Self {
        Self { reason: in_one_line(error), fix: error.help().hints.into_iter().next() }
    }
}
