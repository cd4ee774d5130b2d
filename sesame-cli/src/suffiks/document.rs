//! YAML or JSON documents of people.

use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

use core_types::plain_message;
use extension_depot::read_regular;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The largest document, in bytes: far more than a person writes.
const MAX_DOCUMENT: u64 = 4 << 20;

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Yaml,
    Json,
}

/// The reason why a document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// The contents cannot be parsed.
    #[error("`{}` cannot be understood", path.display())]
    Parse { path: PathBuf, source: ParseError },
}

/// The reason why a text cannot be parsed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(String);

impl Form {
    /// Returns the format of a file: JSON by its name, or else YAML.
    pub fn of(path: &Path) -> Self {
        if path.extension().is_some_and(|extension| extension == "json") {
            Self::Json
        } else {
            Self::Yaml
        }
    }

    /// Parses a text.
    pub fn parse<T: DeserializeOwned>(self, text: &str) -> Result<T, ParseError> {
        match self {
            Self::Json => serde_json::from_str(text)
                .map_err(|error| ParseError(plain_message(&error.to_string()))),
            // The error quotes the text on further lines; the first is enough.
            Self::Yaml => serde_saphyr::from_str(text)
                .map_err(|error| ParseError(first_line(&error.to_string()))),
        }
    }

    /// Parses each document of a text; JSON has always one.
    fn parse_all(self, text: &str) -> Result<Vec<Value>, ParseError> {
        match self {
            Self::Json => self.parse(text).map(|document| vec![document]),
            Self::Yaml => serde_saphyr::from_multiple(text)
                .map_err(|error| ParseError(first_line(&error.to_string()))),
        }
    }

    /// Writes a document.
    pub fn write(self, document: &Value) -> String {
        match self {
            Self::Json => format!("{document:#}\n"),
            Self::Yaml => {
                let mut text =
                    serde_saphyr::to_string(document).unwrap_or_else(|_| document.to_string());
                if !text.ends_with('\n') {
                    let _ = writeln!(text);
                }
                text
            }
        }
    }
}

fn first_line(text: &str) -> String {
    let text = text.lines().next().unwrap_or_default();
    // A setting of the parser does not help a person.
    let text = text.split(", set DuplicateKeyPolicy").next().unwrap_or(text);
    yaml_message(text.trim_start_matches("error: "))
}

/// Rewrites what stands behind the place: `line 1 column 4: unclosed bracket`.
fn yaml_message(text: &str) -> String {
    match text.split_once(": ").filter(|(place, _)| place.starts_with("line ")) {
        Some((place, message)) => format!("{place}: {}", plain_message(message)),
        None => plain_message(text),
    }
}

/// Reads the document in a file; `-` is standard input.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, DocumentError> {
    read_as(path, Form::parse)
}

/// Reads the document of this kind among others in a file; the first one if none has the kind.
pub fn read_kind<T: DeserializeOwned>(path: &Path, kind: &str) -> Result<T, DocumentError> {
    let is_it = |document: &Value| document.get("kind").is_some_and(|found| found == kind);
    read_as(path, |form, text| {
        // A single document is parsed as its type, so that an error has its place in the text.
        form.parse(text).or_else(|error| {
            let mut documents = form.parse_all(text)?;
            if documents.len() < 2 {
                return Err(error);
            }
            let at = documents.iter().position(is_it).unwrap_or_default();
            serde_json::from_value(documents.swap_remove(at))
                .map_err(|error| ParseError(plain_message(&error.to_string())))
        })
    })
}

fn read_as<T>(
    path: &Path,
    parse: impl FnOnce(Form, &str) -> Result<T, ParseError>,
) -> Result<T, DocumentError> {
    let bytes =
        if path == Path::new("-") { read_input() } else { read_regular(path, MAX_DOCUMENT) };
    let bytes = bytes.map_err(|source| DocumentError::Read { path: path.to_owned(), source })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        ParseError(format!("it is not text in UTF-8: the byte {} is not", at + 1))
    });
    text.and_then(|text| parse(Form::of(path), &text))
        .map_err(|source| DocumentError::Parse { path: path.to_owned(), source })
}

fn read_input() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(MAX_DOCUMENT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_DOCUMENT {
        let message = format!("it has more than {MAX_DOCUMENT} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn anchors_and_merge_keys_are_followed() {
        let text = "app: &app\n  kind: A\n  spec: {a: 1}\nother:\n  <<: *app\n  spec: {b: null}\n";
        let document: Value = Form::Yaml.parse(text).expect("YAML");
        assert_eq!(document["other"], json!({"kind": "A", "spec": {"b": null}}));
    }

    #[test]
    fn what_is_broken_or_explodes_is_an_error_on_one_line() {
        let error = |text: &str| Form::Yaml.parse::<Value>(text).expect_err(text).to_string();
        insta::assert_snapshot!(error("a: [1"), @"line 1 column 4: unclosed bracket '['");
        insta::assert_snapshot!(error("a: 1\na: 2"), @"line 2 column 1: duplicate mapping key: a");
        let bomb = (0..30).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, n| {
            format!("{text}a{}: &a{} [{}]\n", n + 1, n + 1, vec![format!("*a{n}"); 9].join(", "))
        });
        assert!(Form::Yaml.parse::<Value>(&bomb).is_err());
        assert!(Form::Yaml.parse::<Value>(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn what_is_written_is_read_back() {
        let document = json!({"a": ["true", "1", "", " x", "é\u{1b}", null, 1.5, {"b": "multi\nline"}], "no": "no"});
        for form in [Form::Yaml, Form::Json] {
            assert_eq!(form.parse::<Value>(&form.write(&document)).expect("read back"), document);
        }
    }
}
