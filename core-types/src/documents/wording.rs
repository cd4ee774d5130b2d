//! Messages of parsers and of other libraries, in the words of the people who read them.

/// Rewrites a message of serde and its formats so that it names no type of this program, and a
/// message of the keyring so that it names no layer of its library. Other messages stay as they are.
///
/// ```
/// use core_types::plain_message;
///
/// assert_eq!(
///     plain_message("invalid type: string \"x\", expected struct EntryFile"),
///     "expected a table, found \"x\""
/// );
/// assert_eq!(
///     plain_message("missing field `oci` at line 2 column 7"),
///     "line 2, column 7: `oci` is missing"
/// );
/// assert_eq!(plain_message("Platform failure: zbus error: no socket"), "no socket");
/// assert_eq!(plain_message("permission denied"), "permission denied");
/// ```
pub fn plain_message(message: &str) -> String {
    match split_place(message) {
        Some((message, place)) => format!("{place}: {}", reworded(message)),
        None => reworded(message),
    }
}

/// Returns an error with its causes on one line, since a message does not repeat its cause.
///
/// ```
/// let cause = std::io::Error::other("the disk is full");
/// let error = std::io::Error::other(cause);
/// assert_eq!(core_types::with_causes(&error), "the disk is full");
/// ```
pub fn with_causes(error: &dyn std::error::Error) -> String {
    joined_causes(error, |error| error.to_string())
}

/// Returns the same of other texts of the errors, such as their first lines.
pub fn joined_causes(
    error: &dyn std::error::Error,
    text_of: impl Fn(&dyn std::error::Error) -> String,
) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.map(&text_of).fold(text_of(error), |text, cause| {
        // Errors of some libraries end with their cause.
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}

/// The message and, apart from it, the place that JSON's parser adds.
fn split_place(message: &str) -> Option<(&str, String)> {
    let (message, place) = message.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_place = is_number(line) && is_number(column);
    is_place.then(|| (message, format!("line {line}, column {column}")))
}

/// The layers of the keyring's library, each of which puts its name in front of the reason.
const LAYERS: [&str; 3] =
    ["Platform failure: ", "Couldn't access platform storage: ", "zbus error: "];

fn reworded(message: &str) -> String {
    if let Some(reason) = LAYERS.iter().find_map(|layer| message.strip_prefix(layer)) {
        return reworded(reason);
    }
    let misfit = ["invalid type: ", "invalid value: ", "invalid length "]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split_once(", expected "));
    if let Some((found, expected)) = misfit {
        return format!("expected {}, found {}", kind(expected), value(found));
    }
    if let Some(field) = message.strip_prefix("missing field ") {
        return format!("{field} is missing");
    }
    if let Some(field) = message.strip_prefix("duplicate field ") {
        return format!("{field} is there twice");
    }
    if let Some((field, known)) = prefixed_pair(message, "unknown field ", ", expected ") {
        return format!("unknown key {field}; expected {known}");
    }
    if let Some((variant, known)) = prefixed_pair(message, "unknown variant ", ", expected ") {
        return format!("expected {known}, found {variant}");
    }
    if message.starts_with("data did not match any variant of ") {
        return "the value has none of the forms that it can have".to_owned();
    }
    if let Some(part) = message.strip_prefix("EOF while parsing ") {
        return format!("the text ends in the middle of {part}");
    }
    match message {
        "trailing characters" => "there is more text behind the end".to_owned(),
        "recursion limit exceeded" => "it is nested too deeply".to_owned(),
        other => other.to_owned(),
    }
}

fn prefixed_pair<'a>(text: &'a str, prefix: &str, separator: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(prefix)?.split_once(separator)
}

/// The kind of value that is expected, without the name of a type.
fn kind(expected: &str) -> &str {
    let is_type = |prefix: &str| expected.starts_with(prefix);
    match expected {
        "a map" | "map" => "a table",
        "a sequence" | "sequence" => "a list",
        "a string" | "string" | "a character" | "path string" | "a borrowed string" => "a text",
        "a boolean" | "bool" => "`true` or `false`",
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "isize" | "u8" | "u16" | "u32" | "u64" | "usize" => {
            "a whole number"
        }
        _ if is_type("a nonzero") => "a whole number above zero",
        _ if is_type("struct ") || is_type("internally tagged enum ") => "a table",
        _ if is_type("tuple ") || is_type("a tuple ") => "a list",
        _ if is_type("enum ") || is_type("newtype ") || is_type("variant ") => "another value",
        other => other,
    }
}

/// The value that was found, without the name of its type.
fn value(found: &str) -> &str {
    match found {
        "map" => "a table",
        "sequence" => "a list",
        "null" | "unit value" | "Option value" => "nothing",
        other => ["string ", "integer ", "floating point ", "boolean ", "character "]
            .iter()
            .find_map(|kind| other.strip_prefix(kind))
            .unwrap_or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A library's message that ends with its cause says it once.
    #[test]
    fn cause_is_said_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot connect: {0}")]
        struct Repeats(#[source] std::io::Error);
        let error = Repeats(std::io::Error::other("no such file"));
        assert_eq!(with_causes(&error), "cannot connect: no such file");
    }

    /// No message of serde names a type of Rust.
    #[test]
    fn messages_name_no_types() {
        for (message, expected) in [
            ("invalid type: map, expected a string", "expected a text, found a table"),
            (
                "invalid type: integer `1`, expected a boolean",
                "expected `true` or `false`, found `1`",
            ),
            (
                "invalid type: sequence, expected struct ManifestFile",
                "expected a table, found a list",
            ),
            (
                "invalid type: string \"a, b\", expected u32",
                "expected a whole number, found \"a, b\"",
            ),
            (
                "invalid value: integer `-1`, expected a whole number from 1 to 7",
                "expected a whole number from 1 to 7, found `-1`",
            ),
            (
                "invalid value: integer `0`, expected a nonzero u32",
                "expected a whole number above zero, found `0`",
            ),
            (
                "unknown variant `ruby`, expected `rust` or `go`",
                "expected `rust` or `go`, found `ruby`",
            ),
            (
                "unknown field `x`, expected one of `a`, `b`",
                "unknown key `x`; expected one of `a`, `b`",
            ),
            (
                "data did not match any variant of untagged enum Scalar",
                "the value has none of the forms that it can have",
            ),
            (
                "EOF while parsing an object at line 1 column 1",
                "line 1, column 1: the text ends in the middle of an object",
            ),
            ("it is at line 3 column x", "it is at line 3 column x"),
            ("Platform failure: Platform failure: zbus error: no socket", "no socket"),
        ] {
            assert_eq!(plain_message(message), expected);
        }
    }
}
