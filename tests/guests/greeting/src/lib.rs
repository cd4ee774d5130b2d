//! The extension that the documentation walks through, with nothing but wit-bindgen.

wit_bindgen::generate!({
    world: "open-sesame:example/greeting",
    path: ["../../../wit/host", "../../../wit/example"],
    generate_all,
});

struct Component;

impl Guest for Component {
    fn greet(name: String) -> String {
        // Read a greeting template from config (host-provided import).
        let template = open_sesame::host::config_read::get("greeting.template")
            .unwrap_or_else(|| "Hello, {}!".to_string());
        template.replace("{}", &name)
    }
}

export!(Component);
