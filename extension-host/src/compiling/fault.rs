//! The meaning of the compiler's refusal of a binary: a disabled feature, or invalid bytes.
//! Wasmtime says so only in words with an offset into the binary, which help only its developers.

use wasmtime::Error;

/// Why the compiler refuses a binary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileFault {
    /// It uses a disabled feature of WebAssembly.
    #[error("it uses {feature}, which sesame does not run: {instead} ({message})")]
    Feature {
        /// The feature.
        feature: &'static str,
        /// How to build without it.
        instead: &'static str,
        /// The words of the compiler.
        message: String,
    },
    /// The bytes end too early.
    #[error("the binary is damaged or was cut short: get it again ({message})")]
    CutShort {
        /// The words of the compiler.
        message: String,
    },
    /// The bytes are not valid WebAssembly.
    #[error(
        "the binary is not valid WebAssembly: it is damaged, or a faulty tool made it ({message})"
    )]
    Invalid {
        /// The words of the compiler.
        message: String,
    },
    /// The compiler has a limit of its own, such as on the size of a function.
    #[error("{message}")]
    Other {
        /// The words of the compiler.
        message: String,
    },
}

/// A disabled feature, with the words by which the validator refuses it.
struct OffFeature {
    words: &'static [&'static str],
    name: &'static str,
    instead: &'static str,
}

/// Words of more than one feature stand with the one that is looked for first. The proposals that
/// Wasmtime enables by default are here too, for hosts that disable one.
const FEATURES: &[OffFeature] = &[
    off(
        &["shared-everything-threads", "thread.spawn"],
        "shared-everything threads",
        "build it without threads",
    ),
    off(
        &["threads must be enabled", "threads support is not enabled"],
        "threads (shared memory and atomic instructions)",
        "build it without `-pthread`, and Rust without `-C target-feature=+atomics`",
    ),
    off(
        &["legacy_exceptions", "legacy exceptions"],
        "the old form of exceptions",
        "build it with `-fwasm-exceptions -mllvm -wasm-use-legacy-eh=false`, or without exceptions",
    ),
    off(
        &["stack switching", "continuation"],
        "stack switching",
        "build it without `--enable-stack-switching`",
    ),
    off(
        &["wide arithmetic"],
        "wide arithmetic",
        "build it without `-mwide-arithmetic` (`+wide-arithmetic`)",
    ),
    off(
        &["custom page sizes", "custom-page-sizes"],
        "custom page sizes",
        "link it without `--page-size`",
    ),
    off(&["memory control"], "memory control", "build it without `memory.discard`"),
    off(
        &["custom descriptors"],
        "custom descriptors",
        "build it with `--disable-custom-descriptors`",
    ),
    off(
        &["compact import", "compact-imports"],
        "compact imports",
        "build it without `--enable-compact-imports`",
    ),
    off(
        &["multiple memories", "multi-memory", "multi_memory"],
        "several memories",
        "build it with one memory",
    ),
    off(&["tail calls"], "tail calls", "build it without `-mtail-call` (`+tail-call`)"),
    off(&["relaxed SIMD"], "relaxed SIMD", "build it without `-mrelaxed-simd` (`+relaxed-simd`)"),
    off(&["memory64 must be enabled"], "memories of 64 bits", "build it for `wasm32`"),
    off(
        &["gc feature", "gc proposal", "gc support", "gc types", "`gc` proposal"],
        "garbage collection of WebAssembly",
        "build it without `-mgc`",
    ),
    off(
        &["exceptions proposal", "exceptions support", "exception handling feature"],
        "exceptions",
        "build it without `-fwasm-exceptions`",
    ),
    off(
        &["function references", "function-references"],
        "typed function references",
        "build it without them",
    ),
    off(
        &["more async builtins", "async stackful", "component model threading"],
        "an unfinished part of asynchronous components",
        "build it with tools of WASI 0.3.0",
    ),
    off(
        &["component model async", "async component functions"],
        "asynchronous components (WASI 0.3)",
        "build it for WASI 0.2, or use a sesame that was built with the feature `wasi-0-3`",
    ),
    off(&["error-context"], "the type `error-context`", "build it with tools of WASI 0.3.0"),
    off(
        &["fixed-length lists", "Fixed-length lists"],
        "lists of a fixed length",
        "use `list` or `tuple` in its WIT",
    ),
    off(
        &["component model map", "Maps require"],
        "the type `map`",
        "use a list of tuples in its WIT",
    ),
    off(&["component model `value`s"], "values of components", "export functions in their place"),
    off(&["cm64", "component model 64-bit"], "components of 64 bits", "build it for `wasm32`"),
    off(
        &["`cm-gc`", "component model gc"],
        "components with garbage collection",
        "build it without it",
    ),
    off(&["cm-implements"], "`implements` in names of components", "import each interface once"),
    off(&["cm-canon-names"], "canonical names of components", "build it with released tools"),
    off(
        &["nested names", "cm-nested-names"],
        "nested names of components",
        "build it with released tools",
    ),
];

const fn off(
    words: &'static [&'static str],
    name: &'static str,
    instead: &'static str,
) -> OffFeature {
    OffFeature { words, name, instead }
}

/// Words with which parsing ends for want of bytes.
const CUT_SHORT: &[&str] =
    &["unexpected end", "section out of bounds", "out of bounds of the binary"];

/// Words around the reasons of the validator.
const INVALID: &[&str] = &["(at offset 0x", "Invalid input WebAssembly code at offset"];

impl CompileFault {
    /// Translates an error of the compiler.
    pub(crate) fn of(error: &Error) -> Self {
        Self::of_message(error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": "))
    }

    fn of_message(message: String) -> Self {
        let has = |words: &[&str]| words.iter().any(|words| message.contains(words));
        if let Some(feature) = FEATURES.iter().find(|feature| has(feature.words)) {
            return Self::Feature { feature: feature.name, instead: feature.instead, message };
        }
        match (has(INVALID), has(CUT_SHORT)) {
            (true, true) => Self::CutShort { message },
            (true, false) => Self::Invalid { message },
            (false, _) => Self::Other { message },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Host, HostError};

    fn fault(wat: &str) -> CompileFault {
        fault_of(&wat::parse_str(wat).expect("valid text"))
    }

    fn fault_of(binary: &[u8]) -> CompileFault {
        match Host::new().expect("a host").compile(binary).map(drop) {
            Err(HostError::Fault(fault)) => fault,
            other => panic!("{other:?}"),
        }
    }

    /// A disabled feature is named, whether the types of a module use it or the code of a function.
    #[test]
    fn off_features_are_named() {
        for (wat, expected) in [
            ("(module (memory 1 1 shared))", "threads (shared memory and atomic instructions)"),
            (
                "(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))",
                "threads (shared memory and atomic instructions)",
            ),
            ("(module (func try catch_all end))", "the old form of exceptions"),
            ("(module (type $f (func)) (type (cont $f)))", "stack switching"),
            (
                "(module (func (param i64 i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 1))))",
                "wide arithmetic",
            ),
            ("(module (memory 1 (pagesize 1)))", "custom page sizes"),
            ("(module (table shared 1 (ref null (shared func))))", "shared-everything threads"),
            (
                "(component (import \"x\" (func (param \"l\" (list u8 4)))))",
                "lists of a fixed length",
            ),
            ("(component (import \"x\" (func (param \"m\" (map string u8)))))", "the type `map`"),
            ("(component (core func (canon error-context.drop)))", "the type `error-context`"),
        ] {
            match fault(wat) {
                CompileFault::Feature { feature, .. } => assert_eq!(feature, expected, "{wat}"),
                other => panic!("{wat}: {other}"),
            }
        }
    }

    #[test]
    fn feature_names_way_out() {
        insta::assert_snapshot!(fault("(module (memory 1 1 shared))"), @"it uses threads (shared memory and atomic instructions), which sesame does not run: build it without `-pthread`, and Rust without `-C target-feature=+atomics` (failed to parse WebAssembly module: threads must be enabled for shared memories (at offset 0xb))");
    }

    /// Offsets never stand alone.
    #[test]
    fn damaged_binary_is_explained() {
        let module = wat::parse_str("(module (func (export \"f\") (result i32) (i32.const 1)))")
            .expect("valid");
        insta::assert_snapshot!(fault_of(&module[..module.len() - 3]), @"the binary is damaged or was cut short: get it again (failed to parse WebAssembly module: unexpected end-of-file (at offset 0x1e))");
        insta::assert_snapshot!(fault_of(&[&module[..8], &[0xff, 0xff]].concat()), @"the binary is not valid WebAssembly: it is damaged, or a faulty tool made it (failed to parse WebAssembly module: malformed section id (at offset 0x8))");
        insta::assert_snapshot!(fault("(module (func (result i32) (i64.const 1)))"), @"the binary is not valid WebAssembly: it is damaged, or a faulty tool made it (failed to compile: wasm[0]::function[0]: WebAssembly translation error: Invalid input WebAssembly code at offset 26: type mismatch: expected i32, found i64)");
        let host = Host::new().expect("a host");
        for length in 9..module.len() {
            // A cut at the end of a section can leave another valid module.
            match host.compile(&module[..length]).map(drop) {
                Ok(())
                | Err(HostError::Fault(
                    CompileFault::CutShort { .. } | CompileFault::Invalid { .. },
                )) => {}
                Err(other) => panic!("{length}: {other:?}"),
            }
        }
    }
}
