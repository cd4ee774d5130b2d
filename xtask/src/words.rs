//! Words in code: letters of any script, digits and underscores.

/// Returns whether a character can be part of an identifier.
pub fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns whether a text is an identifier.
pub fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_word_character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_no_signs() {
        assert!(is_word("a_1") && is_word("é") && !is_word("") && !is_word("a-b"));
    }
}
