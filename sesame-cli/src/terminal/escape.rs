//! Text for a terminal: escaped, on one line, or quoted for a shell.

use core_types::ExtensionName;

/// Escapes characters that a terminal acts on or that make text look like other text: control
/// characters except line breaks and tabs, marks that change the direction, and characters without
/// width are shown as their code.
pub fn escape_control(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_active(character) {
            escaped.extend(character.escape_unicode())
        } else {
            escaped.push(character)
        }
    }
    escaped
}

/// Returns whether a terminal acts on a character, or shows it as another.
pub fn is_active(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{61c}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}'
        | '\u{ad}'
        | '\u{180e}' => true,
        other => other.is_control(),
    }
}

/// Escapes text to one line, for tables.
pub fn escape_to_line(text: &str) -> String {
    escape_control(text).replace(['\n', '\t'], " ")
}

/// Quotes a word for a shell.
pub fn shell_word(word: &str) -> String {
    // A shell replaces `~` at the beginning alone.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:%+=@,~".contains(c);
    let is_whole = !word.is_empty() && !word.starts_with('~') && word.chars().all(is_plain);
    if is_whole { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Returns the command that grants an extension what it lacks.
pub fn grant_command<'a>(
    name: &ExtensionName,
    grants: impl IntoIterator<Item = &'a str>,
) -> String {
    grants.into_iter().fold(format!("sesame extension grant {name}"), |command, grant| {
        format!("{command} {}", shell_word(grant))
    })
}

/// Returns the first line of a text, for places that have one.
pub fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_remains() {
        let hostile =
            "a\u{1b}[2Jb\u{1b}]52;c;cm0=\u{7}\u{9b}31m\rc\u{202e}gnp\u{200b}\u{7f}\u{85}\u{2066}";
        let shown = escape_control(hostile);
        assert!(shown.chars().all(|c| !is_active(c)), "{shown:?}");
        assert_eq!(
            escape_control("plain ünïcode 🙂 text\n\tindented"),
            "plain ünïcode 🙂 text\n\tindented"
        );
        assert_eq!(escape_to_line("a\nb\tc"), "a b c");
    }

    #[test]
    fn words_reach_a_command_as_they_are() {
        for (word, quoted) in [
            ("filesystem=read:~/notes", "filesystem=read:~/notes"),
            ("filesystem=read:~/My notes", "'filesystem=read:~/My notes'"),
            ("network=https://*.example.org", "'network=https://*.example.org'"),
            ("~/notes", "'~/notes'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
        let name = "notes".parse().expect("a name");
        let command = grant_command(&name, ["notification", "events=custom.*"]);
        assert_eq!(command, "sesame extension grant notes notification 'events=custom.*'");
    }
}
