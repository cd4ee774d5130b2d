//! The greeting extension as it is written with the SDK.

use extension_sdk::config;

extension_sdk::generate!({
    path: ["../../../wit/host", "../../../wit/example"],
    world: "open-sesame:example/greeting",
});

struct Greeter;

impl Guest for Greeter {
    fn greet(name: String) -> String {
        config::get_or("greeting.template", "Hello, {}!").replace("{}", &name)
    }
}

export!(Greeter);
