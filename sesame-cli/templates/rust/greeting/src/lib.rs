//! Greets people.

wit_bindgen::generate!({ world: "local:extension/extension", path: "wit", generate_all });

use open_sesame::host::config_read;

struct Extension;

impl Guest for Extension {
    fn greet(name: String) -> String {
        greeting(config_read::get("greeting.template").as_deref(), &name)
    }
}

fn greeting(template: Option<&str>, name: &str) -> String {
    template.unwrap_or("Hello, {}!").replace("{}", name)
}

export!(Extension);

#[cfg(test)]
mod tests {
    use super::greeting;

    #[test]
    fn the_name_is_put_into_the_template() {
        assert_eq!(greeting(None, "World"), "Hello, World!");
        assert_eq!(greeting(Some("Good day, {}."), "World"), "Good day, World.");
    }
}
