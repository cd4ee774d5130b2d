//! Reading TOML with errors that name the place, and with unknown keys reported instead of refused.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::documents::known_keys;
use crate::documents::wording::plain_message;

/// The value of a TOML text, with the keys that this version does not know.
///
/// ```
/// let parsed = core_types::parse_toml::<core_types::Limits>("max_fule = 5")?;
/// assert_eq!(parsed.unknown_keys[0].path, "max_fule");
/// # Ok::<(), core_types::TomlProblem>(())
/// ```
#[derive(Debug, Clone)]
pub struct Parsed<T> {
    /// The value.
    pub value: T,
    /// Keys that were skipped, in the order of the text. They are worth a warning: a typing error
    /// in a key otherwise goes unnoticed.
    pub unknown_keys: Vec<UnknownKey>,
}

/// A key that this version does not know, or an event in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// The key with its tables, such as `limits.max_memory`, or the event.
    pub path: String,
    /// The line of the key, counted from 1.
    pub line: usize,
    /// The bytes of the key in the text.
    span: Range<usize>,
    /// Whether it is an event, with the nearest one.
    event: Option<Option<&'static str>>,
}

/// A problem of a TOML text, with its place.
///
/// It displays as the message, the place and the offending line with the offending text underlined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TomlProblem {
    /// The problem.
    pub message: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The whole line.
    pub text: String,
    /// How many characters of the line the problem covers, at least 1.
    pub length: usize,
}

/// Reads a value from TOML text.
///
/// # Errors
/// When the text is not TOML or a value has the wrong type or form. Unknown keys are not errors.
pub fn parse_toml<T: DeserializeOwned>(text: &str) -> Result<Parsed<T>, TomlProblem> {
    let document =
        toml::Deserializer::parse(text).map_err(|error| TomlProblem::from_toml(&error, text))?;
    let mut unknown = Vec::new();
    let value = serde_ignored::deserialize(document, |path| unknown.push(dotted(&path)))
        .map_err(|error| TomlProblem::from_toml(&error, text))?;
    Ok(Parsed { value, unknown_keys: locate(unknown, text) })
}

impl TomlProblem {
    fn from_toml(error: &toml::de::Error, text: &str) -> Self {
        Self::at(error.span().unwrap_or(0..0), &plain_message(error.message()), text)
    }

    /// Makes a problem of the bytes in this range.
    pub(crate) fn at(span: Range<usize>, message: &str, text: &str) -> Self {
        let start = span.start.min(text.len());
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line_text = text[line_start..line_end].trim_end_matches('\r');
        let covered = text.get(start..span.end.min(line_end).max(start)).unwrap_or_default();
        Self {
            message: message.trim_end().replace('\n', ", "),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            text: line_text.to_owned(),
            length: covered.chars().count().max(1),
        }
    }
}

/// Returns a path as its keys are written, without the marks of optional values.
fn dotted(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    let (parent, key) = match path {
        Path::Root => return String::new(),
        Path::Map { parent, key } => (parent, key.clone()),
        Path::Seq { parent, index } => (parent, index.to_string()),
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => {
            return dotted(parent);
        }
    };
    let parent = dotted(parent);
    if parent.is_empty() { key } else { format!("{parent}.{key}") }
}

/// Finds keys by a second look at the text that only texts with unknown keys need. One walk finds
/// all: there can be many.
fn locate(paths: Vec<String>, text: &str) -> Vec<UnknownKey> {
    let mut spans = HashMap::new();
    if let (false, Ok(document)) = (paths.is_empty(), DeTable::parse(text)) {
        let wanted = paths.iter().map(String::as_str).collect();
        find_keys(document.get_ref(), &mut String::new(), &wanted, &mut spans);
    }
    let lines = Lines::of(text);
    let located = |path: String| {
        let span = spans.get(&path).cloned().unwrap_or_default();
        UnknownKey { line: lines.number(span.start), span, path, event: None }
    };
    let mut keys: Vec<_> = paths.into_iter().map(located).collect();
    keys.sort_by_key(|key| key.line);
    keys
}

/// Finds those keys of a table and below it whose paths are wanted. `path` is that of the table,
/// with a dot at its end.
fn find_keys(
    table: &DeTable<'_>,
    path: &mut String,
    wanted: &HashSet<&str>,
    spans: &mut HashMap<String, Range<usize>>,
) {
    let length = path.len();
    for (key, value) in table {
        path.push_str(key.get_ref());
        if wanted.contains(path.as_str()) {
            spans.entry(path.clone()).or_insert(key.span());
        }
        path.push('.');
        find_below(value.get_ref(), path, wanted, spans);
        path.truncate(length);
    }
}

/// Looks into the table or the list of tables at a path.
fn find_below(
    value: &DeValue<'_>,
    path: &mut String,
    wanted: &HashSet<&str>,
    spans: &mut HashMap<String, Range<usize>>,
) {
    match value {
        DeValue::Table(below) => find_keys(below, path, wanted, spans),
        DeValue::Array(entries) => {
            let length = path.len();
            for (at, entry) in entries.iter().enumerate() {
                path.push_str(&format!("{at}."));
                find_below(entry.get_ref(), path, wanted, spans);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at + 1).collect())
    }

    /// Returns the number of the line that a byte stands in, counted from 1.
    fn number(&self, at: usize) -> usize {
        self.0.partition_point(|start| *start <= at) + 1
    }
}

/// One value of a TOML text, with where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TomlLeaf {
    /// The keys that lead to it, as they are written in TOML; entries of arrays of tables by their
    /// number, from 0.
    pub keys: Vec<String>,
    /// The value as it is written.
    pub value: String,
    /// The line, counted from 1.
    pub line: usize,
}

/// Returns every value of a TOML text, in the order of the text. Arrays of values and inline tables
/// count as one. A text that is not TOML has none.
pub fn toml_leaves(text: &str) -> Vec<TomlLeaf> {
    let mut leaves = Vec::new();
    if let Ok(document) = DeTable::parse(text) {
        collect_leaves(document.get_ref(), &mut Vec::new(), (text, &Lines::of(text)), &mut leaves);
    }
    leaves.sort_by_key(|leaf| leaf.line);
    leaves
}

fn collect_leaves(
    table: &DeTable<'_>,
    keys: &mut Vec<String>,
    (text, lines): (&str, &Lines),
    leaves: &mut Vec<TomlLeaf>,
) {
    for (key, value) in table {
        keys.push(key.get_ref().to_string());
        let tables = match value.get_ref() {
            DeValue::Array(items) => {
                items.iter().map(|item| own_table(item, text)).collect::<Option<Vec<_>>>()
            }
            _ => None,
        };
        match (own_table(value, text), tables) {
            (Some(below), _) => collect_leaves(below, keys, (text, lines), leaves),
            (None, Some(entries)) if !entries.is_empty() => {
                for (at, entry) in entries.into_iter().enumerate() {
                    keys.push(at.to_string());
                    collect_leaves(entry, keys, (text, lines), leaves);
                    keys.pop();
                }
            }
            _ => {
                let line = lines.number(key.span().start);
                let value = text.get(value.span()).unwrap_or_default().to_owned();
                leaves.push(TomlLeaf { keys: keys.clone(), value, line });
            }
        }
        keys.pop();
    }
}

/// Returns a table that is not a value in braces.
fn own_table<'a, 'b>(value: &'b Spanned<DeValue<'a>>, text: &str) -> Option<&'b DeTable<'a>> {
    match value.get_ref() {
        DeValue::Table(table) if !text.get(value.span()).unwrap_or_default().starts_with('{') => {
            Some(table)
        }
        _ => None,
    }
}

/// Returns the line, counted from 1, of the text `value` in the array under these keys; or of the
/// last key, where the text is not there or is empty.
pub(crate) fn line_of_value(text: &str, keys: &[&str], value: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let (last, tables) = keys.split_last()?;
    let mut table = document.get_ref();
    for key in tables {
        table = table.get(*key)?.get_ref().as_table()?;
    }
    let (key, found) = table.get_key_value(*last)?;
    let items = found.get_ref().as_array().into_iter().flat_map(|array| array.iter());
    let item = items
        .into_iter()
        .find(|item| !value.is_empty() && entry_text(item.get_ref()).as_deref() == Some(value));
    let start = item.map_or(key.span().start, |item| item.span().start);
    Some(text[..start].matches('\n').count() + 1)
}

/// Returns an entry of a list of capabilities as one text: `{ path, guest }` and `{ host,
/// allow_private }` are other forms of one.
fn entry_text<'a>(entry: &'a DeValue<'_>) -> Option<Cow<'a, str>> {
    let Some(table) = entry.as_table() else { return entry.as_str().map(Cow::Borrowed) };
    let text = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str());
    let is_private =
        table.get("allow_private").is_some_and(|value| value.get_ref().as_bool() == Some(true));
    match (text("path"), text("guest"), text("host")) {
        (Some(path), Some(guest), _) => Some(Cow::Owned(format!("{path}::{guest}"))),
        (Some(path), None, _) => Some(Cow::Borrowed(path)),
        (None, _, Some(host)) if is_private => Some(Cow::Owned(format!("{host}+private"))),
        (None, _, host) => host.map(Cow::Borrowed),
    }
}

impl fmt::Display for TomlProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String =
            self.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let margin = self.line.to_string();
        let blank = " ".repeat(margin.len());
        let before = " ".repeat(self.column.saturating_sub(1));
        writeln!(f, "line {}, column {}: {}", self.line, self.column, self.message)?;
        writeln!(f, "{blank} |")?;
        writeln!(f, "{margin} | {text}")?;
        write!(f, "{blank} | {before}{}", "^".repeat(self.length))
    }
}

impl std::error::Error for TomlProblem {}

impl UnknownKey {
    /// Makes one of an event in a list of the text.
    pub(crate) fn event(
        name: &str,
        nearest: Option<&'static str>,
        span: Range<usize>,
        text: &str,
    ) -> Self {
        let line = Lines::of(text).number(span.start);
        Self { path: name.to_owned(), line, span, event: Some(nearest) }
    }

    /// Tells whether it is an event in a list.
    pub fn is_event(&self) -> bool {
        self.event.is_some()
    }

    /// Returns the kind of the unknown word.
    fn kind(&self) -> &'static str {
        if self.event.is_some() { "event" } else { "key" }
    }

    /// Returns the key as a problem of the text, for documents in which a misspelt key would allow
    /// more than is meant.
    pub fn problem(&self, text: &str) -> TomlProblem {
        let kind = self.kind();
        let message = format!("unknown {kind} `{}`{}", self.path.escape_debug(), self.nearest());
        TomlProblem::at(self.span.clone(), &message, text)
    }

    fn nearest(&self) -> String {
        let (remark, nearest) = match self.event {
            Some(nearest) => (None, nearest),
            None => (known_keys::remark(&self.path), known_keys::nearest(&self.path)),
        };
        let nearest = nearest.map(|known| format!("the nearest is `{known}`"));
        remark.or(nearest).map(|said| format!("; {said}")).unwrap_or_default()
    }
}

impl fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, path, .. } = self;
        write!(
            f,
            "line {line}: unknown {} `{}` does nothing{}",
            self.kind(),
            path.escape_debug(),
            self.nearest()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, serde::Deserialize)]
    struct Sample {
        #[allow(dead_code)]
        limits: Option<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Inner {
        #[allow(dead_code)]
        fuel: Option<u32>,
    }

    /// Unknown keys are reported with their lines.
    #[test]
    fn unknown_keys_have_their_lines() {
        let parsed =
            parse_toml::<Sample>("a = 1\n[limits]\nfuel = 2\nfule = 3\n\n[limitz]\nx = 1\n")
                .expect("valid");
        let found: Vec<_> =
            parsed.unknown_keys.iter().map(|key| (key.path.as_str(), key.line)).collect();
        assert_eq!(found, [("a", 1), ("limits.fule", 4), ("limitz", 6)]);
    }

    /// Many keys are found in one walk over the text.
    #[test]
    fn many_unknown_keys_take_linear_time() {
        let text: String = (0..80_000).map(|at| format!("a{at}=1\n")).collect();
        let begun = std::time::Instant::now();
        let parsed = parse_toml::<Sample>(&text).expect("valid");
        assert_eq!(parsed.unknown_keys.len(), 80_000);
        assert_eq!(parsed.unknown_keys[79_999].line, 80_000);
        assert_eq!(toml_leaves(&text).len(), 80_000);
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    }

    /// A key of a table within a list is found as well.
    #[test]
    fn unknown_key_in_a_list_has_its_line() {
        let text = "network = [\n  { host = \"a.example\" },\n]\n[filesystem]\nread = [\n  { path = \"~/a\", gest = \"/a\" },\n]\n";
        let parsed = parse_toml::<crate::Capabilities>(text).expect("valid");
        let found: Vec<_> =
            parsed.unknown_keys.iter().map(|key| (key.path.as_str(), key.line)).collect();
        assert_eq!(found, [("filesystem.read.0.gest", 6)]);
        let directories: Vec<_> = parsed.value.directories().collect();
        assert_eq!(directories[0].0.to_string(), "~/a");
    }

    #[test]
    fn every_value_is_found_with_its_line() {
        let text = "a.b = 1\n[c]\nd = [\n  1]\ne = { f = true }\n\"g.h\" = \"x\"\n[[i]]\nj = 1\n[[i]]\nj = 2\n[i.k]\nl = []\n";
        let found: Vec<_> = toml_leaves(text)
            .into_iter()
            .map(|leaf| {
                format!("{} {} = {}", leaf.line, leaf.keys.join("/"), leaf.value.replace('\n', " "))
            })
            .collect();
        assert_eq!(
            found,
            [
                "1 a/b = 1",
                "3 c/d = [   1]",
                "5 c/e = { f = true }",
                "6 c/g.h = \"x\"",
                "8 i/0/j = 1",
                "10 i/1/j = 2",
                "12 i/1/k/l = []"
            ]
        );
    }

    /// A problem underlines the offending text.
    #[test]
    fn problem_underlines_its_text() {
        let problem = parse_toml::<Sample>("[limits]\nfuel = \"lots\"\n").expect_err("a string");
        insta::assert_snapshot!(problem, @r#"
        line 2, column 8: expected a whole number, found "lots"
          |
        2 | fuel = "lots"
          |        ^^^^^^
        "#);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}|[a-z.=\\[\\]\"\n\r\t ]{0,60}") {
            if let Err(problem) = parse_toml::<Sample>(&text) {
                let _ = problem.to_string();
            }
        }
    }
}
