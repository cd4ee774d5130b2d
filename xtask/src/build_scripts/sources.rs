//! Finds the files of a script: itself, those that it includes, and its modules.

use std::fs;
use std::path::{Path, PathBuf};

use crate::digest::{hex, sha256};
use crate::problem::{Problem, Result};
use crate::repository::read;
use crate::words::is_word_character;

/// The files of a script, each once.
pub struct Sources(Vec<PathBuf>);

impl Sources {
    /// Follows a script.
    pub fn of(script: &Path) -> Result<Self> {
        let mut found = Vec::new();
        follow(script, &mut found)?;
        Ok(Self(found))
    }

    /// Returns the first 16 digits of the SHA-256 over all files.
    pub fn digest(&self) -> Result<String> {
        let read = |path: &PathBuf| fs::read(path).map_err(|error| Problem::of_file(path, &error));
        let files: Vec<_> = self.0.iter().map(read).collect::<Result<_>>()?;
        Ok(hex(&sha256(files)[..8]))
    }

    /// Returns the code without comments.
    pub fn code(&self) -> Result<String> {
        let codes: Result<Vec<_>> =
            self.0.iter().map(|path| Ok(without_comments(&read(path)?))).collect();
        Ok(codes?.join("\n"))
    }
}

fn follow(path: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    found.push(path.to_owned());
    let code = without_comments(&read(path)?);
    let directory = path.parent().unwrap_or(Path::new("."));
    for name in taken_in(&code) {
        let other = directory.join(name);
        if other.is_file() && !found.contains(&other) {
            follow(&other, found)?;
        }
    }
    Ok(())
}

/// Returns the paths of the files that a source includes, and of its modules.
fn taken_in(code: &str) -> Vec<String> {
    let mut names = quoted_after(code, "include!(", "");
    names.extend(quoted_after(code, "#[path", "="));
    for name in modules(code) {
        names.extend([format!("{name}.rs"), format!("{name}/mod.rs")]);
    }
    names
}

/// Returns the quoted texts after an opening, and a sign between the two.
fn quoted_after(code: &str, opening: &str, sign: &str) -> Vec<String> {
    let quoted = |rest: &str| {
        let rest = rest.trim_start().strip_prefix(sign)?.trim_start().strip_prefix('"')?;
        Some(rest.split_once('"')?.0.to_owned()).filter(|name| !name.is_empty())
    };
    code.split(opening).skip(1).filter_map(quoted).collect()
}

/// Returns the modules that are declared and not written out.
fn modules(code: &str) -> Vec<&str> {
    let declared = |(at, text): (usize, &str)| {
        let rest = &code[at + text.len()..];
        let name = rest.trim_start();
        let end = name.find(|c| !is_word_character(c))?;
        let is_whole =
            !code[..at].ends_with(is_word_character) && rest.len() > name.len() && end > 0;
        (is_whole && name[end..].trim_start().starts_with(';')).then_some(&name[..end])
    };
    code.match_indices("mod").filter_map(declared).collect()
}

/// Removes comments. An address in a text has a colon before its slashes, and stays.
fn without_comments(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        let Some((_, after)) = comment.split_once("*/") else { break };
        code.push_str(before);
        rest = after;
    }
    code.push_str(rest);
    code.split_inclusive('\n').map(without_line_comment).collect()
}

fn without_line_comment(line: &str) -> String {
    let is_comment = |&(at, _): &(usize, &str)| !line[..at].ends_with(':');
    let Some((at, _)) = line.match_indices("//").find(is_comment) else { return line.to_owned() };
    let end = if line.ends_with('\n') { "\n" } else { "" };
    format!("{}{end}", &line[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_addresses_stay() {
        let text = "a /* b\nc */ d // e\n\"http://f\" // g";
        assert_eq!(without_comments(text), "a  d \n\"http://f\" ");
        assert_eq!(without_comments("a /* b"), "a /* b");
    }

    #[test]
    fn included_files_are_followed() {
        let code =
            "include!( \"a.rs\"); #[path = \"b.rs\"] mod  c ; mod d { } commod e; pub mod f;";
        let wanted = ["a.rs", "b.rs", "c.rs", "c/mod.rs", "f.rs", "f/mod.rs"];
        assert_eq!(taken_in(code), wanted);
    }

    #[test]
    fn each_file_counts_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let script = directory.path().join("build.rs");
        fs::write(&script, "mod a; mod b;").expect("written");
        fs::write(directory.path().join("a.rs"), "include!(\"build.rs\");").expect("written");
        let sources = Sources::of(&script).expect("readable");
        assert_eq!(sources.0.len(), 2);
        let both = hex(&sha256(["mod a; mod b;", "include!(\"build.rs\");"]));
        assert_eq!(sources.digest().expect("readable"), both[..16]);
    }
}
