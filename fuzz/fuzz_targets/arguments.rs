//! Arguments as people type them and as programs write them, for each type of a parameter. The
//! printed result of a function that returns its argument parses as the same argument again.
#![no_main]

use std::sync::LazyLock;

use extension_host::{Arguments, Extension, Host, Permissions};
use libfuzzer_sys::fuzz_target;

static ECHO: LazyLock<(Extension, Vec<String>)> = LazyLock::new(|| {
    let host = Host::new().expect("a host");
    let code =
        host.compile(include_bytes!("../../tests/guests/built/echo.wasm")).expect("it compiles");
    let extension = host.extension(&code, Permissions::default()).expect("it links");
    let names = extension.exports().iter().map(|function| function.name.clone());
    let echoes = names.filter(|name| name.starts_with("echo-")).collect();
    (extension, echoes)
});

fuzz_target!(|input: (u8, bool, &str)| {
    let (number, is_json, text) = input;
    let (extension, echoes) = &*ECHO;
    let function = &echoes[usize::from(number) % echoes.len()];
    let arguments =
        if is_json { Arguments::Json(text.to_owned()) } else { Arguments::words([text]) };
    let Ok(value) = extension.call_blocking(function, &arguments).outcome else { return };
    let again =
        extension.call_blocking(function, &Arguments::Json(format!("[{}]", value.to_json())));
    let again = again
        .outcome
        .unwrap_or_else(|error| panic!("{function}: {} from {text:?}: {error}", value.to_json()));
    assert_eq!(again.to_json().to_string(), value.to_json().to_string(), "{function} of {text:?}");
});
