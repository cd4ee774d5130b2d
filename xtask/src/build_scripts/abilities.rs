//! Finds the abilities of a script, for its reader.

use std::collections::BTreeSet;

use crate::words::is_word_character;

/// A text in a script that shows an ability. Where the text must not go on, a letter, a digit or an
/// underscore beside it makes it another one.
struct Sign {
    ability: &'static str,
    text: &'static str,
    begins: bool,
    ends: bool,
}

const fn word(ability: &'static str, text: &'static str) -> Sign {
    Sign { ability, text, begins: true, ends: true }
}

const fn prefix(ability: &'static str, text: &'static str) -> Sign {
    Sign { ability, text, begins: true, ends: false }
}

const fn part(ability: &'static str, text: &'static str) -> Sign {
    Sign { ability, text, begins: false, ends: false }
}

const SIGNS: [Sign; 25] = [
    word("process", "Command"),
    word("process", "autocfg"),
    word("process", "version_check"),
    prefix("process", "rustc_version::"),
    prefix("cc", "cc::"),
    word("pkg-config", "pkg_config"),
    part("pkg-config", "\"pkg-config\""),
    part("address", "http://"),
    part("address", "https://"),
    word("network", "curl"),
    word("network", "wget"),
    word("network", "reqwest"),
    word("network", "ureq"),
    word("network", "minreq"),
    word("network", "attohttpc"),
    word("network", "isahc"),
    word("network", "hyper"),
    word("network", "TcpStream"),
    word("network", "UdpSocket"),
    word("network", "UnixStream"),
    word("network", "std::net"),
    word("network", "git2"),
    prefix("network", "download"),
    part("network", "\"clone\""),
    part("network", "\"fetch\""),
];

/// Returns the abilities of code without comments.
pub fn abilities_of(code: &str) -> BTreeSet<&'static str> {
    SIGNS.iter().filter(|sign| sign.is_in(code)).map(|sign| sign.ability).collect()
}

impl Sign {
    fn is_in(&self, code: &str) -> bool {
        code.match_indices(self.text).any(|(at, text)| {
            let goes_on = |c: Option<char>| c.is_some_and(is_word_character);
            let before = goes_on(code[..at].chars().next_back());
            let after = goes_on(code[at + text.len()..].chars().next());
            !(self.begins && before || self.ends && after)
        })
    }
}

/// Shows abilities as the list has them.
pub fn joined<T: AsRef<str>>(abilities: &BTreeSet<T>) -> String {
    let names: Vec<_> = abilities.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { "-".to_owned() } else { names.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole() {
        let found = |code| joined(&abilities_of(code));
        assert_eq!(found("Command::new(\"rustc\"); cc::Build::new()"), "cc,process");
        assert_eq!(found("SubCommand Commands xcc::y my_curl curly"), "-");
        assert_eq!(found("downloads(\"https://h\")"), "address,network");
        assert_eq!(found("[\"fetch\"]"), "network");
    }
}
