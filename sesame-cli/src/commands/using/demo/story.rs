//! The steps of the demonstration.

use core_types::ErrorKind;

use crate::exit_code::ExitCode;

/// One command, as a person would type it.
pub struct Step {
    /// A line before it, for the reader.
    pub says: &'static str,
    /// The command, in which `HOST` is the registry and `NOTES` a directory.
    line: &'static str,
    /// What it ends with.
    pub ends: ExitCode,
}

const fn step(says: &'static str, line: &'static str) -> Step {
    Step { says, line, ends: ExitCode::Done }
}

const fn refused(says: &'static str, line: &'static str, kind: ErrorKind) -> Step {
    Step { says, line, ends: ExitCode::Failed(kind) }
}

/// The whole story. The main job comes first, word for word as in the README.
pub const STORY: [Step; 17] = [
    step(
        "The main job: install an extension, look at it, call it.",
        "sesame extension install HOST/my-org/greeting-extension:0.1.0",
    ),
    step("", "sesame extension list"),
    step("", "sesame extension call greeting-extension greet World"),
    step(
        "Take a permission away: the next call is refused.",
        "sesame extension revoke greeting-extension config-read",
    ),
    refused("", "sesame call greeting-extension greet World", ErrorKind::Refused),
    step(
        "The refusal is remembered, with the command that allows it.",
        "sesame extension why greeting-extension",
    ),
    step("", "sesame extension grant greeting-extension config-read"),
    step("", "sesame call greeting-extension greet World"),
    step("Two more. This one needs no permission.", "sesame install HOST/my-org/list-tools:1.0.0"),
    step("", "sesame call list-tools sum [19,23]"),
    step(
        "This one asks for a directory, and gets none by itself.",
        "sesame install HOST/my-org/daily-note:0.1.0",
    ),
    step(
        "One directory, here a temporary one, and nothing else.",
        "sesame extension grant daily-note filesystem=write:NOTES::/notes",
    ),
    step("", "sesame call daily-note add Milk"),
    refused(
        "The next version asks for the network as well. It is refused, and the old one stays.",
        "sesame update daily-note",
        ErrorKind::Refused,
    ),
    step(
        "You can accept that, and go back without a network.",
        "sesame update daily-note --accept-new-capabilities",
    ),
    step("", "sesame extension rollback daily-note --offline"),
    step("Each call is in the activity log.", "sesame extension activity"),
];

impl Step {
    /// Returns the words of the command.
    pub fn words(&self, host: &str, notes: &str) -> Vec<String> {
        let word = |word: &str| word.replace("HOST", host).replace("NOTES", notes);
        self.line.split(' ').map(word).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Arguments;

    #[test]
    fn every_step_is_a_command() {
        for step in &STORY {
            let words = step.words("127.0.0.1:1", "/tmp/notes");
            assert!(Arguments::try_parse_from(&words).is_ok(), "{words:?}");
        }
    }
}
