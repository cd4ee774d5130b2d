//! Greets people.

extension_sdk::generate!({ world: "local:extension/extension", path: "wit" });

use extension_sdk::config;

struct Extension;

impl Guest for Extension {
    fn greet(name: String) -> String {
        greeting(&config::get_or("greeting.template", "Hello, {}!"), &name)
    }
}

fn greeting(template: &str, name: &str) -> String {
    template.replace("{}", name)
}

export!(Extension);

#[cfg(test)]
mod tests {
    use super::greeting;

    #[test]
    fn the_name_is_put_into_the_template() {
        assert_eq!(greeting("Good day, {}.", "World"), "Good day, World.");
    }
}
