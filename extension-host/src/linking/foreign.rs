//! Imports of other hosts. A binary for another host cannot run here, and its imports tell for
//! which host it was made, so that the user learns what to do instead.

use super::signs::{SIGNS, Sign};

/// The host, toolchain or draft that an import belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignHost {
    /// Its name.
    pub name: &'static str,
    /// The way out, in one line.
    pub instead: &'static str,
    /// Its rank among all. Of several, the one with the lowest says the most about a binary: a
    /// plug-in system says more than a toolchain, and WASI the least.
    pub rank: usize,
}

/// The rank of drafts, releases and proposals of WASI, which binaries for many hosts import.
const WASI: usize = SIGNS.len();

const WASI_2_DRAFT: ForeignHost = ForeignHost {
    name: "a draft of WASI 0.2",
    instead: "build it again with current tools, for `wasm32-wasip2`",
    rank: WASI,
};
/// The packages of 2023 that have other names in WASI 0.2.
const DRAFT_PACKAGES: [&str; 2] = ["wasi:cli-base", "wasi:poll"];
/// The drafts of WASI, by the beginning of their versions.
const DRAFTS: [(&str, ForeignHost); 2] = [
    ("0.2.0-", WASI_2_DRAFT),
    (
        "0.3.0-",
        ForeignHost {
            name: "a draft of WASI 0.3",
            instead: "build it again with tools of WASI 0.3.0 or of 0.2",
            rank: WASI,
        },
    ),
];
#[cfg(not(feature = "wasi-0-3"))]
const WASI_3: ForeignHost = ForeignHost {
    name: "WASI 0.3, which this build of sesame does not have",
    instead: "use a sesame that was built with the feature `wasi-0-3`, or build it for WASI 0.2",
    rank: WASI,
};
const WASI_OTHER: ForeignHost = ForeignHost {
    name: "a proposal of WASI that sesame does not have",
    instead: "build it without it",
    rank: WASI,
};

/// Returns the host of a module's namespace with the sign of it. The module imports these functions
/// of it, and all these namespaces.
pub(crate) fn of_namespace(
    namespace: &str,
    functions: &[&str],
    all: &[&str],
) -> Option<(ForeignHost, &'static Sign)> {
    let mut signs = SIGNS.iter().enumerate();
    let (rank, sign) = signs.find(|(_, sign)| sign.fits(namespace, functions, all))?;
    Some((ForeignHost { name: sign.name, instead: sign.instead, rank }, sign))
}

/// Returns the host of a component's interface, of whose package this host has nothing.
pub(crate) fn of_interface(name: &str) -> Option<ForeignHost> {
    let (package, _) = name.split_once('/').unwrap_or((name, ""));
    if DRAFT_PACKAGES.contains(&package) {
        return Some(WASI_2_DRAFT);
    }
    if name.starts_with("wasi:") {
        return Some(WASI_OTHER);
    }
    // A plain name is its author's choice, and says nothing.
    let host = || of_namespace(name, &[], &[]).map(|(host, _)| host);
    name.contains(':').then(host).flatten()
}

/// Returns the draft or release of WASI that has this version of an interface, where this host has
/// the package as another release of WASI has it. Proposals count their drafts for themselves. The
/// drafts of 2023 had no versions.
pub(crate) fn of_release(version: Option<&str>) -> Option<ForeignHost> {
    let Some(version) = version else { return Some(WASI_2_DRAFT) };
    let draft = DRAFTS.iter().find(|(beginning, _)| version.starts_with(beginning));
    draft.map(|(_, draft)| *draft).or_else(|| of_wasi_0_3(version))
}

/// Describes WASI 0.3 in a build without it. A build with it has other words for missing
/// interfaces.
#[cfg(not(feature = "wasi-0-3"))]
fn of_wasi_0_3(version: &str) -> Option<ForeignHost> {
    version.starts_with("0.3.").then_some(WASI_3)
}

#[cfg(feature = "wasi-0-3")]
fn of_wasi_0_3(_: &str) -> Option<ForeignHost> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linking::signs::{EMSCRIPTEN, SOROBAN, STRIPPED};

    fn name(namespace: &str, functions: &[&str]) -> &'static str {
        name_among(namespace, functions, &[namespace])
    }

    fn name_among(namespace: &str, functions: &[&str], all: &[&str]) -> &'static str {
        of_namespace(namespace, functions, all).map_or("unknown", |(host, _)| host.name)
    }

    #[test]
    fn other_namespaces_are_named() {
        for (namespace, functions, expected) in [
            ("extism:host/user", &["my_function"][..], "Extism"),
            ("env", &["extism_input_length"], "Extism"),
            ("env", &["abort", "proxy_log"], "proxy-wasm, such as Envoy filters"),
            ("env", &["ext_storage_get_version_1"], "a Substrate runtime"),
            ("env", &["memory"], "a host that gives it its memory"),
            ("env", &["__linear_memory"], "linking: it is an object file or a shared library"),
            ("zellij", &["host_run_plugin_command"], "zellij"),
            ("wapc", &["__guest_request"], "waPC, such as Kubewarden policies"),
            ("wasmbus", &["__host_call"], "an old wasmCloud (`wasmbus`)"),
            ("wasix_32v1", &[], "WASIX"),
            ("env", &["__faasm_read_state"], "Faasm"),
            ("env", &["return_result", "return_error"], "Suborbital"),
            ("env", &["return_result"], "unknown"),
            ("env", &["textUtf8"], "WASM-4"),
            ("env", &["tone", "blit"], "WASM-4"),
            ("env", &["tone"], "unknown"),
            ("env", &["blit", "other"], "unknown"),
            ("wasi_unstable", &["fd_write"], "a draft of WASI 0.1 of 2019"),
            ("wasi", &["thread-spawn"], "WASI threads"),
            ("wasi_snapshot_preview1", &["sock_setsockopt"], "WasmEdge"),
            ("wasi_snapshot_preview1", &["sock_accept_v2"], "WasmEdge"),
            ("wasi_snapshot_preview1", &["sock_send", "fd_wrote"], "unknown"),
            ("env", &["my_function", "ext_x"], "unknown"),
            ("zellij2", &[], "unknown"),
        ] {
            assert_eq!(name(namespace, functions), expected, "{namespace} {functions:?}");
        }
    }

    /// Modules of Spin 1 are told by the names that wit-bindgen gave to functions then.
    #[test]
    fn modules_of_spin_1_are_named() {
        for (namespace, functions, expected) in [
            ("wasi-outbound-http", &["request"][..], "Spin"),
            ("key-value", &["open: func(name: string) -> expected<u32, error>"], "Spin"),
            ("config", &["get-config: func(key: string) -> expected<string, error>"], "Spin"),
            ("key-value", &["open"], "unknown"),
            ("config", &["get: function(", "func("], "unknown"),
        ] {
            assert_eq!(name(namespace, functions), expected, "{namespace} {functions:?}");
        }
    }

    #[test]
    fn javascript_is_named() {
        for (namespace, functions, expected) in [
            ("env", &["emscripten_resize_heap"][..], EMSCRIPTEN),
            ("env", &["invoke_vi"], EMSCRIPTEN),
            ("env", &["invoke_model"], "unknown"),
            ("env", &["invoke_"], "unknown"),
            ("env", &["mono_wasm_release_cs_owned_object", "emscripten_x"], ".NET for browsers"),
            ("gojs", &[], "Go for browsers (`GOOS=js`)"),
            ("env", &["runtime.ticks"], "Go for browsers (TinyGo)"),
            ("env", &["syscall/js.valueGet"], "Go for browsers (TinyGo)"),
            ("__wbindgen_placeholder__", &[], "wasm-bindgen, for JavaScript"),
            ("./snippets/app-0a/inline0.js", &[], "wasm-bindgen, for JavaScript"),
            ("./app_bg.js", &[], "a JavaScript module beside it"),
            ("https://esm.sh/app@1.0.0", &["f"], "a JavaScript module of the web"),
            ("intrinsics", &["tag"], "Kotlin for browsers (`wasmJs`)"),
            ("env", &["seed"], "AssemblyScript, for JavaScript"),
            ("env", &["Date.now", "mine"], "AssemblyScript, for JavaScript"),
            ("env", &["console"], "unknown"),
            ("env", &["abort"], "unknown"),
        ] {
            assert_eq!(name(namespace, functions), expected, "{namespace} {functions:?}");
        }
    }

    #[test]
    fn contracts_of_chains_are_named() {
        for (namespace, functions, expected) in [
            ("seal0", &["seal_input"][..], "Polkadot contracts"),
            ("env", &["seal_input"], "Polkadot contracts"),
            ("env", &["ext_scratch_size"], "Polkadot contracts"),
            ("env", &["gr_reply"], "Gear, such as Vara"),
            ("env", &["addr_humanize"], "CosmWasm"),
            ("env", &["log_utf8"], "NEAR"),
            ("env", &["input", "value_return"], "NEAR"),
            ("env", &["input"], "unknown"),
            ("env", &["db_store_i64"], "EOSIO, such as EOS"),
            ("env", &["require_auth"], "EOSIO, such as EOS"),
            ("env", &["casper_read_value"], "Casper"),
            ("env", &["mBufferNew", "signalError"], "MultiversX"),
            ("env", &["managedMemory"], "unknown"),
            ("concordium", &[], "Concordium"),
            ("ethereum", &["useGas"], "Ethereum"),
        ] {
            assert_eq!(name(namespace, functions), expected, "{namespace} {functions:?}");
        }
    }

    /// One letter is the name of a namespace of Emscripten and of Soroban.
    #[test]
    fn letters_are_told_by_the_others() {
        for (namespace, functions, all, expected) in [
            ("a", &["b", "c"][..], &["a"][..], EMSCRIPTEN),
            ("a", &["Za"], &["a", "env"], EMSCRIPTEN),
            ("a", &["b"], &["a", "z"], "unknown"),
            ("a", &["add", "_"], &["a"], "unknown"),
            ("a", &["b"], &["a", "l"], SOROBAN),
            ("v", &["g"], &["i", "v"], SOROBAN),
            ("l", &["_"], &["l"], SOROBAN),
            ("l", &["log"], &["l"], "unknown"),
            ("v", &["g"], &["env", "v"], "unknown"),
        ] {
            assert_eq!(name_among(namespace, functions, all), expected, "{namespace} {all:?}");
        }
    }

    /// The core module of a component is told by names that only the component model has.
    #[test]
    fn stripped_module_is_named() {
        for (namespace, function) in [
            ("wasi:cli/stdout@0.2.0", "get-stdout"),
            ("wasi:io/streams@0.2.0", "[resource-drop]output-stream"),
            ("open-sesame:host/log@0.1.1", "log"),
            ("cm32p2|wasi:cli/stdout@0.2", "get-stdout"),
            ("$root", "f"),
            ("[export]acme:db/store", "f"),
            ("store", "[resource-drop]row"),
        ] {
            assert_eq!(name(namespace, &[function]), STRIPPED, "{namespace}");
        }
        assert_eq!(name("fermyon:spin/llm@2.0.0", &["infer"]), "Spin");
    }

    /// A module that is not linked, or gets its memory, is first of all for its host.
    #[test]
    fn ranks_put_hosts_first() {
        let rank = |namespace, function| {
            of_namespace(namespace, &[function], &[]).map(|(host, _)| host.rank).expect("a host")
        };
        let ranks = [
            rank("seal0", "seal_input"),
            rank("env", "emscripten_resize_heap"),
            rank("env", "seed"),
            rank("wasi:cli/stdout@0.2.0", "get-stdout"),
            rank("env", "__linear_memory"),
            rank("env", "memory"),
            rank("wasi_unstable", "fd_write"),
            WASI_OTHER.rank,
        ];
        assert!(ranks.is_sorted(), "{ranks:?}");
    }

    #[test]
    fn other_interfaces_are_named() {
        let name = |host: Option<ForeignHost>| host.map_or("unknown", |host| host.name);
        for (interface, expected) in [
            ("fermyon:spin/llm", "Spin"),
            ("zed:extension/process", "Zed"),
            ("wasi:nn/tensor", WASI_OTHER.name),
            ("wasi:poll/poll", WASI_2_DRAFT.name),
            ("wasi:cli-base/environment", WASI_2_DRAFT.name),
            // A function of a world can have any name.
            ("go", "unknown"),
        ] {
            assert_eq!(name(of_interface(interface)), expected, "{interface}");
        }
        for (version, expected) in [
            (None, "a draft of WASI 0.2"),
            (Some("0.3.0-rc-2025-09-16"), "a draft of WASI 0.3"),
            (Some("0.2.0-rc-2023-12-05"), "a draft of WASI 0.2"),
            (Some("0.2.3"), "unknown"),
            #[cfg(not(feature = "wasi-0-3"))]
            (Some("0.3.1"), WASI_3.name),
        ] {
            assert_eq!(name(of_release(version)), expected, "{version:?}");
        }
    }
}
