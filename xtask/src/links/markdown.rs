//! Reads what a document in Markdown names.

use std::collections::BTreeSet;

use crate::words::is_word_character;

/// Removes blocks of code. One without an end stays.
pub fn without_blocks(text: &str) -> String {
    let (mut kept, mut block) = (String::new(), None::<String>);
    for line in text.split_inclusive('\n') {
        let is_fence = line.starts_with("```");
        match block.take() {
            // The text after the closing fence is not part of the block.
            Some(_) if is_fence => kept.push_str(&line[3..]),
            Some(open) => block = Some(open + line),
            None if is_fence => block = Some(line.to_owned()),
            None => kept.push_str(line),
        }
    }
    kept + &block.unwrap_or_default()
}

/// Returns the targets of links.
pub fn links(text: &str) -> Vec<&str> {
    between(text, "](", ')').filter(|link| !link.contains(char::is_whitespace)).collect()
}

/// Returns the files that pages of the book include.
pub fn includes(text: &str) -> Vec<&str> {
    let found = between(text, "{{#include ", '}');
    found.filter_map(|name| name.split(':').next()).filter(|name| !name.is_empty()).collect()
}

/// Returns the Rust sources that stand as code in a document.
pub fn sources(text: &str) -> Vec<&str> {
    let is_part = |c: char| is_word_character(c) || c == '-' || c == '/';
    let is_source = |name: &&str| {
        name.strip_suffix(".rs")
            .is_some_and(|stem| stem.chars().all(is_part) && !stem.split('/').any(str::is_empty))
    };
    between_each(text).filter(is_source).collect()
}

/// Returns the texts between neighbouring backticks.
fn between_each(text: &str) -> impl Iterator<Item = &str> {
    let mut pieces: Vec<_> = text.split('`').skip(1).collect();
    pieces.pop();
    pieces.into_iter()
}

/// Returns the texts after an opening, up to a sign.
fn between<'a>(text: &'a str, opening: &'a str, end: char) -> impl Iterator<Item = &'a str> {
    let rests = text.split(opening).skip(1);
    rests.filter_map(move |rest| rest.split_once(end)).map(|(inner, _)| inner)
}

/// Returns the anchors of a document's headings, as GitHub makes them.
pub fn anchors(text: &str) -> BTreeSet<String> {
    without_blocks(text).lines().filter_map(heading).map(anchor).collect()
}

fn heading(line: &str) -> Option<&str> {
    let title = line.trim_start_matches('#').strip_prefix(' ')?;
    (line.starts_with('#') && !title.is_empty()).then_some(title)
}

fn anchor(title: &str) -> String {
    let is_kept = |c: &char| is_word_character(*c) || *c == '-' || *c == ' ';
    title.to_lowercase().chars().filter(is_kept).collect::<String>().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_has_no_links() {
        let text = "[a](b.md)\n```console\n[c](d.md)\n```\n[e](f.md#g) [h](two words)\n";
        assert_eq!(links(&without_blocks(text)), ["b.md", "f.md#g"]);
        assert_eq!(without_blocks("a\n```\nb"), "a\n```\nb");
    }

    #[test]
    fn included_files_have_no_anchor() {
        assert_eq!(
            includes("{{#include ../CHANGELOG.md:entries}} {{#include a.md}}"),
            ["../CHANGELOG.md", "a.md"]
        );
    }

    #[test]
    fn sources_end_in_rs() {
        let text = "`a-b/c.rs`, `main.rs` and `x.toml`, `/etc/a.rs`, `a b.rs` `cargo run`";
        assert_eq!(sources(text), ["a-b/c.rs", "main.rs"]);
    }

    #[test]
    fn anchors_are_those_of_the_web() {
        let found: Vec<_> = anchors("# One: `two`\n```\n# not this\n```\n## Three-four\n#five\n")
            .into_iter()
            .collect();
        assert_eq!(found, ["one-two", "three-four"]);
    }
}
