//! A call as people type it: words without any option.

use std::ffi::OsString;

use crate::arguments::using::CallArguments;

/// A call without options.
#[derive(Debug)]
pub(super) struct PlainCall {
    pub(super) call: CallArguments,
    /// Whether it is `extension call` and not `call`.
    pub(super) is_below_extension: bool,
}

/// Reads `[extension] call NAME [FUNCTION [ARG]...]`, where each word means what its place says. For
/// anything else, and for words that are wrong, this is nothing, and clap reads the line. Building its
/// parser, with all the texts, takes a fifteenth of a call.
pub(super) fn plain_call(words: &[OsString]) -> Option<PlainCall> {
    let is_below_extension = matches!(words.get(1)?.to_str()?, "extension" | "ext");
    let words = words.get(1 + usize::from(is_below_extension)..)?;
    let (command, words) = words.split_first()?;
    let is_option = |word: &OsString| word.as_encoded_bytes().starts_with(b"-");
    if command != "call" || words.iter().any(is_option) {
        return None;
    }
    let (name, words) = words.split_first()?;
    let function = match words.first() {
        Some(function) => Some(function.to_str()?.to_owned()),
        None => None,
    };
    let name = name.to_str()?.parse().ok()?;
    let arguments = words.iter().skip(1).cloned().collect();
    let call = CallArguments::plain(name, function, arguments);
    Some(PlainCall { call, is_below_extension })
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;
    use crate::arguments::Arguments;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn plain_words_are_read_here() {
        for line in [&["sesame", "call", "a"][..], &["sesame", "ext", "call", "a", "f", "1", ""]] {
            assert!(plain_call(&words(line)).is_some(), "{line:?}");
        }
    }

    #[test]
    fn other_lines_are_left_to_clap() {
        let lines: [&[&str]; 9] = [
            &[],
            &["sesame"],
            &["sesame", "call"],
            &["sesame", "call", "A b"],
            &["sesame", "call", "a", "f", "-"],
            &["sesame", "call", "a", "f", "-1"],
            &["sesame", "call", "--json", "a"],
            &["sesame", "run", "a"],
            &["sesame", "extension", "extension", "call", "a"],
        ];
        for line in lines {
            assert!(plain_call(&words(line)).is_none(), "{line:?}");
        }
        let odd = OsString::from_vec(vec![0xFF]);
        assert!(plain_call(&[words(&["sesame", "call", "a"]), vec![odd]].concat()).is_none());
    }

    /// Every line of up to five words of these.
    fn lines() -> Vec<Vec<&'static str>> {
        let vocabulary = ["call", "ext", "extension", "run", "help", "a", "", "-", "--", "--json"];
        let mut lines = vec![vec!["sesame"]];
        let mut longer = 0;
        for _ in 0..5 {
            let begun = longer;
            longer = lines.len();
            for at in begun..longer {
                let line = lines[at].clone();
                lines.extend(vocabulary.map(|word| [&line[..], &[word]].concat()));
            }
        }
        lines
    }

    #[test]
    fn clap_reads_the_same() {
        let mut read = 0;
        for line in lines() {
            let line = words(&line);
            if plain_call(&line).is_none() {
                continue;
            }
            let plain = Arguments::read(&line).expect("read here");
            let whole = Arguments::parse_words(&line).expect("clap reads it");
            assert_eq!(format!("{plain:?}"), format!("{whole:?}"), "{line:?}");
            read += 1;
        }
        assert!(read > 1_000, "{read}");
    }
}
