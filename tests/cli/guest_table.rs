//! Checks `docs/guests.md`: which guests install and run, and why others do not. Each row is the
//! outcome of a test.

use std::path::PathBuf;

use extension_depot::media_type;
use extension_depot::serve::MemoryRegistry;
use test_support::guest;

use crate::support::{TestEnv, env, root};

/// A guest that has a row.
struct Guest {
    toolchain: &'static str,
    form: &'static str,
    binary: Binary,
    /// The grants at install.
    grant: &'static str,
    /// The words behind `sesame extension` once it is installed; nothing for a guest that is
    /// refused or cannot be called.
    line: Option<&'static str>,
}

enum Binary {
    /// A committed guest.
    Built(&'static str),
    /// A component or module in the text format, such as the toolchain makes it.
    Text(&'static str),
    /// Bytes that are not a module or component.
    Bytes(&'static [u8]),
    /// A layer in a registry: its media type, and a guest in it, in an archive or plain.
    Layer { media_type: &'static str, text: &'static str, is_packed: bool },
}

use Binary::{Built, Bytes, Layer, Text};

const COMPOSED: &str = r#"(component
    (component $A
        (core module $m (memory (export "mem") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
            (func (export "len") (param i32 i32) (result i32) (local.get 1)))
        (core instance $i (instantiate $m))
        (func (export "len") (param "s" string) (result u32)
            (canon lift (core func $i "len") (memory (core memory $i "mem")) (realloc (core func $i "realloc")))))
    (component $B
        (import "len" (func $len (param "s" string) (result u32)))
        (core module $libc (memory (export "mem") 1) (data (i32.const 0) "hello"))
        (core instance $libc (instantiate $libc))
        (core func $low (canon lower (func $len) (memory (core memory $libc "mem"))))
        (core module $m (import "" "len" (func $len (param i32 i32) (result i32)))
            (func (export "count") (result i32) (call $len (i32.const 0) (i32.const 5))))
        (core instance $i (instantiate $m (with "" (instance (export "len" (func $low))))))
        (func (export "count") (result u32) (canon lift (core func $i "count"))))
    (instance $a (instantiate $A))
    (instance $b (instantiate $B (with "len" (func $a "len"))))
    (export "count" (func $b "count")))"#;

const ASYNC: &str = r#"(component
    (core func $ret (canon task.return (result s32)))
    (core module $m (import "" "ret" (func $ret (param i32)))
        (func (export "id") (param i32) (result i32) local.get 0 call $ret i32.const 0)
        (func (export "cb") (param i32 i32 i32) (result i32) i32.const 0))
    (core instance $i (instantiate $m (with "" (instance (export "ret" (func $ret))))))
    (func (export "id") async (param "x" s32) (result s32)
        (canon lift (core func $i "id") async (callback (core func $i "cb")))))"#;

const INLINE: &str = r#"(component
    (core module $m (func (export "id") (param i32) (result i32) local.get 0))
    (core instance $i (instantiate $m))
    (func $f (param "x" s32) (result s32) (canon lift (core func $i "id")))
    (instance $api (export "id" (func $f)))
    (export "api" (instance $api)))"#;

const COMMAND: &str = r#"(component
    (core module $m (func (export "run") (result i32) i32.const 0))
    (core instance $i (instantiate $m))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $r (export "run" (func $run)))
    (export "wasi:cli/run@0.2.3" (instance $r)))"#;

const ONE: &str = r#"(module (func (export "one") (result i32) i32.const 1))"#;

const EXIT: &str = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const 3))))"#;

const STRUCTS: &str = r#"(module (type $s (struct (field i32)))
    (func (export "seven") (result i32) (struct.get $s 0 (struct.new $s (i32.const 7)))))"#;

const THROWS: &str = r#"(module (tag $e (param i32)) (func (export "seven") (result i32)
    (block $h (result i32) (try_table (result i32) (catch $e $h) (throw $e (i32.const 7))))))"#;

/// Each form, from common toolchains to artifacts of other hosts.
const GUESTS: &[Guest] = &[
    Guest {
        toolchain: "Rust, wit-bindgen",
        form: "component, WASI 0.2",
        binary: Built("greeting"),
        grant: "",
        line: Some("call guest greet World"),
    },
    Guest {
        toolchain: "Rust, extension-sdk",
        form: "component, WASI 0.2",
        binary: Built("greeting-sdk"),
        grant: "",
        line: Some("call guest greet World"),
    },
    Guest {
        toolchain: "Rust, wasip3",
        form: "component, WASI 0.3, asynchronous exports",
        binary: Built("probe-0-3"),
        grant: "experimental=wasi-0.3",
        line: Some("call guest greet World"),
    },
    Guest {
        toolchain: "Rust, wasip3",
        form: "program: `wasi:cli/run` of WASI 0.3",
        binary: Built("probe-0-3"),
        grant: "experimental=wasi-0.3",
        line: Some("run guest -- one"),
    },
    Guest {
        toolchain: "`docker buildx --platform wasi/wasm`, `FROM scratch`",
        form: "image with a tar layer",
        binary: Layer {
            media_type: "application/vnd.oci.image.layer.v1.tar",
            text: ONE,
            is_packed: true,
        },
        grant: "",
        line: Some("call guest one"),
    },
    Guest {
        toolchain: "`oras push` without a media type",
        form: "artifact whose layer is called a tar",
        binary: Layer {
            media_type: "application/vnd.oci.image.layer.v1.tar",
            text: ONE,
            is_packed: false,
        },
        grant: "",
        line: Some("call guest one"),
    },
    Guest {
        toolchain: "plain tools",
        form: "artifact, `application/octet-stream`",
        binary: Layer { media_type: "application/octet-stream", text: ONE, is_packed: false },
        grant: "",
        line: Some("call guest one"),
    },
    Guest {
        toolchain: "Rust, wasm32-wasip1",
        form: "core module for Suffiks",
        binary: Built("labels-rs"),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "AssemblyScript",
        form: "core module for Suffiks",
        binary: Built("ingress-as"),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "any, `async func`",
        form: "component with an asynchronous export",
        binary: Text(ASYNC),
        grant: "",
        line: Some("call guest id 3"),
    },
    Guest {
        toolchain: "wac, wasi-virt, jco",
        form: "composed component, two memories",
        binary: Text(COMPOSED),
        grant: "",
        line: Some("call guest count"),
    },
    Guest {
        toolchain: "any, inline interface",
        form: "component",
        binary: Text(INLINE),
        grant: "",
        line: Some("call guest api#id 3"),
    },
    Guest {
        toolchain: "any",
        form: "program: `wasi:cli/run`",
        binary: Text(COMMAND),
        grant: "",
        line: Some("run guest"),
    },
    Guest {
        toolchain: "any, WASI's first version",
        form: "program: `_start`",
        binary: Text(EXIT),
        grant: "",
        line: Some("run guest"),
    },
    Guest {
        toolchain: "Kotlin, Dart, OCaml",
        form: "core module with garbage collection",
        binary: Text(STRUCTS),
        grant: "",
        line: Some("call guest seven"),
    },
    Guest {
        toolchain: "C++, Kotlin",
        form: "core module with exceptions",
        binary: Text(THROWS),
        grant: "",
        line: Some("call guest seven"),
    },
    Guest {
        toolchain: "AssemblyScript",
        form: "core module, imports `env.abort`",
        binary: Text(
            r#"(module (import "env" "abort" (func (param i32 i32 i32 i32))) (memory (export "memory") 1) (func (export "one") (result i32) i32.const 1))"#,
        ),
        grant: "",
        line: Some("call guest one"),
    },
    Guest {
        toolchain: "Rust with `+atomics`, Emscripten with `-pthread`",
        form: "core module, shared memory",
        binary: Text("(module (memory 1 1 shared))"),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "Extism PDK",
        form: "core module",
        binary: Text(r#"(module (import "extism:host/env" "input_length" (func (result i64))))"#),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "zellij",
        form: "core module",
        binary: Text(r#"(module (import "zellij" "host_run_plugin_command" (func)))"#),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "waPC, Kubewarden",
        form: "core module",
        binary: Text(r#"(module (import "wapc" "__guest_request" (func (param i32 i32))))"#),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "http-wasm",
        form: "core module",
        binary: Text(
            r#"(module (import "http_handler" "get_uri" (func (param i32 i32) (result i32))))"#,
        ),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "Go, `GOOS=js`",
        form: "core module",
        binary: Text(r#"(module (import "gojs" "runtime.wasmExit" (func (param i32))))"#),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "Emscripten",
        form: "core module",
        binary: Text(
            r#"(module (import "env" "emscripten_notify_memory_growth" (func (param i32))))"#,
        ),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "WASIX",
        form: "core module",
        binary: Text(r#"(module (import "wasix_32v1" "thread_exit" (func (param i32))))"#),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "typst",
        form: "core module",
        binary: Text(
            r#"(module (import "typst_env" "wasm_minimal_protocol_send_result_to_host" (func (param i32 i32))))"#,
        ),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "Zed",
        form: "component",
        binary: Text(r#"(component (import "zed:extension/lsp" (instance (export "f" (func)))))"#),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "Spin",
        form: "component",
        binary: Text(
            r#"(component (import "fermyon:spin/llm@2.0.0" (instance (export "f" (func)))))"#,
        ),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "wasmCloud",
        form: "component",
        binary: Text(
            r#"(component (import "wasmcloud:bus/lattice@1.0.0" (instance (export "f" (func)))))"#,
        ),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "a draft of WASI 0.3",
        form: "component",
        binary: Text(
            r#"(component (import "wasi:cli/stdout@0.3.0-rc-2025-09-16" (instance (export "f" (func)))))"#,
        ),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "tools of 2023",
        form: "component of a draft",
        binary: Bytes(b"\0asm\x0a\0\x01\0"),
        grant: "",
        line: None,
    },
    Guest {
        toolchain: "none: what a person writes",
        form: "text format",
        binary: Bytes(b"(module (func))"),
        grant: "",
        line: None,
    },
];

/// Installs and uses a guest. Returns the outcome.
fn came_of(guest: &Guest) -> String {
    let env = env();
    let registry = MemoryRegistry::start().expect("a registry");
    let source = put(&env, &registry, &guest.binary);
    let granted =
        if guest.grant.is_empty() { String::new() } else { format!(" --grant {}", guest.grant) };
    let installed = env.run(&format!("extension install {source}{granted}"));
    if installed.code != 0 {
        return format!("refused ({}): {}", installed.code, reason(&installed.stderr));
    }
    match guest.line {
        Some(line) => format!(
            "installs{}; `{line}` {}",
            granted.replace(" --grant", ", granted"),
            done(&env, line)
        ),
        None => format!("installs{}", note(&installed.stderr)),
    }
}

/// Puts a guest where it can be installed from, and returns the source.
fn put(env: &TestEnv, registry: &MemoryRegistry, binary: &Binary) -> String {
    let bytes = match binary {
        Built(name) => guest(name),
        Text(text) | Layer { text, .. } => wat::parse_str(text).expect("valid"),
        Bytes(bytes) => bytes.to_vec(),
    };
    match binary {
        Layer { media_type, is_packed, .. } => {
            let layer = if *is_packed { archive(&bytes) } else { bytes };
            put_artifact(registry, "my-org/guest", media_type, &layer)
        }
        _ => {
            env.write("work/guest.wasm", bytes);
            "./guest.wasm".to_owned()
        }
    }
}

/// Makes a tar with a binary, as a layer of an image has it.
pub fn archive(bytes: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    archive.append_data(&mut header, "guest.wasm", bytes).expect("in memory");
    archive.into_inner().expect("in memory")
}

/// Publishes an artifact with one layer, as container tools and plain pushes make it. Returns its
/// reference.
pub fn put_artifact(
    registry: &MemoryRegistry,
    repository: &str,
    media_type: &str,
    layer: &[u8],
) -> String {
    let (config, blob, size) = (registry.put_blob(b"{}"), registry.put_blob(layer), layer.len());
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"{}","digest":"{config}","size":2}},
            "layers":[{{"mediaType":"{media_type}","digest":"{blob}","size":{size}}}]}}"#,
        media_type::IMAGE_CONFIG,
    );
    registry.put_manifest(repository, "1.0.0", media_type::MANIFEST, manifest.as_bytes());
    format!("{}/{repository}:1.0.0", registry.host())
}

/// Returns the error on one line, without the hint.
fn reason(stderr: &str) -> String {
    let lines = stderr
        .lines()
        .filter(|line| !line.starts_with("hint: ") && !line.starts_with("signature: "));
    let lines: Vec<_> = lines
        .map(|line| line.trim_start_matches("error: ").trim_start_matches("caused by: "))
        .collect();
    lines.join("; ").replace('|', "\\|")
}

/// Returns the message about an extension without callable functions.
fn note(stderr: &str) -> String {
    let note = stderr.lines().find(|line| line.contains("nothing to call"));
    note.map(|note| format!("; {}", note.trim_start_matches("note: "))).unwrap_or_default()
}

fn done(env: &TestEnv, line: &str) -> String {
    let run = env.run(&format!("extension {line}"));
    match run.text().trim_end() {
        "" => format!("exits with {}", run.code),
        text => format!("returns `{text}`"),
    }
}

fn path() -> PathBuf {
    root().join("docs/guests.md")
}

fn row(toolchain: &str, form: &str, came: &str) -> String {
    format!("| {toolchain} | {form} | {came} |\n")
}

/// Checks that the document has this row. Tests that need the tools of a language call it as well.
#[track_caller]
pub fn assert_row(toolchain: &str, form: &str, came: &str) {
    let document = std::fs::read_to_string(path()).expect("docs/guests.md");
    let row = row(toolchain, form, came);
    assert!(document.contains(&row), "docs/guests.md lacks this row:\n{row}");
}

/// `UPDATE_GUESTS_TABLE=1` writes the rows into the document.
#[test]
fn guests_table_is_current() {
    const BEGIN: &str = "<!-- made by tests/cli/guest_table.rs -->\n";
    let rows: String =
        GUESTS.iter().map(|guest| row(guest.toolchain, guest.form, &came_of(guest))).collect();
    let document = std::fs::read_to_string(path()).expect("docs/guests.md");
    let (above, rest) = document.split_once(BEGIN).expect("the marker");
    let below = rest.find("\n## ").map(|at| &rest[at..]).unwrap_or_default();
    let made =
        format!("{above}{BEGIN}| toolchain | form | what happens |\n|---|---|---|\n{rows}{below}");
    if std::env::var_os("UPDATE_GUESTS_TABLE").is_some() {
        std::fs::write(path(), &made).expect("written");
    }
    assert_eq!(
        document, made,
        "docs/guests.md is not what happens: run this test with UPDATE_GUESTS_TABLE=1"
    );
}
