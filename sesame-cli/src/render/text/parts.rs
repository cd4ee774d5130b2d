//! Texts that several outcomes have: data alone, and failures.

use std::fmt::Write;

use crate::failure::Failure;
use crate::render::Rendered;

/// Makes text for standard output.
pub fn data(text: String) -> Rendered {
    Rendered { data: text.into_bytes(), ..Default::default() }
}

/// Formats a failure as text: the error, its causes, details, hints.
pub fn failure(failure: &Failure) -> String {
    let mut text = format!("error: {failure}\n");
    for cause in failure.causes() {
        let _ = writeln!(text, "caused by: {cause}");
    }
    for detail in failure.details() {
        let _ = writeln!(text, "{detail}");
    }
    for hint in failure.hints() {
        let _ = writeln!(text, "hint: {hint}");
    }
    text
}
