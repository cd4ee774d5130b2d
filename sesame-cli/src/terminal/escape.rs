//! Text for a terminal: escaped, or on one line.

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
}
