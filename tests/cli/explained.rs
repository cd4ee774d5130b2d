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
