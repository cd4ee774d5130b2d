//! The command line up to the cursor.

use std::ffi::OsString;
use std::sync::OnceLock;

/// The words before the completed one, behind the program's name.
static BEFORE: OnceLock<Vec<String>> = OnceLock::new();

/// Remembers the words of a line, of which the last is completed.
pub fn remember(words: &[OsString]) {
    let before = words.iter().skip(1).take(words.len().saturating_sub(2));
    let _ = BEFORE.set(before.map(|word| word.to_string_lossy().into_owned()).collect());
}

/// Returns the words behind one of these commands that are not options, up to the completed one.
pub fn words_behind(commands: &[&str]) -> Vec<String> {
    behind(BEFORE.get().map_or(&[], Vec::as_slice), commands)
}

fn behind(words: &[String], commands: &[&str]) -> Vec<String> {
    let is_number =
        |word: &str| word.starts_with('-') && word[1..].starts_with(|c: char| c.is_ascii_digit());
    let behind = words.iter().skip_while(|word| !commands.contains(&word.as_str())).skip(1);
    behind.filter(|word| !word.starts_with('-') || is_number(word)).cloned().collect()
}

/// Splits a line into words as a shell does. The last one is unfinished: empty after a blank.
pub fn split(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let (mut quote, mut is_begun) = (None, false);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            (end, Some(open)) if end == open => quote = None,
            ('\\', None | Some('"')) => word.extend(characters.next()),
            ('\'' | '"', None) => {
                quote = Some(character);
                is_begun = true;
            }
            (blank, None) if blank.is_whitespace() => {
                if is_begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                is_begun = false;
            }
            (other, _) => word.push(other),
        }
    }
    words.push(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_split_as_by_a_shell() {
        for (line, words) in [
            ("sesame list", &["sesame", "list"][..]),
            ("sesame  call x ", &["sesame", "call", "x", ""]),
            ("sesame install './my x", &["sesame", "install", "./my x"]),
            (r#"sesame a\ b "c \" d" ''e"#, &["sesame", "a b", "c \" d", "e"]),
            ("sesame install ghcr.io/o/x:", &["sesame", "install", "ghcr.io/o/x:"]),
            ("", &[""]),
        ] {
            assert_eq!(split(line), words, "{line}");
        }
    }

    #[test]
    fn options_are_not_words_of_a_call() {
        let words: Vec<_> =
            "extension call --stats x f -5 --json".split(' ').map(str::to_owned).collect();
        assert_eq!(behind(&words, &["call", "run"]), ["x", "f", "-5"]);
        assert!(behind(&words, &["grant"]).is_empty());
    }
}
