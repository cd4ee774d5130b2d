//! The committed guests are built from their sources.

use std::collections::BTreeSet;
use std::path::Path;

use extension_host::Host;

use crate::support::root;

const GUESTS: [&str; 12] = [
    "daily-note",
    "desktop",
    "echo",
    "greeting",
    "greeting-sdk",
    "hostile",
    "ingress-as",
    "labels-rs",
    "low-battery",
    "probe",
    "probe-0-3",
    "take-a-break",
];

fn built(name: &str) -> Vec<u8> {
    let path = root().join("tests/guests/built").join(format!("{name}.wasm"));
    std::fs::read(path).expect(name)
}

/// Returns the exports of a component, and its imports beside WASI, whose version moves with the
/// compiler.
fn interface(binary: &[u8]) -> BTreeSet<String> {
    let host = Host::new().expect("a host");
    let code = host.compile(binary).expect("it compiles");
    let imports = host.imports(&code).into_iter().map(|import| format!("imports {}", import.name));
    let exports = host.exports(&code).into_iter().map(|function| format!("exports {function}"));
    imports.filter(|import| !import.starts_with("imports wasi:")).chain(exports).collect()
}

#[test]
fn greetings_share_a_world() {
    assert_eq!(interface(&built("greeting")), interface(&built("greeting-sdk")));
    let expected = [
        "exports greet: func(name: string) -> string",
        "imports open-sesame:host/config-read@0.1.1",
    ];
    assert_eq!(interface(&built("greeting")), expected.map(str::to_owned).into());
}

#[test]
#[ignore = "needs guests rebuilt by `cargo xtask guests`, in SESAME_GUESTS_OUT"]
fn rebuilt_guests_have_same_world() {
    let rebuilt =
        std::env::var_os("SESAME_GUESTS_OUT").expect("SESAME_GUESTS_OUT names the folder");
    for name in GUESTS {
        let path = Path::new(&rebuilt).join(format!("{name}.wasm"));
        let rebuilt =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(interface(&rebuilt), interface(&built(name)), "{name}");
    }
}
