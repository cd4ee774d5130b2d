//! The settings under which code is compiled and run, and the name that they have in a cache.

use core_types::Digest;
use sha2::{Digest as _, Sha256};
use wasmtime::{Config, Engine, ModuleVersionStrategy};

use crate::error::HostError;

/// The version of Wasmtime that this crate is pinned to. Code compiled by another, even by another
/// patch release, is never run: patches fix miscompilations. A test compares it with the lock file.
pub(crate) const WASMTIME_VERSION: &str = "48.0.8";

/// The version of the settings. Raise it when a change to [`config`] changes compiled code.
const SETTINGS_VERSION: u32 = 3;

/// Makes an engine that runs compiled code. It has no compiler in it, which is much of the cost of
/// an engine.
pub(crate) fn runtime_engine() -> Result<Engine, HostError> {
    let mut config = config();
    config.enable_compiler(false);
    Engine::new(&config).map_err(HostError::Engine)
}

/// Makes an engine that compiles. Its code runs in a [`runtime_engine`].
pub(crate) fn compiling_engine() -> Result<Engine, HostError> {
    let mut config = config();
    // Rayon makes the threads that compile, and panics where the system gives it none.
    config.parallel_compilation(std::thread::Builder::new().spawn(|| {}).is_ok());
    Engine::new(&config).map_err(HostError::Engine)
}

/// Makes the settings that both engines share.
///
/// Fuel alone interrupts a guest: it bounds computing exactly, and an asynchronous store hands
/// control back after each slice of it, which is when deadlines are checked. Epochs would do the
/// latter at twice the cost for code that computes, and need a thread that counts.
///
/// The proposals of WebAssembly are those that Wasmtime enables by default, since toolchains emit
/// them unasked: several memories, 64-bit memories, tail calls, exceptions, references, garbage
/// collection, relaxed SIMD. The memory limit counts all memories and the heap of the collector
/// together. Threads are off: shared memory could be changed while the host reads it. Relaxed SIMD
/// gives the same results on every processor.
fn config() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .relaxed_simd_deterministic(true)
        .max_wasm_stack(crate::limits::STACK_BYTES)
        .wasm_backtrace_max_frames(None);
    // Fails only for a version text that is too long.
    let _ = config.module_version(ModuleVersionStrategy::Custom(fingerprint()));
    config
}

/// Returns a name for everything that compiled code depends on besides the bytes: versions,
/// settings and the processor.
pub(crate) fn fingerprint() -> String {
    fingerprint_of(
        WASMTIME_VERSION,
        SETTINGS_VERSION,
        std::env::consts::ARCH,
        &processor_features(),
    )
}

fn fingerprint_of(wasmtime: &str, settings: u32, architecture: &str, features: &[&str]) -> String {
    let mut hash = Sha256::new();
    let concurrency = cfg!(feature = "wasi-0-3");
    hash.update(format!(
        "wasmtime {wasmtime} settings {settings} {architecture} concurrency {concurrency}"
    ));
    for feature in features {
        hash.update(feature);
        hash.update(" ");
    }
    // Half of a digest tells engines apart as well.
    Digest::from_sha256(hash.finalize().into()).hex()[..32].to_owned()
}

/// Returns the processor's features that Cranelift uses. Wasmtime checks them again when it loads
/// code; in the name they let machines that share a home directory keep their code side by side.
fn processor_features() -> Vec<&'static str> {
    macro_rules! detected {
        ($is_detected:ident: $($feature:tt)*) => {
            vec![$((std::arch::$is_detected!($feature), $feature)),*]
        };
    }
    #[cfg(target_arch = "x86_64")]
    let all = detected!(is_x86_feature_detected:
        "sse3" "ssse3" "sse4.1" "sse4.2" "popcnt" "avx" "avx2" "fma" "bmi1" "bmi2" "lzcnt" "cmpxchg16b"
        "avx512bitalg" "avx512dq" "avx512f" "avx512vl" "avx512vbmi" "avx512vnni" "avxvnni"
    );
    #[cfg(target_arch = "aarch64")]
    let all = detected!(is_aarch64_feature_detected: "lse" "paca" "fp16" "dotprod" "i8mm");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let all = Vec::<(bool, &str)>::new();
    all.into_iter().filter_map(|(there, feature)| there.then_some(feature)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_matches_lock_file() {
        let lock = include_str!("../../../Cargo.lock");
        let entry = format!("name = \"wasmtime\"\nversion = \"{WASMTIME_VERSION}\"\n");
        assert!(lock.contains(&entry), "Cargo.lock has another Wasmtime than {WASMTIME_VERSION}");
    }

    #[test]
    fn fingerprint_is_stable() {
        assert_eq!(fingerprint(), fingerprint());
        assert_eq!(fingerprint().len(), 32);
    }

    /// Code of other settings does not load even under our name.
    #[test]
    fn code_of_other_settings_is_refused() {
        type Change = fn(&mut Config) -> &mut Config;
        let changes: [(&str, Change); 7] = [
            ("no fuel", |config| config.consume_fuel(false)),
            ("epochs", |config| config.epoch_interruption(true)),
            ("custom page sizes", |config| config.wasm_custom_page_sizes(true)),
            ("wide arithmetic", |config| config.wasm_wide_arithmetic(true)),
            ("relaxed SIMD", |config| config.relaxed_simd_deterministic(false)),
            ("small memories", |config| config.memory_reservation(1 << 20)),
            ("another system", |config| config.target("x86_64-unknown-freebsd").expect("known")),
        ];
        let engine = runtime_engine().expect("an engine");
        let load = |config: &Config| {
            let code = Engine::new(config)
                .and_then(|engine| engine.precompile_module(b"\0asm\x01\0\0\0"))
                .expect("compiled");
            let mut file = tempfile::tempfile().expect("a file");
            std::io::Write::write_all(&mut file, &code).expect("written");
            crate::Code::from_checked_file(&engine, &file)
        };
        assert!(load(&config()).is_ok());
        for (name, change) in changes {
            let mut config = config();
            change(&mut config);
            assert!(load(&config).is_err(), "{name}");
        }
    }

    /// Each version, setting and feature is in the fingerprint.
    #[test]
    fn fingerprint_covers_all_settings() {
        let features = ["sse3", "avx", "avx2"];
        let fingerprints = [
            fingerprint_of("48.0.8", 2, "x86_64", &features),
            fingerprint_of("48.0.9", 2, "x86_64", &features),
            fingerprint_of("48.0.8", 3, "x86_64", &features),
            fingerprint_of("48.0.8", 2, "aarch64", &features),
            fingerprint_of("48.0.8", 2, "x86_64", &features[..2]),
            fingerprint_of("48.0.8", 2, "x86_64", &features[1..]),
            fingerprint_of("48.0.8", 2, "x86_64", &["sse3", "avxavx2"]),
            fingerprint_of("48.0.8", 2, "x86_64", &[]),
            fingerprint_of("48.0.8", 22, "x86_64", &[]),
        ];
        let different = std::collections::BTreeSet::from(fingerprints.clone());
        assert_eq!(different.len(), fingerprints.len());
        let ours = fingerprint_of(
            WASMTIME_VERSION,
            SETTINGS_VERSION,
            std::env::consts::ARCH,
            &processor_features(),
        );
        assert_eq!(fingerprint(), ours);
    }
}
