//! @DESCRIPTION@.

wit_bindgen::generate!({ world: "local:extension/extension", path: "wit", generate_all });

use exports::open_sesame::extension::events::{Event, Guest, Value};
use open_sesame::host::notification::{self, Urgency};

pub struct Extension;

impl Guest for Extension {
    fn handle(event: Event) -> Result<(), String> {
        let (title, text) = match event.name.as_str() {
@EVENT_ARMS@
            // One that this version does not know.
            _ => return Ok(()),
        };
        let text = filled(text, &event.values);
        notification::show(title, &text, Urgency::Normal).map_err(|error| error.to_string())
    }
}

/// Puts values into a text: `{percent}` stands for that of `percent`.
fn filled(text: &str, values: &[(String, Value)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), &in_words(value))
    })
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Whole(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Truth(is_so) => is_so.to_string(),
    }
}

// On this machine, where its own tests run, linkers do not take the names of interfaces.
#[cfg(target_family = "wasm")]
export!(Extension);

#[cfg(test)]
mod tests {
    use super::{Value, filled};

    #[test]
    fn values_are_put_into_the_text() {
        let values = [("percent".to_owned(), Value::Whole(9))];
        assert_eq!(filled("{percent} % left", &values), "9 % left");
    }
}
