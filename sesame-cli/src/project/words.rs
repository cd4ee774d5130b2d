//! Words that stand for values, in templates and in commands.

/// Returns the text with its words filled in.
pub fn fill(text: &str, words: &[(&str, String)]) -> String {
    words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
}
