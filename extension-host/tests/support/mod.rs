//! What the tests of this crate share.
#![allow(dead_code, reason = "each test uses a part of it")]

use core_types::{Capabilities, Ceilings, EffectiveLimits, LimitName, LimitOrigin, parse_toml};
use extension_host::{Arguments, CallError, CallReport, Extension, Host, HostError, Permissions};

pub const ECHO: &[u8] = include_bytes!("../../../tests/guests/built/echo.wasm");
pub const GREETING: &[u8] = include_bytes!("../../../tests/guests/built/greeting.wasm");
pub const GREETING_SDK: &[u8] = include_bytes!("../../../tests/guests/built/greeting-sdk.wasm");
pub const HOSTILE: &[u8] = include_bytes!("../../../tests/guests/built/hostile.wasm");

/// Permissions from the text of a manifest's `[capabilities]` and `[limits]`.
pub fn permissions(capabilities: &str, limits: &str) -> Permissions {
    let capabilities: Capabilities = parse_toml(capabilities).expect(capabilities).value;
    let limits = EffectiveLimits::new(&parse_toml(limits).expect(limits).value, &[]);
    Permissions { capabilities, limits, ..Default::default() }
}

/// An extension with these limits and nothing granted.
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

/// The text that a call returns.
pub fn text(extension: &Extension, function: &str, arguments: &[&str]) -> String {
    let report = call(extension, function, arguments);
    report.outcome.unwrap_or_else(|error| panic!("{function}: {error:?}")).to_text()
}

/// Makes sure that the call went over this limit and that the message says its value and where it was set.
#[track_caller]
pub fn assert_exceeded(report: &CallReport, name: LimitName, value: u64, origin: LimitOrigin) {
    match &report.outcome {
        Err(CallError::Limit(exceeded)) => {
            let limit = &exceeded.limit;
            assert_eq!((limit.name, limit.value, &limit.origin), (name, value, &origin), "{exceeded}");
        }
        other => panic!("{name} is not what stopped it: {other:?}"),
    }
}

pub fn ceilings(limits: &str) -> Ceilings {
    Ceilings { limits: parse_toml(limits).expect(limits).value, source: "/etc/pds/policy.toml".into() }
}
