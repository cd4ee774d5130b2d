//! Valid modules of any shape: the generator's module is compiled, linked without a grant and
//! called, each for a second at most and with little memory. It ends in a value, a trap or at a
//! limit.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use core_types::{EffectiveLimits, Permissions, parse_toml};
use extension_host::{Arguments, CallError, Host};
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use wasm_smith::{Config, Module};

/// Small, so that an endless module costs the fuzzer a second at most.
const LIMITS: &str = "max_fuel = 5_000_000\ntimeout_ms = 1_000\nmax_memory_mib = 64";
/// The exports of each module, with the arguments of their calls.
const FUNCTIONS: [(&str, &[&str]); 4] =
    [("none", &[]), ("one", &["-1"]), ("all", &["7", "-7", "0.5", "-0.5"]), ("nothing", &["9"])];
const EXPORTS: &str = r#"(module
    (func (export "none") (result i32) unreachable)
    (func (export "one") (param i64) (result f64) unreachable)
    (func (export "all") (param i32 i64 f32 f64) (result i64) unreachable)
    (func (export "nothing") (param i32))
    (memory (export "memory") 1))"#;

static EXPORTED: LazyLock<Vec<u8>> = LazyLock::new(|| wat::parse_str(EXPORTS).expect("a module"));
static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("a host"));

/// The proposals that sesame enables, without imports: a module with unknown imports is not linked.
fn config() -> Config {
    Config {
        exports: Some(EXPORTED.clone()),
        max_imports: 0,
        // The exported memory is added to these.
        max_memories: 0,
        memory64_enabled: false,
        compact_imports_enabled: false,
        custom_page_sizes_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        relaxed_simd_enabled: false,
        shared_everything_threads_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        bulk_memory_enabled: true,
        multi_value_enabled: true,
        reference_types_enabled: false,
        simd_enabled: true,
        ..Config::default()
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(module) = Module::new(config(), &mut Unstructured::new(bytes)) else { return };
    let code = HOST.compile(&module.to_bytes()).expect("what is good compiles");
    let limits = EffectiveLimits::new(&parse_toml(LIMITS).expect("limits").value, &[]);
    let extension = HOST
        .extension(&code, Permissions { limits, ..Permissions::default() })
        .expect("it imports nothing");
    for (name, arguments) in FUNCTIONS {
        let report = extension.call_blocking(name, &Arguments::words(arguments.iter().copied()));
        let is_called = !matches!(
            report.outcome,
            Err(CallError::NoSuchFunction { .. } | CallError::Argument(_))
        );
        assert!(is_called, "{name}: {:?}", report.outcome);
        assert!(
            report.usage.elapsed < Duration::from_secs(2),
            "{name}: {:?}",
            report.usage.elapsed
        );
    }
});
