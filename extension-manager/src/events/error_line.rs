//! Errors on one line, for a message that has no room for more.

use std::error::Error;

use core_types::joined_causes;

/// Returns an error with its causes as one line: of each the first line, as text of a stranger can
/// have several.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    joined_causes(error, |error| error.to_string().lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Problem {
        text: &'static str,
        source: Option<Box<Problem>>,
    }

    #[test]
    fn causes_are_on_one_line() {
        let problem = |text, source| Problem { text, source };
        let inner = problem("it is read-only\nsecond line", None);
        let outer =
            problem("cannot write", Some(Box::new(problem("`a` failed", Some(Box::new(inner))))));
        assert_eq!(with_causes(&outer), "cannot write: `a` failed: it is read-only");
        assert_eq!(with_causes(&problem("", None)), "");
    }
}
