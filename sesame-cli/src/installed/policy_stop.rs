//! How a policy that stops an extension is shown.

use extension_manager::PolicyStop;

use crate::failure::Failure;

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
            PolicyStop::Unreadable(error) => Failure::from(*error).into(),
            PolicyStop::Refused(error) => Failure::from(&**error).into(),
            PolicyStop::DeniedImport(decision) => {
                let place = decision.place();
                let fix = place.map(|place| format!("change `deny` in `{}`", place.path.display()));
                Self { reason: format!("{decision}, which it needs"), fix }
            }
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self { reason: failure.in_one_line(), fix: failure.hint }
    }
}
