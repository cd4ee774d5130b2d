//! Text that other programs wrote, as far as an event carries it.

use core_types::event::MAX_VALUE_BYTES;

/// Tells whether a character moves, hides or ends the text around it wherever it is shown.
pub(super) fn is_disruptive(character: char) -> bool {
    matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') || character.is_control()
}

/// Returns a text without such characters, cut to the length of a value.
pub(super) fn cleaned(text: &str) -> String {
    let mut cleaned = String::new();
    for character in text.chars().filter(|character| !is_disruptive(*character)) {
        if cleaned.len() + character.len_utf8() > MAX_VALUE_BYTES {
            break;
        }
        cleaned.push(character);
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_loses_what_disrupts() {
        assert_eq!(cleaned("a\u{1b}[2Jb\n\u{202e}c\u{2066}\0\u{9b}d"), "a[2Jbcd");
        assert_eq!(cleaned("ünïcode 🙂 שלום"), "ünïcode 🙂 שלום");
        let long = "ü".repeat(MAX_VALUE_BYTES);
        assert_eq!(cleaned(&long).len(), MAX_VALUE_BYTES);
        assert_eq!(cleaned(&format!("a{long}")).len(), MAX_VALUE_BYTES - 1, "no half character");
    }

    proptest! {
        #[test]
        fn cleaned_text_stays_cleaned(text: String) {
            let once = cleaned(&text);
            prop_assert!(once.len() <= MAX_VALUE_BYTES && !once.contains(is_disruptive));
            prop_assert_eq!(cleaned(&once), once);
        }
    }
}
