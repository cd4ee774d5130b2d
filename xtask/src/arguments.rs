//! The arguments of a task: flags, options with a value, and words.

use crate::problem::{Problem, Result};

/// The arguments of one task.
pub struct Arguments {
    words: Vec<String>,
}

impl Arguments {
    /// Takes the arguments of a task.
    pub fn new(words: &[String]) -> Self {
        Self { words: words.to_vec() }
    }

    /// Takes a flag out, and returns whether it was given.
    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() < before
    }

    /// Takes an option with its value out.
    pub fn option(&mut self, name: &str) -> Result<Option<String>> {
        let Some(at) = self.words.iter().position(|word| word == name) else { return Ok(None) };
        if at + 1 == self.words.len() {
            return Err(Problem::new(format!("{name} needs a value")));
        }
        Ok(self.words.drain(at..at + 2).nth(1))
    }

    /// Returns the one word that is left.
    pub fn one(self, what: &str) -> Result<String> {
        let [word] = self.words.try_into().map_err(|_| Problem::new(format!("expected {what}")))?;
        Ok(word)
    }

    /// Takes the next word out, if there is one.
    pub fn word(&mut self) -> Option<String> {
        (!self.words.is_empty()).then(|| self.words.remove(0))
    }

    /// Fails where a word is left.
    pub fn none(self) -> Result<()> {
        match self.words.first() {
            Some(word) => Err(Problem::new(format!("unexpected argument `{word}`"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Arguments {
        Arguments { words: line.split_whitespace().map(str::to_owned).collect() }
    }

    #[test]
    fn options_and_words_are_told_apart() {
        let mut arguments = of("--check --page FILE log");
        assert!(arguments.flag("--check") && !arguments.flag("--write"));
        assert_eq!(arguments.option("--page").expect("given"), Some("FILE".to_owned()));
        assert_eq!(arguments.one("a log").expect("one"), "log");
        assert!(of("--page").option("--page").is_err());
        assert!(
            of("a b").one("a log").is_err() && of("a").none().is_err() && of("").none().is_ok()
        );
    }
}
