//! Markdown of strangers, laid out for a terminal.

use termimad::MadSkin;

use crate::terminal::escape_control;

/// The columns where their number is unknown.
const WIDTH: u16 = 80;
/// More than this is hard to read.
const WIDEST: u16 = 100;

/// Lays out headings, lists, tables and code. The text is escaped before it is styled, so that a
/// terminal acts only on our styles; links stay text.
pub fn laid_out(markdown: &str, width: Option<u16>, with_styles: bool) -> String {
    let plain = escape_control(&markdown.replace("\r\n", "\n").replace('\t', "    "));
    if !is_ordinary(&plain) {
        return plain;
    }
    let skin = if with_styles { MadSkin::default() } else { MadSkin::no_style() };
    let width = width.unwrap_or(WIDTH).clamp(20, WIDEST);
    format!("{}", skin.text(&plain, Some(width.into())))
}

/// Returns whether a person writes such pages. Laying out a machine's can take minutes and
/// gigabytes.
fn is_ordinary(text: &str) -> bool {
    let is_plain_line = |line: &str| {
        line.len() <= MAX_LINE_BYTES
            && line.matches('|').count() <= MAX_CELLS
            && !has_long_number(line)
    };
    text.len() <= MAX_PAGE && text.lines().count() <= MAX_LINES && text.lines().all(is_plain_line)
}

/// Returns whether a list has numbers that no person writes.
fn has_long_number(line: &str) -> bool {
    line.trim_start().bytes().take_while(u8::is_ascii_digit).count() > 6
}

// Bounds that no page of a person reaches. Beyond them, laying out takes minutes and gigabytes.
const MAX_PAGE: usize = 256 << 10;
const MAX_LINE_BYTES: usize = 4 << 10;
const MAX_LINES: usize = 5_000;
const MAX_CELLS: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_machines_write_is_shown_as_it_is() {
        let rows =
            format!("|{}\n|{}\n{}", "a|".repeat(30), "-|".repeat(30), "|a\n".repeat(350_000));
        for text in ["|".repeat(1 << 20), rows, "4294967295. a".to_owned(), "x".repeat(1 << 20)] {
            assert_eq!(laid_out(&text, Some(80), true), text);
        }
    }

    /// What a terminal is told: everything after an escape.
    fn escapes(text: &str) -> Vec<String> {
        let tails = text.split('\u{1b}').skip(1);
        tails
            .map(|tail| {
                tail.chars().take_while(|c| !c.is_ascii_alphabetic()).collect::<String>()
                    + &tail
                        .chars()
                        .find(|c| c.is_ascii_alphabetic())
                        .map(String::from)
                        .unwrap_or_default()
            })
            .collect()
    }

    #[test]
    fn nothing_of_a_page_but_its_text_reaches_the_terminal() {
        let hostile = "# T\u{1b}]0;owned\u{7}\n\n[click](javascript:alert(1)) \u{1b}]8;;http://evil\u{1b}\\x\u{9b}31m\u{202e}\r\n\n\
            | a\u{1b}[2J | b |\n|---|---|\n| `c\u{85}` | d |\n\n```\n\u{1b}]52;c;cm0=\u{7}\n```\n- **x\u{200b}**\n";
        let shown = laid_out(hostile, Some(60), true);
        assert!(shown.contains("javascript:alert(1)"), "a link is its text: {shown:?}");
        for escape in escapes(&shown) {
            assert!(
                escape.starts_with('[') && escape.ends_with('m'),
                "only styles: {escape:?} of {shown:?}"
            );
        }
        let unstyled = shown.replace('\u{1b}', "");
        assert!(unstyled.chars().all(|c| !crate::terminal::is_active(c)), "{shown:?}");
    }

    #[test]
    fn endless_and_broken_markdown_is_laid_out_too() {
        for text in [
            "",
            "|",
            "|-|",
            "```",
            "#######",
            &"*".repeat(10_000),
            &"| a ".repeat(2_000),
            &"> ".repeat(3_000),
        ] {
            let _ = laid_out(text, Some(20), true);
            let _ = laid_out(text, None, false);
        }
    }
}
