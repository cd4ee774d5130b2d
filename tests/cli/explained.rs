//! The explanation of a binary that does not run here is the same from `install` and `inspect`.

use extension_depot::media_type;
use extension_depot::serve::MemoryRegistry;

use crate::guest_table::put_artifact;
use crate::support::{TestEnv, env, manifest};

/// Installs and inspects a binary from a file, from an address and from a registry, which have to
/// agree. Returns their output.
fn verdict(env: &TestEnv, binary: impl AsRef<[u8]>) -> String {
    let file = env.write("work/it.wasm", &binary).display().to_string();
    let registry = MemoryRegistry::start().expect("a registry");
    let seen = |source: &str| {
        let install = env.run(&format!("extension install {source}")).hiding_registry(&registry);
        let inspect = env.run(&format!("extension inspect {source}")).hiding_registry(&registry);
        assert_eq!(
            (install.code, &install.stderr),
            (inspect.code, &inspect.stderr),
            "{install}\n{inspect}"
        );
        assert!(!env.path(&manifest("it")).exists());
        install
    };
    let of_file = seen("./it.wasm");
    assert_eq!(seen(&format!("file://{file}")).to_string(), of_file.to_string());
    let published = put_artifact(&registry, "my-org/it", media_type::WASM, binary.as_ref());
    let of_registry = seen(&published);
    assert_eq!(of_registry.to_string(), of_file.to_string());
    of_file.to_string()
}

fn verdict_of_text(env: &TestEnv, text: &str) -> String {
    verdict(env, wat::parse_str(text).expect("valid text"))
}

#[test]
fn install_and_inspect_agree() {
    let env = env();
    insta::assert_snapshot!(verdict(&env, "(module)"), @r"
    exit 1
    err: error: not an extension: it is WebAssembly in its text form; make a binary of it with `wasm-tools parse`
    ");
    let text_form = verdict(&env, "(module)");
    for text in ["( module )", "(; a comment ;)\n(module", "\n ;; a comment\n(component"] {
        assert_eq!(verdict(&env, text), text_form);
    }
    insta::assert_snapshot!(verdict(&env, b"\0asm\x0a\0\x01\0"), @r"
    exit 1
    err: error: not an extension: it is a component made for a draft of the component model (version 0x0a); build it again with current tools
    ");
    insta::assert_snapshot!(verdict_of_text(&env, r#"(component (type $t (component)) (export "x" (type $t)))"#), @r"
    exit 1
    err: error: not an extension: it is a WIT package, which describes interfaces and has no code
    ");
    insta::assert_snapshot!(verdict_of_text(&env, r#"(module (import "extism:host/env" "input_length" (func (result i64))))"#), @r"
    exit 5
    err: error: `it` is made for Extism
    err: `extism:host/env` is for Extism
    err: hint: run it with an Extism host such as `extism call`
    ");
    // What it needs of WASI tells less than the host that it is made for.
    insta::assert_snapshot!(verdict_of_text(&env, r#"(component (import "wasi:keyvalue/store@0.2.0-draft" (instance (export "f" (func)))) (import "wasmcloud:bus/lattice@1.0.0" (instance (export "f" (func)))))"#), @r"
    exit 5
    err: error: `it` is made for wasmCloud
    err: `wasi:keyvalue/store@0.2.0-draft` is for a proposal of WASI that sesame does not have
    err: `wasmcloud:bus/lattice@1.0.0` is for wasmCloud
    err: hint: run it with `wash`
    ");
    insta::assert_snapshot!(verdict_of_text(&env, r#"(component (import "acme:db/store@1.0.0" (instance (export "f" (func)))))"#), @r"
    exit 5
    err: error: the imports of `it` are not satisfied
    err: `acme:db/store@1.0.0` is not provided by sesame
    err: hint: compose it with a component that exports `acme:db/store@1.0.0`, such as with `wac plug`, and install the result
    ");
    insta::assert_snapshot!(verdict_of_text(&env, "(module (memory 1 1 shared))"), @r"
    exit 1
    err: error: cannot compile the extension: it uses threads (shared memory and atomic instructions), which sesame does not run: build it without `-pthread`, and Rust without `-C target-feature=+atomics` (failed to parse WebAssembly module: threads must be enabled for shared memories (at offset 0xb))
    ");
}

/// Builds for another host, of another form or of an old draft have a way out that helps.
#[test]
fn other_builds_have_a_way_out() {
    let env = env();
    insta::assert_snapshot!(verdict_of_text(&env, r#"(module (import "seal0" "seal_input" (func)) (import "env" "memory" (memory 1)) (import "env" "mine" (func)))"#), @r"
    exit 5
    err: error: `it` is made for Polkadot contracts
    err: `env.memory` is for a host that gives it its memory
    err: `env.mine` is not provided by sesame
    err: `seal0` is for Polkadot contracts
    err: hint: run it on such a chain
    ");
    insta::assert_snapshot!(verdict_of_text(&env, r#"(module (import "wasi:cli/stdout@0.2.0" "get-stdout" (func (result i32))) (import "env" "memory" (memory 1)))"#), @r"
    exit 5
    err: error: `it` is made for a component: the module has lost its `component-type` section
    err: `env.memory` is for a host that gives it its memory
    err: `wasi:cli/stdout@0.2.0` is for a component: the module has lost its `component-type` section
    err: hint: build it without stripping, or run `wasm-tools component new` before stripping or optimizing
    ");
    insta::assert_snapshot!(verdict_of_text(&env, r#"(module (import "env" "seed" (func (result f64))))"#), @r"
    exit 5
    err: error: `it` is made for AssemblyScript, for JavaScript
    err: `env.seed` is for AssemblyScript, for JavaScript
    err: hint: build it with the `asconfig.json` of `@assemblyscript/wasi-shim`, or with functions of its own, such as `asc --use seed=mySeed`
    ");
    insta::assert_snapshot!(verdict_of_text(&env, r#"(module (import "env" "abort" (func (param i32))))"#), @r"
    exit 5
    err: error: the imports of `it` are not satisfied
    err: `env.abort` has another type in sesame: that of AssemblyScript, `(func (param i32 i32 i32 i32))`
    err: hint: it is not the `abort` of AssemblyScript, the only one that sesame has: build it without this import
    ");
    insta::assert_snapshot!(verdict_of_text(&env, r#"(component (import "wasi:io/streams" (instance (export "f" (func)))))"#), @r"
    exit 5
    err: error: `it` is made for a draft of WASI 0.2
    err: `wasi:io/streams` is for a draft of WASI 0.2
    err: hint: build it again with current tools, for `wasm32-wasip2`
    ");
    insta::assert_snapshot!(verdict_of_text(&env, r#"(component (import "wasi:config/runtime@0.2.0-draft" (instance (export "f" (func)))))"#), @r"
    exit 5
    err: error: the imports of `it` are not satisfied
    err: `wasi:config/runtime@0.2.0-draft` is of another draft than `wasi:config/store@0.2.0-rc.1`, which sesame has
    err: hint: build it again for `wasi:config/store@0.2.0-rc.1`
    ");
}

/// The facts about a binary are printed although it would not start.
#[test]
fn inspect_prints_imports_first() {
    let env = env();
    let text =
        r#"(module (import "wapc" "__guest_request" (func (param i32 i32))) (func (export "f")))"#;
    env.write("work/it.wasm", wat::parse_str(text).expect("valid"));
    let run = env.run("extension inspect ./it.wasm");
    assert_eq!(run.code, 5, "{run}");
    assert!(
        run.text().contains("imports      wapc\n")
            && run.text().contains("exports      f: func()\n"),
        "{run}"
    );
    let json = env.run("--json extension inspect ./it.wasm");
    assert!(
        json.text().contains(r#""refusal":{"#) && json.text().contains(r#""kind":"refused""#),
        "{json}"
    );
}

/// A file without a name for an extension is told by both commands, and one whose name is near to one
/// has that.
#[test]
fn file_name_becomes_the_name() {
    let env = env();
    let module = wat::parse_str(r#"(module (func (export "f")))"#).expect("valid");
    for file in ["My_app", "é"] {
        env.write(&format!("work/{file}.wasm"), &module);
    }
    let install = env.run("extension install ./My_app.wasm").ok();
    assert!(
        install.text().starts_with("installed my-app 0.0.0 from local/file/my-app"),
        "{install}"
    );
    let inspect = env.run("extension inspect ./My_app.wasm").ok();
    assert!(inspect.text().starts_with("name         my-app\n"), "{inspect}");
    let [install, inspect] =
        ["install", "inspect"].map(|command| env.run(&format!("extension {command} ./é.wasm")));
    assert!(inspect.text().contains("exports      f: func()\n"), "{inspect}");
    assert_eq!((inspect.code, &inspect.stderr), (install.code, &install.stderr));
    insta::assert_snapshot!(install, @r"
    exit 2
    err: error: `é` is not an extension name: a name has 1 to 64 characters out of `a-z`, `0-9` and `-`, and starts with a letter or digit
    err: hint: choose a name: add `--name NAME` to `install`
    ");
}

/// A handler of HTTP requests and a part of another component have nothing to call. That is said by
/// `install` as well as by `inspect`, with what each is instead.
#[test]
fn others_have_nothing_to_call() {
    let env = env();
    env.write("work/handler.wasm", wat::parse_str(HANDLER).expect("valid text"));
    insta::assert_snapshot!(env.run("extension install ./handler.wasm"), @r#"
    exit 0
    out: installed handler 0.0.0 from local/file/handler:0.0.0@sha256:DIGEST
    err: signature: unsigned
    err: warning: `handler` has nothing to call: it is an HTTP handler; serve it with a web server such as `wasmtime serve`
    "#);
    let inspect = env.run("extension inspect ./handler.wasm").ok();
    insta::assert_snapshot!(inspect, @r#"
    exit 0
    out: name         handler
    out: version      0.0.0
    out: reference    local/file/handler:0.0.0@sha256:DIGEST
    out: binary       sha256:DIGEST, 384 bytes
    out: imports      wasi:http/types@0.2.0
    out: not callable wasi:http/incoming-handler@0.2.0#handle: func(request: resource, response-out: resource): it handles HTTP requests, which a call is not
    out: warning      `handler` has nothing to call: it is an HTTP handler; serve it with a web server such as `wasmtime serve`
    "#);
    let library = r#"(component (import "acme:db/store@1.0.0" (instance (export "f" (func))))
        (core module $m (func (export "g"))) (core instance $i (instantiate $m))
        (func (export "g") (canon lift (core func $i "g"))))"#;
    insta::assert_snapshot!(verdict_of_text(&env, library), @r#"
    exit 5
    err: error: the imports of `it` are not satisfied
    err: `acme:db/store@1.0.0` is not provided by sesame
    err: hint: compose it with a component that exports `acme:db/store@1.0.0`, such as with `wac plug`, and install the result
    "#);
}

/// A component that answers HTTP requests, as servers for WebAssembly run it.
const HANDLER: &str = r#"(component
    (import "wasi:http/types@0.2.0" (instance $types
        (export "incoming-request" (type (sub resource)))
        (export "response-outparam" (type (sub resource)))))
    (alias export $types "incoming-request" (type $request))
    (alias export $types "response-outparam" (type $response))
    (core module $m (func (export "handle") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func $handle (param "request" (own $request)) (param "response-out" (own $response))
        (canon lift (core func $i "handle")))
    (instance $handler (export "handle" (func $handle)))
    (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))"#;

#[test]
fn library_names_its_kind() {
    let env = env();
    env.write(
        "work/program.wasm",
        wat::parse_str(r#"(module (func (export "_start")))"#).expect("valid"),
    );
    insta::assert_snapshot!(env.run("extension install ./program.wasm"), @r"
    exit 0
    out: installed program 0.0.0 from local/file/program:0.0.0@sha256:DIGEST
    err: signature: unsigned
    err: granted: config-read (its own [config] only)
    err: warning: `program` has nothing to call: it is a program; run it with: sesame extension run program
    ");
    let inspect = env.run("extension inspect ./program.wasm").ok().text();
    assert!(inspect.contains("`program` has nothing to call: it is a program"), "{inspect}");
    env.write("work/empty.wasm", wat::parse_str("(component)").expect("valid"));
    insta::assert_snapshot!(env.run("extension install ./empty.wasm"), @r"
    exit 0
    out: installed empty 0.0.0 from local/file/empty:0.0.0@sha256:DIGEST
    err: signature: unsigned
    err: warning: `empty` has nothing to call: it exports no functions
    ");
}
