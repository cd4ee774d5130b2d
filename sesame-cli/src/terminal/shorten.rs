//! Text within a number of columns.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What stands for the middle of a text that is too long.
const ELLIPSIS: char = '…';

/// Leaves out the middle of a text that is too wide.
pub fn middle(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let end: String = {
        let backwards: Vec<_> = at_most(text.chars().rev(), kept / 2).collect();
        backwards.into_iter().rev().collect()
    };
    let begin: String = at_most(text.chars(), kept - end.width()).collect();
    format!("{begin}{ELLIPSIS}{end}")
}

/// Returns the first characters within this width.
fn at_most(characters: impl Iterator<Item = char>, width: usize) -> impl Iterator<Item = char> {
    let mut used = 0;
    characters.take_while(move |character| {
        used += character.width().unwrap_or_default();
        used <= width
    })
}
