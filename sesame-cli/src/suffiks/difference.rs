//! The difference between two documents, line by line.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::suffiks::document::Form;

/// Returns the lines that differ from the expected ones, with three lines around each.
pub fn difference(expected: &Value, found: &Value) -> String {
    let (expected, found) = (Form::Yaml.write(expected), Form::Yaml.write(found));
    let diff = TextDiff::from_lines(&expected, &found);
    let mut text = "it is not what was expected (-), but this (+):".to_owned();
    for change in
        diff.grouped_ops(3).iter().flatten().flat_map(|operation| diff.iter_changes(operation))
    {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        };
        text.push_str(&format!("\n{sign} {}", change.value().trim_end_matches('\n')));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_differs_is_shown_with_what_is_around_it() {
        let expected =
            json!({"a": 1, "b": {"c": [1, 2], "d": "x"}, "e": 5, "f": 6, "g": 7, "h": 8});
        let found = json!({"a": 1, "b": {"c": [1, 3], "d": "x"}, "e": 5, "f": 6, "g": 7, "h": 8});
        insta::assert_snapshot!(difference(&expected, &found), @r#"
    it is not what was expected (-), but this (+):
      b:
        c:
        - 1
    -   - 2
    +   - 3
        d: x
      e: 5
      f: 6
    "#);
    }
}
