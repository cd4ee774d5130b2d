//! Checks the links and file names in Markdown, and the table of contents of the book.
//!
//! Relative links have to lead to files, and their anchors to headings. Links to a file of this
//! repository on the web have to lead to one that exists; other links to the network are not
//! followed. In the documents of `MAPS`, each `name.rs` has to be a source, so that a renamed file
//! is renamed there too. Every page below docs/ is in docs/SUMMARY.md once, and its relative links
//! stay below docs/, since the book has nothing else.

mod markdown;

use std::path::{Component, Path, PathBuf};

use crate::arguments::Arguments;
use crate::problem::{Problem, Result};
use crate::repository::{command, output, read, root};
use crate::words::is_word_character;
use markdown::{anchors, includes, links, sources, without_blocks};

/// The documents that lead through the sources.
const MAPS: [&str; 2] = ["CONTRIBUTING.md", "docs/architecture.md"];

const BOOK: &str = "docs";
const SUMMARY: &str = "docs/SUMMARY.md";

/// A file or directory of this repository, as the web shows it.
const WEB: &str = "https://github.com/open-sesame/sesame/";

/// Runs the task.
pub fn run(words: &[String]) -> Result<()> {
    Arguments::new(words).none()?;
    let listed = output(command("git", &["ls-files"]))?;
    let files: Vec<&str> = listed.lines().collect();
    let exists = |name: &&str| name.ends_with(".md") && root().join(name).exists();
    let documents: Vec<&str> = files.iter().copied().filter(exists).collect();

    let mut wrong = contents(&documents)?;
    for name in documents {
        let text = read(&root().join(name))?;
        let mut found = wrong_links(&Document { name, text: without_blocks(&text) })?;
        if MAPS.contains(&name) {
            let unknown = sources(&text).into_iter().filter(|source| !is_file(source, &files));
            found.extend(unknown.map(|source| format!("{source} does not exist")));
        }
        wrong.extend(found.iter().map(|text| format!("{name}: {text}")));
    }
    if wrong.is_empty() { Ok(()) } else { Err(Problem::new(wrong.join("\n"))) }
}

/// Returns whether a file of the repository has this name, or ends in it.
fn is_file(name: &str, files: &[&str]) -> bool {
    files.iter().any(|file| {
        file.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('/'))
    })
}

/// Returns the errors of the table of contents of the book.
fn contents(documents: &[&str]) -> Result<Vec<String>> {
    let summary = read(&root().join(SUMMARY))?;
    let (named, mut wrong) = (links(&summary), Vec::new());
    for document in documents.iter().filter(|document| **document != SUMMARY) {
        let Ok(page) = Path::new(document).strip_prefix(BOOK) else { continue };
        let count = named.iter().filter(|link| Path::new(link) == page).count();
        if count != 1 {
            wrong.push(format!("{SUMMARY} has {} {count} times", page.display()));
        }
    }
    Ok(wrong)
}

/// A document without its blocks of code.
struct Document<'a> {
    name: &'a str,
    text: String,
}

fn wrong_links(document: &Document<'_>) -> Result<Vec<String>> {
    let (linked, mut wrong) = (links(&document.text), Vec::new());
    for link in linked.iter().copied().chain(includes(&document.text)) {
        if document.leads_nowhere(link)? {
            wrong.push(format!("{link} leads nowhere"));
        }
    }
    let outside = linked.into_iter().filter(|link| document.leaves_the_book(link));
    wrong
        .extend(outside.map(|link| format!("{link} leads out of the book: link to {WEB}blob/...")));
    Ok(wrong)
}

impl Document<'_> {
    /// Returns whether a link leads to a file or heading that does not exist. An address on the web
    /// has a colon in it.
    fn leads_nowhere(&self, link: &str) -> Result<bool> {
        if let Some(path) = on_the_web(link) {
            return Ok(!root().join(path).exists());
        }
        if link.contains(':') {
            return Ok(false);
        }
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let here = root().join(self.name);
        let target = if path.is_empty() { here } else { root().join(self.target(path)) };
        if !target.exists() || anchor.is_empty() {
            return Ok(!target.exists());
        }
        Ok(!anchors(&read(&target)?).contains(anchor))
    }

    /// Returns whether a relative link of a page leads out of the book.
    fn leaves_the_book(&self, link: &str) -> bool {
        let path = link.split('#').next().unwrap_or_default();
        let is_page = Path::new(self.name).starts_with(BOOK);
        is_page && !link.contains(':') && !self.target(path).starts_with(BOOK)
    }

    /// Returns the path of a relative link, from the root of the repository.
    fn target(&self, path: &str) -> PathBuf {
        let mut target = Path::new(self.name).parent().unwrap_or(Path::new("")).to_owned();
        for part in Path::new(path).components() {
            match part {
                Component::ParentDir => drop(target.pop()),
                Component::CurDir => {}
                part => target.push(part),
            }
        }
        target
    }
}

/// Returns the path of a file or directory of this repository that the web shows.
fn on_the_web(link: &str) -> Option<&str> {
    let rest = link.strip_prefix(WEB)?;
    let rest = rest.strip_prefix("blob/").or_else(|| rest.strip_prefix("tree/"))?;
    let path = rest.strip_prefix("main/")?.split('#').next()?;
    path.starts_with(|c: char| is_word_character(c) || c == '.').then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(name: &str) -> Document<'_> {
        Document { name, text: String::new() }
    }

    #[test]
    fn pages_stay_in_the_book() {
        let page = page("docs/how-to/install.md");
        assert!(!page.leaves_the_book("../faq.md#a") && !page.leaves_the_book("#a"));
        assert!(page.leaves_the_book("../../README.md"));
        assert!(!page.leaves_the_book("https://example.com/"));
        assert!(!Document { name: "README.md", text: String::new() }.leaves_the_book("LICENSE"));
    }

    #[test]
    fn dead_links_are_found() {
        let page = page("docs/faq.md");
        let dead = |link: &str| page.leads_nowhere(link).expect("readable");
        assert!(dead("missing.md") && dead("style.md#missing"));
        assert!(!dead("style.md#rules") && !dead("https://example.com/missing"));
        assert!(dead("https://github.com/open-sesame/sesame/blob/main/missing"));
        assert!(!dead("https://github.com/open-sesame/sesame/blob/main/CONTRIBUTING.md#a"));
    }

    #[test]
    fn sources_go_by_their_end() {
        let files = ["a/b/c.rs", "d.rs"];
        assert!(is_file("b/c.rs", &files) && is_file("c.rs", &files) && is_file("d.rs", &files));
        assert!(!is_file(".rs", &files) && !is_file("e.rs", &files));
    }
}
