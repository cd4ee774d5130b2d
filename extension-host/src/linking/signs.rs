//! The table of the imports that identify other hosts.

/// Imports that identify a host. A `*` in a pattern stands for any characters.
pub(crate) struct Sign {
    /// Patterns of the namespace of a module, or of the interface of a component.
    namespaces: &'static [&'static str],
    /// Patterns of functions, some of which have to be imported; empty where the namespace says
    /// enough.
    functions: &'static [&'static str],
    /// The number of these functions that have to be imported: several where their names are
    /// common words.
    at_least: usize,
    /// Tells functions apart that patterns do not.
    shape: fn(&str) -> bool,
    beside: Beside,
    /// Whether only these functions belong to the host, and others of the namespace to anyone.
    pub(crate) names_functions: bool,
    /// The name of the host.
    pub(super) name: &'static str,
    /// The way out, in one line.
    pub(super) instead: &'static str,
}

/// The condition on the other namespaces of a module. A namespace of one letter alone could be
/// anything.
#[derive(Clone, Copy)]
enum Beside {
    Any,
    /// No other namespace of one letter.
    NoLetter,
    /// Another namespace of the sign.
    Another,
}

const fn sign(
    namespaces: &'static [&'static str],
    functions: &'static [&'static str],
    name: &'static str,
    instead: &'static str,
) -> Sign {
    let (at_least, beside, names_functions) = (1, Beside::Any, false);
    Sign { namespaces, functions, at_least, shape: is_any, beside, names_functions, name, instead }
}

impl Sign {
    const fn at_least(mut self, number: usize) -> Self {
        self.at_least = number;
        self
    }

    const fn of_shape(mut self, shape: fn(&str) -> bool) -> Self {
        self.shape = shape;
        self
    }

    const fn beside(mut self, beside: Beside) -> Self {
        self.beside = beside;
        self
    }

    const fn naming_functions(mut self) -> Self {
        self.names_functions = true;
        self
    }

    /// Tells whether a module that imports these functions of a namespace, and other namespaces
    /// beside it, has this sign.
    pub(super) fn fits(&self, namespace: &str, functions: &[&str], all: &[&str]) -> bool {
        self.names(namespace) && self.has_enough(functions) && self.stands(namespace, all)
    }

    /// Tells whether a function belongs to the host.
    pub(crate) fn has(&self, function: &str) -> bool {
        (self.shape)(function) && self.functions.iter().any(|pattern| matches(pattern, function))
    }

    fn names(&self, namespace: &str) -> bool {
        self.namespaces.iter().any(|pattern| matches(pattern, namespace))
    }

    fn has_enough(&self, functions: &[&str]) -> bool {
        let its = functions.iter().filter(|function| self.has(function));
        self.functions.is_empty() || its.take(self.at_least).count() == self.at_least
    }

    fn stands(&self, namespace: &str, all: &[&str]) -> bool {
        let mut others = all.iter().filter(|other| **other != namespace);
        match self.beside {
            Beside::Any => true,
            Beside::NoLetter => !others.any(|other| other.len() == 1),
            Beside::Another => others.any(|other| self.names(other)),
        }
    }
}

fn is_any(_: &str) -> bool {
    true
}

/// Tells whether a function calls another through JavaScript: its name ends with the types of the
/// other (<https://emscripten.org/docs/porting/exceptions.html>).
fn is_invoke(function: &str) -> bool {
    let types = function.strip_prefix("invoke_").unwrap_or_default();
    !types.is_empty() && types.bytes().all(|ty| b"vijfdp".contains(&ty))
}

fn is_shortened(function: &str) -> bool {
    (1..=2).contains(&function.len()) && function.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Tells whether a name fits a pattern. A `*` in it stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((beginning, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(beginning) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    // The first place of each part is enough, which keeps this linear for names of any length.
    for part in middle.split('*') {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(end)
}

const ENV: &[&str] = &["env"];
const LETTERS_OF_SOROBAN: &[&str] = &["l", "a", "i", "v", "x", "b", "m", "c", "d", "p"];

const ON_A_CHAIN: &str = "run it on such a chain";
const POLKADOT: &str = "Polkadot contracts";
pub(super) const SOROBAN: &str = "Stellar contracts (Soroban)";
const WASM_4: &str = "WASM-4";
const RUN_WASM_4: &str = "run it with `w4 run`";
pub(super) const EMSCRIPTEN: &str = "Emscripten, for JavaScript";
const WITHOUT_EMSCRIPTEN: &str = "build it with the WASI SDK, or with `emcc -sSTANDALONE_WASM`";
pub(super) const STRIPPED: &str = "a component: the module has lost its `component-type` section";
const BEFORE_STRIPPING: &str =
    "build it without stripping, or run `wasm-tools component new` before stripping or optimizing";

/// The first fitting sign counts, so that special ones stand before general ones. Of several
/// namespaces, that with the first sign says the most: hosts stand before toolchains, those before
/// unlinked modules, and WASI, which binaries for many hosts import, last.
pub(super) const SIGNS: &[Sign] = &[
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
    sign(ENV, &["traceUtf*", "textUtf*", "blitSub", "diskr", "diskw"], WASM_4, RUN_WASM_4),
    sign(ENV, &["blit", "tone"], WASM_4, RUN_WASM_4).at_least(2),
    // Clouds.
    sign(&["fermyon:*", "spin:*", "spin-*", "spin"], &[], "Spin", "run it with `spin up`"),
    // Modules of Spin 1. Some of its namespaces could be anything, but not with the names that
    // wit-bindgen 0.2 gave to functions, such as `open: func(name: string) -> u32`.
    sign(
        &["wasi-outbound-http", "outbound-redis", "outbound-mysql", "outbound-pg"],
        &[],
        "Spin",
        "run it with `spin up`",
    ),
    sign(
        &["key-value", "sqlite", "llm", "config"],
        &["*: func(*"],
        "Spin",
        "run it with `spin up`",
    ),
    sign(&["wasmcloud:*", "wrpc:*"], &[], "wasmCloud", "run it with `wash`"),
    sign(
        &["wasmbus"],
        &[],
        "an old wasmCloud (`wasmbus`)",
        "build a component of it with `wash build`",
    ),
    sign(ENV, &["__faasm_*"], "Faasm", "run it with Faasm"),
    sign(
        ENV,
        &["return_result", "return_error", "get_ffi_result"],
        "Suborbital",
        "run it with Suborbital's E2 Core",
    )
    .at_least(2),
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
            "sock_recv_from",
            "sock_send_to",
            "sock_getaddrinfo",
            "sock_*sockopt",
            "sock_get*addr",
            "sock_*_v2",
        ],
        "WasmEdge",
        "run it with `wasmedge`, or build it for `wasm32-wasip2`, which has sockets",
    )
    .naming_functions(),
    sign(
        &["wasix_*"],
        &[],
        "WASIX",
        "run it with `wasmer`, or build it for `wasm32-wasip2` without WASIX",
    ),
    // Chains.
    sign(&["ic0"], &[], "the Internet Computer", "run it with `dfx`"),
    sign(&["seal0", "seal1", "seal2"], &[], POLKADOT, ON_A_CHAIN),
    sign(&["vm_hooks"], &[], "Arbitrum Stylus", ON_A_CHAIN),
    sign(&["concordium"], &[], "Concordium", ON_A_CHAIN),
    sign(&["ethereum"], &[], "Ethereum", ON_A_CHAIN),
    sign(ENV, &["ext_*_version_*"], "a Substrate runtime", ON_A_CHAIN),
    // The names of old contracts, and not all that begin with `ext_`.
    sign(
        ENV,
        &[
            "seal_*",
            "ext_scratch_*",
            "ext_get_storage",
            "ext_set_storage",
            "ext_clear_storage",
            "ext_deposit_event",
            "ext_value_transferred",
            "ext_hash_*",
            "ext_caller",
            "ext_input",
            "ext_return",
        ],
        POLKADOT,
        ON_A_CHAIN,
    ),
    sign(ENV, &["gr_*"], "Gear, such as Vara", ON_A_CHAIN),
    sign(
        ENV,
        &[
            "db_read",
            "db_write",
            "db_remove",
            "db_scan",
            "db_next",
            "addr_validate",
            "addr_canonicalize",
            "addr_humanize",
            "query_chain",
        ],
        "CosmWasm",
        ON_A_CHAIN,
    ),
    sign(
        ENV,
        &[
            "storage_read",
            "storage_write",
            "log_utf8",
            "value_return",
            "promise_create",
            "promise_batch_*",
            "read_register",
            "current_account_id",
            "predecessor_account_id",
            "signer_account_id",
        ],
        "NEAR",
        ON_A_CHAIN,
    ),
    sign(
        ENV,
        &["db_*_i64", "eosio_*", "require_auth", "require_auth2"],
        "EOSIO, such as EOS",
        ON_A_CHAIN,
    ),
    sign(ENV, &["casper_*"], "Casper", ON_A_CHAIN),
    sign(ENV, &["mBuffer*", "managed*", "bigInt*", "signalError"], "MultiversX", ON_A_CHAIN)
        .at_least(2),
    sign(
        &["l"],
        &["_", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        SOROBAN,
        ON_A_CHAIN,
    ),
    sign(LETTERS_OF_SOROBAN, &[], SOROBAN, ON_A_CHAIN).beside(Beside::Another),
    // Browsers and engines of JavaScript.
    sign(
        &["gojs", "go"],
        &[],
        "Go for browsers (`GOOS=js`)",
        "build it with `GOOS=wasip1 GOARCH=wasm go build`",
    ),
    sign(
        ENV,
        &["syscall/js.*", "runtime.*"],
        "Go for browsers (TinyGo)",
        "build it with `tinygo build -target=wasip1`",
    ),
    sign(
        &["wbg", "__wbindgen_*", "./snippets/*", "snippets/*"],
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
    sign(
        &["http://*", "https://*"],
        &[],
        "a JavaScript module of the web",
        "build it for WASI, without JavaScript",
    ),
    sign(&["dart2wasm", "dart:*"], &[], "Dart for browsers", "run it with JavaScript"),
    sign(
        &["js_code", "intrinsics"],
        &[],
        "Kotlin for browsers (`wasmJs`)",
        "build it with the target `wasmWasi`",
    ),
    sign(&["wasm:js-string"], &[], "JavaScript and its strings", "run it with JavaScript"),
    sign(&["asyncify"], &[], "JavaScript with Asyncify", "run it with JavaScript"),
    sign(
        ENV,
        &["mono_wasm_*"],
        ".NET for browsers",
        "publish it with the runtime identifier `wasi-wasm`",
    ),
    sign(
        ENV,
        &[
            "emscripten_*",
            "_emscripten_*",
            "__syscall_*",
            "_embind_*",
            "__cxa_*",
            "_emval_*",
            "_abort_js",
        ],
        EMSCRIPTEN,
        WITHOUT_EMSCRIPTEN,
    ),
    sign(ENV, &["invoke_*"], EMSCRIPTEN, WITHOUT_EMSCRIPTEN).of_shape(is_invoke),
    // Emscripten shortens the names of its namespace and of all functions where it optimizes.
    sign(&["a"], &["*"], EMSCRIPTEN, WITHOUT_EMSCRIPTEN)
        .of_shape(is_shortened)
        .beside(Beside::NoLetter),
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
    // The globals of JavaScript that AssemblyScript has (its std/assembly/bindings). Callers leave
    // functions `seed` and `trace` of other types than its own out.
    sign(
        ENV,
        &[
            "seed",
            "trace",
            "console.*",
            "Date.*",
            "performance.*",
            "process.*",
            "crypto.*",
            "Math.*",
            "Object.*",
            "Reflect.*",
            "String.*",
            "document.*",
        ],
        "AssemblyScript, for JavaScript",
        "build it with the `asconfig.json` of `@assemblyscript/wasi-shim`, or with functions of its own, such as `asc --use seed=mySeed`",
    )
    .naming_functions(),
    // Modules of which components are made.
    sign(&["wasi:*", "*:*/*@*", "cm32p2*", "$root", "[export]*"], &[], STRIPPED, BEFORE_STRIPPING),
    sign(&["*"], &["[resource-*", "[task-return]*"], STRIPPED, BEFORE_STRIPPING),
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
    sign(ENV, &["memory"], "a host that gives it its memory", "build it without `--import-memory`")
        .naming_functions(),
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
