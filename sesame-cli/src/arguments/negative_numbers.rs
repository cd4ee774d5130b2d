//! Negative numbers as arguments of a function. clap knows `-1` and `-1.5e7`, and takes an infinity or a
//! signed exponent for options.

use std::ffi::OsString;

use clap::builder::{OsStringValueParser, TypedValueParser};

/// The number of words to search for a call: `extension`, `call` and the few global options.
pub(super) const MAX_WORDS_BEFORE_CALL: usize = 5;
/// Stands before such a number while clap reads the line. An argument of a process cannot have it.
const MARK: &str = "\0";

/// The commands whose arguments are those of a function.
const COMMANDS: [&str; 3] = ["call", "watch", "dev"];

/// Marks the negative numbers before `--` in a line of such a command.
pub(super) fn marked(words: &[OsString]) -> Vec<OsString> {
    let mut first = words.iter().take(MAX_WORDS_BEFORE_CALL + 1);
    if !first.any(|word| COMMANDS.iter().any(|command| word == command)) {
        return words.to_vec();
    }
    let dashes = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let mark = |(at, word): (usize, &OsString)| match at < dashes && is_negative(word) {
        true => [MARK.into(), word.clone()].into_iter().collect(),
        false => word.clone(),
    };
    words.iter().enumerate().map(mark).collect()
}

fn is_negative(word: &OsString) -> bool {
    let number = word.to_str().and_then(|word| word.strip_prefix('-'));
    number.is_some_and(|number| !number.starts_with(['-', '+']) && number.parse::<f64>().is_ok())
}

/// Reads an argument of a function, which may be marked.
pub(super) fn argument() -> impl TypedValueParser<Value = OsString> {
    OsStringValueParser::new().map(|word| {
        match word.to_str().and_then(|it| it.strip_prefix(MARK)) {
            Some(number) => number.into(),
            None => word,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;

    fn read(line: &str) -> Result<String, clap::Error> {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        Arguments::read(&words).map(|arguments| format!("{arguments:?}"))
    }

    /// Every number that is printed can be typed, and options stay options.
    #[test]
    fn negative_numbers_are_arguments() {
        for number in ["-1", "-1.5", "-1e5", "-1e-7", "-1.5E-300", "-inf", "-2e+3"] {
            for command in ["call", "extension call", "watch --every 5s"] {
                let name = if command.starts_with("watch") { "extension " } else { "" };
                let line = format!("sesame {name}{command} x f {number} --quiet a");
                let shown = read(&line).expect(&line);
                assert!(shown.contains(&format!("arguments: [\"{number}\", \"a\"]")), "{shown}");
            }
        }
        let shown = read("sesame call x f -- -inf").expect("data");
        assert!(shown.contains("data: [\"-inf\"]"), "{shown}");
        for option in ["-i", "--inf", "-e", "-1x", "--1"] {
            let error = read(&format!("sesame call x f {option}")).expect_err(option).to_string();
            assert!(error.contains("unexpected argument"), "{error}");
        }
    }
}
