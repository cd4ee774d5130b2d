//! The parts that the tests of this crate share.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::PathBuf;
use std::sync::LazyLock;

use core_types::{Capabilities, Ceilings, EffectiveLimits, LimitName, LimitOrigin, parse_toml};
use extension_host::{Arguments, CallError, CallReport, Extension, Host, HostError, Permissions};

pub static DESKTOP: LazyLock<Vec<u8>> = LazyLock::new(|| guest("desktop"));
pub static ECHO: LazyLock<Vec<u8>> = LazyLock::new(|| guest("echo"));
pub static GREETING: LazyLock<Vec<u8>> = LazyLock::new(|| guest("greeting"));
pub static GREETING_SDK: LazyLock<Vec<u8>> = LazyLock::new(|| guest("greeting-sdk"));
pub static HOSTILE: LazyLock<Vec<u8>> = LazyLock::new(|| guest("hostile"));
pub static PROBE: LazyLock<Vec<u8>> = LazyLock::new(|| guest("probe"));
pub static PROBE_0_3: LazyLock<Vec<u8>> = LazyLock::new(|| guest("probe-0-3"));

/// The ways in which the guest for WASI 0.3 makes the host keep more and more.
pub const WAYS_TO_GROW: [&str; 19] = [
    "append",
    "append-names",
    "set-many",
    "set-large",
    "from-list",
    "clone",
    "requests",
    "answers",
    "options",
    "streams",
    "futures",
    "kept-writers",
    "tasks",
    "sleepers",
    "pipes",
    "dropped-pipes",
    "inputs",
    "dropped-inputs",
    "sockets",
];

/// Returns the committed component of a guest, or one from the folder that SESAME_BUILT_GUESTS
/// names.
fn guest(name: &str) -> Vec<u8> {
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/guests/built");
    let folder =
        std::env::var_os("SESAME_BUILT_GUESTS").map_or_else(|| committed.into(), PathBuf::from);
    std::fs::read(folder.join(format!("{name}.wasm"))).expect(name)
}

/// Makes permissions from the text of a manifest's `[capabilities]` and `[limits]`.
pub fn permissions(capabilities: &str, limits: &str) -> Permissions {
    let capabilities: Capabilities = parse_toml(capabilities).expect(capabilities).value;
    let limits = EffectiveLimits::new(&parse_toml(limits).expect(limits).value, &[]);
    Permissions { limits, ..Permissions::of(capabilities) }
}

/// Links an extension with these limits and without grants.
pub fn extension(binary: &[u8], limits: &str) -> Extension {
    try_extension(binary, permissions("", limits)).expect("it links")
}

pub fn try_extension(binary: &[u8], permissions: Permissions) -> Result<Extension, HostError> {
    let host = Host::new().expect("a host");
    let code = host.compile(binary).expect("it compiles");
    host.extension(&code, permissions)
}

pub fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("valid text format")
}

pub fn call(extension: &Extension, function: &str, arguments: &[&str]) -> CallReport {
    extension.call_blocking(function, &Arguments::words(arguments.iter().copied()))
}

/// Calls a function and returns its text.
pub fn text(extension: &Extension, function: &str, arguments: &[&str]) -> String {
    let report = call(extension, function, arguments);
    report.outcome.unwrap_or_else(|error| panic!("{function}: {error:?}")).to_text()
}

/// Returns the value, or the error that the guest returned.
pub fn said(extension: &Extension, function: &str, arguments: &[&str]) -> Result<String, String> {
    let returned = call(extension, function, arguments)
        .outcome
        .unwrap_or_else(|error| panic!("{function}: {error:?}"));
    if returned.is_err() { Err(returned.to_text()) } else { Ok(returned.to_text()) }
}

/// Checks that the call exceeded this limit, and that the message has its value and origin.
#[track_caller]
pub fn assert_exceeded(report: &CallReport, name: LimitName, value: u64, origin: LimitOrigin) {
    match &report.outcome {
        Err(CallError::Limit(exceeded)) => {
            let limit = &exceeded.limit;
            assert_eq!(
                (limit.name, limit.value, &limit.origin),
                (name, value, &origin),
                "{exceeded}"
            );
        }
        other => panic!("{name} is not what stopped it: {other:?}"),
    }
}

pub fn ceilings(limits: &str) -> Ceilings {
    Ceilings {
        limits: parse_toml(limits).expect(limits).value,
        source: "/etc/pds/policy.toml".into(),
    }
}
