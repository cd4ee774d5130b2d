//! Imports of other hosts. A binary for another host cannot run here, and its imports tell for
//! which host it was made, so that the user learns what to do instead.

/// The host, toolchain or draft that an import belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignHost {
    /// Its name.
    pub name: &'static str,
    /// The way out, in one line.
    pub instead: &'static str,
}

/// Imports that identify a host. A `*` at the end of a pattern stands for any rest.
struct Sign {
    /// Patterns of the namespace of a module, or of the interface of a component.
    namespaces: &'static [&'static str],
    /// Patterns of functions, one of which has to be imported; empty where the namespace says
    /// enough.
    functions: &'static [&'static str],
    host: ForeignHost,
}

const fn sign(
    namespaces: &'static [&'static str],
    functions: &'static [&'static str],
    name: &'static str,
    instead: &'static str,
) -> Sign {
    Sign { namespaces, functions, host: ForeignHost { name, instead } }
}

const ENV: &[&str] = &["env"];

/// The first fitting sign counts, so that special ones stand before general ones.
const SIGNS: &[Sign] = &[
    // Plug-in systems.
    sign(&["extism:host/*"], &[], "Extism", "run it with an Extism host such as `extism call`"),
    sign(ENV, &["extism_*"], "Extism", "run it with an Extism host such as `extism call`"),
    sign(&["zellij"], &[], "zellij", "load it as a plugin in zellij"),
    sign(&["zed:*"], &[], "Zed", "install it as an extension in Zed"),
    sign(&["typst_env"], &[], "typst", "load it with `plugin` in a typst document"),
    sign(
        &["wapc"],
        &[],
        "waPC, such as Kubewarden policies",
        "run it with a waPC host such as `kwctl run`",
    ),
    sign(ENV, &["opa_*"], "Open Policy Agent", "evaluate it with `opa` or an SDK of it"),
    sign(&["kubewarden*"], &[], "Kubewarden", "run it with `kwctl run`"),
    sign(
        &["http_handler"],
        &[],
        "http-wasm",
        "load it in a server with http-wasm, such as Traefik",
    ),
    sign(
        ENV,
        &["proxy_*"],
        "proxy-wasm, such as Envoy filters",
        "load it in a proxy such as Envoy or Istio",
    ),
    sign(&["ig"], &[], "Inspektor Gadget", "run it with `ig run`"),
    sign(&["lunatic::*"], &[], "lunatic", "run it with `lunatic`"),
    sign(&["shopify_*"], &[], "Shopify Functions", "run it with `function-runner`"),
    sign(
        &["javy_*", "javy-*"],
        &[],
        "Javy, which keeps its engine in another module",
        "build it without `-C dynamic`",
    ),
    // Clouds.
    sign(&["fermyon:*", "spin:*", "spin-*", "spin"], &[], "Spin", "run it with `spin up`"),
    sign(&["wasmcloud:*", "wrpc:*"], &[], "wasmCloud", "run it with `wash`"),
    sign(
        &["fastly_*", "fastly:*"],
        &[],
        "Fastly Compute",
        "run it with `viceroy` or `fastly compute serve`",
    ),
    sign(&["golem:*"], &[], "Golem", "run it with `golem`"),
    sign(&["act:*"], &[], "ACT", "run it with a host of ACT"),
    sign(
        &["wasmedge*", "wasi_ephemeral_sock*"],
        &[],
        "WasmEdge",
        "run it with `wasmedge`, or build it for WASI",
    ),
    sign(
        &["wasi_snapshot_preview1"],
        &[
            "sock_open",
            "sock_bind",
            "sock_connect",
            "sock_listen",
            "sock_getaddrinfo",
            "sock_*sockopt",
            "sock_get*addr",
        ],
        "WasmEdge",
        "run it with `wasmedge`, or build it for `wasm32-wasip2`, which has sockets",
    ),
    sign(
        &["wasix_*"],
        &[],
        "WASIX",
        "run it with `wasmer`, or build it for `wasm32-wasip2` without WASIX",
    ),
    // Chains.
    sign(&["ic0"], &[], "the Internet Computer", "run it with `dfx`"),
    sign(&["seal0", "seal1", "seal2"], &[], "Polkadot contracts", "run it on such a chain"),
    sign(&["vm_hooks"], &[], "Arbitrum Stylus", "run it on such a chain"),
    sign(ENV, &["ext_*_version_*"], "a Substrate runtime", "run it on such a chain"),
    sign(ENV, &["db_read", "db_write", "addr_validate"], "CosmWasm", "run it on such a chain"),
    sign(ENV, &["promise_create", "storage_write"], "NEAR", "run it on such a chain"),
    // Browsers and engines of JavaScript.
    sign(
        &["gojs", "go"],
        &[],
        "Go for browsers (`GOOS=js`)",
        "build it with `GOOS=wasip1 GOARCH=wasm go build`",
    ),
    sign(
        &["wbg", "__wbindgen_*"],
        &[],
        "wasm-bindgen, for JavaScript",
        "build it for `wasm32-wasip2` without wasm-bindgen",
    ),
    sign(
        &["./*", "../*"],
        &[],
        "a JavaScript module beside it",
        "build it for WASI, without JavaScript",
    ),
    sign(&["dart2wasm", "dart:*"], &[], "Dart for browsers", "run it with JavaScript"),
    sign(
        &["js_code"],
        &[],
        "Kotlin for browsers (`wasmJs`)",
        "build it with the target `wasmWasi`",
    ),
    sign(&["wasm:js-string"], &[], "JavaScript and its strings", "run it with JavaScript"),
    sign(&["asyncify"], &[], "JavaScript with Asyncify", "run it with JavaScript"),
    sign(
        ENV,
        &[
            "emscripten_*",
            "_emscripten_*",
            "invoke_*",
            "__syscall_*",
            "_embind_*",
            "__cxa_*",
            "_emval_*",
            "_abort_js",
        ],
        "Emscripten, for JavaScript",
        "build it with the WASI SDK, or with `emcc -sSTANDALONE_WASM`",
    ),
    // Emscripten gives its imports names of one letter where it optimizes.
    sign(
        &["a"],
        &[],
        "Emscripten, for JavaScript",
        "build it with the WASI SDK, or with `emcc -sSTANDALONE_WASM`",
    ),
    sign(
        &["moonbit:*"],
        &[],
        "MoonBit's own runtime",
        "run it with `moon run`, or build a component of it",
    ),
    sign(
        &["spectest"],
        &[],
        "the tests of WebAssembly, or `println` of MoonBit",
        "run it with `moon run`, or build it without printing",
    ),
    // Modules that are not linked yet.
    sign(
        &["env", "GOT.*"],
        &[
            "__linear_memory",
            "__memory_base",
            "__table_base",
            "__indirect_function_table",
            "__stack_pointer",
        ],
        "linking: it is an object file or a shared library",
        "link it to a whole module, such as with `wasm-ld` or `wasm-tools component link`",
    ),
    sign(ENV, &["memory"], "a host that gives it its memory", "build it without `--import-memory`"),
    // WASI of other times.
    sign(
        &["wasi_unstable"],
        &[],
        "a draft of WASI 0.1 of 2019",
        "build it with current tools for `wasm32-wasip1`",
    ),
    sign(
        &["wasi"],
        &["thread-spawn"],
        "WASI threads",
        "build it without threads, for `wasm32-wasip1`",
    ),
    sign(
        &["wasi_ephemeral_*"],
        &[],
        "a proposal of WASI 0.1 that sesame does not have",
        "build it without it",
    ),
];

/// The drafts of WASI.
const DRAFTS: [(&str, ForeignHost); 2] = [
    (
        "0.2.0-",
        ForeignHost {
            name: "a draft of WASI 0.2",
            instead: "build it again with current tools, for `wasm32-wasip2`",
        },
    ),
    (
        "0.3.0-",
        ForeignHost {
            name: "a draft of WASI 0.3",
            instead: "build it again with tools of WASI 0.3.0 or of 0.2",
        },
    ),
];
#[cfg(not(feature = "wasi-0-3"))]
const WASI_3: ForeignHost = ForeignHost {
    name: "WASI 0.3, which this build of sesame does not have",
    instead: "use a sesame that was built with the feature `wasi-0-3`, or build it for WASI 0.2",
};
const WASI_OTHER: ForeignHost = ForeignHost {
    name: "a proposal of WASI that sesame does not have",
    instead: "build it without it",
};

/// Returns the host of a module's namespace, of which the module imports these functions.
pub(crate) fn of_namespace(namespace: &str, functions: &[&str]) -> Option<ForeignHost> {
    let names = |pattern: &&str, name: &str| matches(pattern, name);
    let fits = |sign: &&Sign| {
        sign.namespaces.iter().any(|pattern| names(pattern, namespace))
            && (sign.functions.is_empty()
                || functions
                    .iter()
                    .any(|name| sign.functions.iter().any(|pattern| names(pattern, name))))
    };
    SIGNS.iter().find(fits).map(|sign| sign.host)
}

/// Returns the host of a component's interface, by its name and version.
pub(crate) fn of_interface(name: &str, version: Option<&str>) -> Option<ForeignHost> {
    if !name.starts_with("wasi:") {
        // A plain name is its author's choice, and says nothing.
        return name.contains(':').then(|| of_namespace(name, &[])).flatten();
    }
    let version = version.unwrap_or_default();
    let draft = DRAFTS
        .iter()
        .find(|(beginning, _)| version.starts_with(beginning))
        .map(|(_, draft)| *draft);
    draft.or_else(|| of_wasi_0_3(version))
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

/// The interfaces of WASI that components export. A component that imports them stands before
/// another one.
const EXPORTED: [&str; 3] = ["wasi:http/handler", "wasi:http/incoming-handler", "wasi:cli/run"];

/// Describes a proposal of WASI that sesame does not implement.
pub(crate) fn of_proposal(name: &str) -> Option<ForeignHost> {
    (name.starts_with("wasi:") && !EXPORTED.contains(&name)).then_some(WASI_OTHER)
}

/// Tells whether a name fits a pattern. A `*` in it stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((beginning, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(beginning) else { return false };
    rest.is_empty()
        || (0..=name.len()).any(|at| name.get(at..).is_some_and(|name| matches(rest, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(namespace: &str, functions: &[&str]) -> &'static str {
        of_namespace(namespace, functions).map_or("unknown", |host| host.name)
    }

    #[test]
    fn other_namespaces_are_named() {
        for (namespace, functions, expected) in [
            ("extism:host/user", &["my_function"][..], "Extism"),
            ("env", &["extism_input_length"], "Extism"),
            ("env", &["abort", "proxy_log"], "proxy-wasm, such as Envoy filters"),
            ("env", &["emscripten_resize_heap"], "Emscripten, for JavaScript"),
            ("env", &["invoke_vi"], "Emscripten, for JavaScript"),
            ("a", &["b"], "Emscripten, for JavaScript"),
            ("env", &["ext_storage_get_version_1"], "a Substrate runtime"),
            ("env", &["memory"], "a host that gives it its memory"),
            ("env", &["__linear_memory"], "linking: it is an object file or a shared library"),
            ("zellij", &["host_run_plugin_command"], "zellij"),
            ("wapc", &["__guest_request"], "waPC, such as Kubewarden policies"),
            ("wasix_32v1", &[], "WASIX"),
            ("gojs", &[], "Go for browsers (`GOOS=js`)"),
            ("__wbindgen_placeholder__", &[], "wasm-bindgen, for JavaScript"),
            ("./app_bg.js", &[], "a JavaScript module beside it"),
            ("wasi_unstable", &["fd_write"], "a draft of WASI 0.1 of 2019"),
            ("wasi", &["thread-spawn"], "WASI threads"),
            ("wasi_snapshot_preview1", &["sock_setsockopt"], "WasmEdge"),
            ("wasi_snapshot_preview1", &["sock_send", "fd_wrote"], "unknown"),
            ("env", &["my_function", "ext_x"], "unknown"),
            ("zellij2", &[], "unknown"),
        ] {
            assert_eq!(name(namespace, functions), expected, "{namespace} {functions:?}");
        }
    }

    #[test]
    fn other_interfaces_are_named() {
        let name = |name, version| of_interface(name, version).map_or("unknown", |host| host.name);
        assert_eq!(name("fermyon:spin/llm", Some("2.0.0")), "Spin");
        assert_eq!(name("zed:extension/process", None), "Zed");
        assert_eq!(name("wasi:http/types", Some("0.3.0-rc-2025-09-16")), "a draft of WASI 0.3");
        assert_eq!(
            name("wasi:cli/environment", Some("0.2.0-rc-2023-12-05")),
            "a draft of WASI 0.2"
        );
        #[cfg(not(feature = "wasi-0-3"))]
        assert_eq!(name("wasi:http/types", Some("0.3.1")), WASI_3.name);
        assert_eq!(
            (of_proposal("wasi:nn/tensor"), of_proposal("wasi:http/handler")),
            (Some(WASI_OTHER), None)
        );
        assert_eq!(name("wasi:io/poll", Some("0.2.3")), "unknown");
        // A function of a world can have any name.
        assert_eq!(name("go", None), "unknown");
    }
}
