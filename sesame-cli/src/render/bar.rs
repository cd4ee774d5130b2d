//! Results as lines for status bars.

use core_types::ExtensionName;
use serde_json::{Map, Value, json};

use crate::arguments::BarFormat;

/// The members of an object for Waybar that an extension can give
/// (<https://github.com/Alexays/Waybar/wiki/Module:-Custom>).
const WAYBAR: [&str; 5] = ["text", "alt", "tooltip", "class", "percentage"];

/// The text in place of a result. Waybar hides a module without one, and its tooltip with it.
const PROBLEM: &str = "!";

/// The lines for one bar.
pub struct Bar {
    format: BarFormat,
    name: String,
    has_begun: bool,
}

/// A result, or the reason why there is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BarLine {
    /// The members that the extension gave, or its text alone.
    members: Map<String, Value>,
    /// Why there is no result.
    pub problem: Option<String>,
}

impl BarLine {
    /// Reads `{"result": ...}` or `{"error": {"message": ...}}`. A result that is a record with a
    /// `text` gives its members; anything else is a text.
    pub fn of(value: &Value) -> Self {
        if let Some(error) = value.get("error") {
            let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
            return Self::of_problem(message.to_owned());
        }
        Self::of_result(value.get("result").unwrap_or(&Value::Null))
    }

    /// Makes the line of a call without a result.
    pub fn of_problem(problem: String) -> Self {
        Self { problem: Some(problem), ..Self::default() }
    }

    /// Makes the line of a result, or of the payload of one that is a `result`.
    pub fn of_result(result: &Value) -> Self {
        match result {
            Value::Object(object) if object.len() == 1 && object.contains_key("ok") => {
                Self::of_value(&object["ok"])
            }
            Value::Object(object) if object.len() == 1 && object.contains_key("err") => {
                Self::of_problem(text_of(&object["err"]))
            }
            result => Self::of_value(result),
        }
    }

    fn of_value(result: &Value) -> Self {
        let members = match result {
            Value::Object(record) if record.contains_key("text") => {
                let known = record.iter().filter(|(key, _)| WAYBAR.contains(&key.as_str()));
                known.map(|(key, value)| (key.clone(), value.clone())).collect()
            }
            other => Map::from_iter([("text".to_owned(), Value::from(text_of(other)))]),
        };
        Self { members, problem: None }
    }

    fn text(&self) -> String {
        self.members.get("text").map(text_of).unwrap_or_default()
    }
}

impl Bar {
    /// Makes the lines of an extension.
    pub fn of(format: BarFormat, name: &ExtensionName) -> Self {
        Self { format, name: name.to_string(), has_begun: false }
    }

    /// Returns the next line; nothing for a problem where a bar keeps what it shows.
    pub fn line(&mut self, line: &BarLine) -> Option<String> {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        match self.format {
            BarFormat::Plain => line.problem.is_none().then(|| format!("{}\n", line.text())),
            BarFormat::Waybar => Some(format!("{}\n", waybar(line))),
            BarFormat::I3bar => {
                // An endless array, of which each element is the whole bar.
                let begin = if is_first { "{\"version\":1}\n[\n" } else { "," };
                let text =
                    line.problem.as_ref().map_or_else(|| line.text(), |_| PROBLEM.to_owned());
                let block = json!([{ "name": self.name, "full_text": text }]);
                Some(format!("{begin}{block}\n"))
            }
        }
    }
}

fn waybar(line: &BarLine) -> Value {
    if let Some(problem) = &line.problem {
        let tooltip = without_markup(&one_line(problem));
        return json!({ "text": PROBLEM, "class": "error", "tooltip": tooltip });
    }
    let escaped = |(key, value): (&String, &Value)| {
        let value = match value {
            // Markup of an extension could look like another module.
            Value::String(text) => Value::from(without_markup(&visible(text))),
            other => other.clone(),
        };
        (key.clone(), value)
    };
    Value::Object(line.members.iter().map(escaped).collect())
}

/// Returns a value as one line of text.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => one_line(text),
        Value::Null => String::new(),
        other => one_line(&other.to_string()),
    }
}

fn one_line(text: &str) -> String {
    visible(text).split('\n').map(str::trim_end).collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

/// Returns a text without control characters other than line ends.
fn visible(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').collect()
}

/// Escapes the markup of Pango, which bars read.
fn without_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(format: BarFormat, values: &[Value]) -> Vec<Option<String>> {
        let mut bar = Bar::of(format, &"weather".parse().expect("a name"));
        values.iter().map(|value| bar.line(&BarLine::of(value))).collect()
    }

    fn some(lines: &[&str]) -> Vec<Option<String>> {
        lines.iter().map(|line| Some(format!("{line}\n"))).collect()
    }

    #[test]
    fn plain_line_is_one_line() {
        let values = [
            json!({ "result": "a\u{1b}[1m\nb\n" }),
            json!({ "result": { "ok": 5 } }),
            json!({ "result": { "text": "t", "class": "x" } }),
            json!({ "result": [1, 2] }),
        ];
        assert_eq!(lines(BarFormat::Plain, &values), some(&["a[1m b", "5", "t", "[1,2]"]));
        let problems =
            [json!({ "error": { "message": "no" } }), json!({ "result": { "err": "no" } })];
        assert_eq!(lines(BarFormat::Plain, &problems), [None, None]);
        assert_eq!(BarLine::of(&problems[1]).problem.as_deref(), Some("no"));
    }

    /// An extension cannot put markup into the bar, and only known members reach it.
    #[test]
    fn waybar_gets_no_markup() {
        let record = json!({ "text": "<b>&", "percentage": 5, "on-click": "rm" });
        let values = [json!({ "result": record }), json!({ "error": { "message": "<no>\n" } })];
        let expected = some(&[
            r#"{"percentage":5,"text":"&lt;b&gt;&amp;"}"#,
            r#"{"class":"error","text":"!","tooltip":"&lt;no&gt;"}"#,
        ]);
        assert_eq!(lines(BarFormat::Waybar, &values), expected);
    }

    #[test]
    fn i3bar_is_an_endless_array() {
        let values = [json!({ "result": "a" }), json!({ "error": { "message": "no" } })];
        let lines = lines(BarFormat::I3bar, &values);
        let all: String = lines.into_iter().flatten().collect();
        let (header, array) = all.split_once('\n').expect("a header");
        assert_eq!(header, r#"{"version":1}"#);
        let array: Value = serde_json::from_str(&format!("{array}]")).expect("an array");
        assert_eq!(array[0][0]["full_text"], "a");
        assert_eq!(array[1][0]["full_text"], "!");
    }
}
