//! Modules of Suffiks: published, fetched, documented, asked about workloads, and run with
//! commands.

use std::path::PathBuf;

use extension_depot::serve::MemoryRegistry;
use test_support::guest;

use crate::support::{TestEnv, env, oras, root, with_guest};

/// Returns the sources of the extension in AssemblyScript.
fn sources() -> PathBuf {
    root().join("tests/guests/ingress-as")
}

/// Makes an environment with the extension in a registry, published from files in its working
/// directory.
fn published() -> (TestEnv, MemoryRegistry) {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    env.write("work/release.wasm", guest("ingress-as"));
    for page in ["index.md", "guide/first-steps.md"] {
        env.write(
            &format!("work/docs/{page}"),
            std::fs::read(sources().join("docs").join(page)).expect(page),
        );
    }
    let line = format!(
        "wasi publish --tag {}/my-org/wasi/ingress-as:v0.1.0 --docs docs release.wasm",
        registry.host()
    );
    env.run(&line).ok();
    (env, registry)
}

const APP: &str = "apiVersion: suffiks.com/v1\nkind: Application\nmetadata:\n  name: app\n  namespace: ns\n\
    spec:\n  image: app:1\n  host: app.example.com\n";

/// A published module installs with its pages, and its version is published once.
#[test]
fn suffiks_publish_keeps_the_pages() {
    let (env, registry) = published();
    let host = registry.host();
    insta::assert_snapshot!(env.run(&format!("wasi publish --tag {host}/my-org/wasi/ingress-as:v0.1.0 --docs docs release.wasm")).hiding_registry(&registry), @r#"
    exit 0
    out: already published: REGISTRY/my-org/wasi/ingress-as:v0.1.0@sha256:DIGEST
    "#);
    insta::assert_snapshot!(env.run(&format!("wasi publish --tag {host}/my-org/wasi/ingress-as:v0.1.0 release.wasm")).hiding_registry(&registry), @r#"
    exit 1
    err: error: `REGISTRY/my-org/wasi/ingress-as:v0.1.0` already has other bytes: sha256:DIGEST, not sha256:DIGEST
    err: hint: publish it under another version, or replace the old bytes with `--overwrite`
    "#);
    insta::assert_snapshot!(env.run(&format!("extension install {host}/my-org/wasi/ingress-as:v0.1.0")).hiding_registry(&registry), @r#"
    exit 0
    out: installed ingress-as v0.1.0 from REGISTRY/my-org/wasi/ingress-as:v0.1.0@sha256:DIGEST
    err: signature: unsigned
    err: granted: config-read (its own [config] only)
    "#);
    insta::assert_snapshot!(env.run("extension docs ingress-as"), @r#"
    exit 0
    out: # Ingress
    out: 
    out: Gives a workload an ingress.
    out: 
    out: | key | what |
    out: |---|---|
    out: | `host` | the name under which it is found |
    out: | `path` | below which path; default: `/` |
    out: 
    out: See [the guide](guide/first-steps.md).
    err: more pages: guide/first-steps.md
    "#);
    insta::assert_snapshot!(env.run("extension docs ingress-as guide/first-steps"), @r#"
    exit 0
    out: # First steps
    out: 
    out: ```yaml
    out: spec:
    out:   host: app.example.com
    out: ```
    err: more pages: index.md
    "#);
    insta::assert_snapshot!(env.run("extension docs ingress-as --list"), @r#"
    exit 0
    out: guide/first-steps.md
    out: index.md
    "#);
    insta::assert_snapshot!(env.run("extension docs ingress-as nowhere"), @r#"
    exit 3
    err: error: the documentation of `ingress-as` has no page `nowhere`
    err: there are:
    err:   guide/first-steps.md
    err:   index.md
    err: hint: sesame extension docs ingress-as
    "#);
    assert!(
        env.run("extension docs ingress-as --json")
            .ok()
            .text()
            .contains(r#""pages":["guide/first-steps.md","index.md"]"#)
    );
    assert!(
        env.run("extension info ingress-as")
            .ok()
            .text()
            .contains("exports      Validate: func(p0: s32)")
    );
}

/// A download gives the published bytes and replaces no file.
#[test]
fn download_replaces_no_file() {
    let (env, registry) = published();
    let line =
        format!("wasi download {}/my-org/wasi/ingress-as:v0.1.0 --output here", registry.host());
    insta::assert_snapshot!(env.run(&line), @r#"
    exit 0
    out: here/ingress-as.wasm
    out: here/docs.tar.gz
    "#);
    assert_eq!(
        std::fs::read(env.path("work/here/ingress-as.wasm")).expect("written"),
        guest("ingress-as")
    );
    insta::assert_snapshot!(env.run(&line), @r#"
    exit 9
    err: error: cannot write `here/ingress-as.wasm`
    err: caused by: File exists (os error 17)
    "#);
}

#[test]
#[ignore = "needs oras, from .ci/test-servers"]
fn oras_finds_the_suffiks_layers() {
    let (env, registry) = published();
    let reference = format!("{}/my-org/wasi/ingress-as:v0.1.0", registry.host());
    let manifest = oras(env.home(), &["manifest", "fetch", "--plain-http", &reference]);
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.oci.image.config.v1+json");
    let layers = manifest["layers"].as_array().expect("layers");
    let types: Vec<_> =
        layers.iter().map(|layer| layer["mediaType"].as_str().expect("a type")).collect();
    assert_eq!(
        types,
        ["application/vnd.com.suffiks.wasi.v1", "application/vnd.com.suffiks.docs.layer.v1+tar"]
    );
    oras(env.home(), &["pull", "--plain-http", "--output", "pulled", &reference]);
    assert_eq!(
        std::fs::read(env.path("pulled/ingress-as.wasm")).expect("pulled"),
        guest("ingress-as")
    );
    let unpacked = std::process::Command::new("tar")
        .args(["-tzf", "docs.tar.gz"])
        .current_dir(env.path("pulled"))
        .output();
    assert_eq!(
        String::from_utf8_lossy(&unpacked.expect("tar runs").stdout),
        "guide/first-steps.md\nindex.md\n"
    );
}

#[test]
fn suffiks_tests_show_differences() {
    let env = env();
    let module = env.write("work/build/release.wasm", guest("ingress-as"));
    let test = |directory: &str| {
        let mut command = env.command(["wasi", "test", "--tests", directory]);
        command.arg(&module).current_dir(sources());
        env.finish(command, b"")
    };
    insta::assert_snapshot!(test("./tests"), @r#"
    exit 0
    out: ./tests/ingress.yaml
    out:   ok      a host below the domain is valid
    out:   ok      another host is not
    out:   ok      the path is filled in
    out:   ok      an ingress is made
    out:   ok      the ingress goes with the workload
    out: 5 passed, 0 failed
    "#);
    let tests = std::fs::read_to_string(sources().join("tests/ingress.yaml")).expect("tests");
    env.write("bad/a/b.yaml", tests.replace("value: app.example.com", "value: other"));
    insta::assert_snapshot!(test(&env.path("bad").display().to_string()), @r#"
    exit 1
    out: ~/bad/a/b.yaml
    out:   ok      a host below the domain is valid
    out:   ok      another host is not
    out:   ok      the path is filled in
    out:   FAILED  an ingress is made
    out:           it is not what was expected (-), but this (+):
    out:             spec:
    out:               env:
    out:               - name: PUBLIC_HOST
    out:           -     value: other
    out:           +     value: app.example.com
    out:               host: app.example.com
    out:               image: app:1
    out: 3 passed, 1 failed
    "#);
    env.write("broken/x.yaml", "tests: [");
    insta::assert_snapshot!(test(&env.path("broken").display().to_string()), @r#"
    exit 2
    err: error: `~/broken/x.yaml` cannot be understood
    err: caused by: line 1 column 8: unclosed bracket '['
    "#);
    let mut command = env.command(["wasi", "test", "x.wasm"]);
    insta::assert_snapshot!(env.finish({ command.current_dir(env.path("work")); command }, b""), @r#"
    exit 3
    err: error: cannot read `ext.yaml`
    err: caused by: No such file or directory (os error 2)
    "#);
}

/// A workload is validated, defaulted, synced and deleted.
#[test]
fn workload_goes_through_all_steps() {
    let env = with_guest("ingress-as", &guest("ingress-as"));
    env.write("work/app.yaml", APP);
    env.write(
        "work/other.json",
        r#"{"apiVersion":"suffiks.com/v1","kind":"Application","metadata":{"name":"app"},"spec":{"host":"a.b"}}"#,
    );
    env.write("work/around/keep.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
    env.run("extension grant ingress-as resources=networking.k8s.io/v1/ingresses:create,update")
        .ok();
    let manifest = env.read(".config/pds/extensions/ingress-as.toml");
    env.write(
        ".config/pds/extensions/ingress-as.toml",
        format!("{manifest}\n[config]\nDOMAIN = \"example.com\"\ndomain = \"no\"\n")
            .replace("domain = \"no\"\n", "other.key = \"no\"\n"),
    );

    insta::assert_snapshot!(env.run("workload validate ingress-as --workload app.yaml"), @r#"
    exit 0
    out: valid
    "#);
    insta::assert_snapshot!(env.run("workload validate ingress-as --workload other.json --type create"), @r#"
    exit 1
    out: spec.host: it is not below example.com: `a.b`
    "#);
    insta::assert_snapshot!(env.run("workload validate ingress-as --workload other.json --type delete --json"), @r#"
    exit 0
    out: {"problems":[],"schema_version":1}
    "#);
    insta::assert_snapshot!(env.run("workload default ingress-as --workload other.json"), @r#"
    exit 0
    out: {
    out:   "apiVersion": "suffiks.com/v1",
    out:   "kind": "Application",
    out:   "metadata": {
    out:     "name": "app"
    out:   },
    out:   "spec": {
    out:     "host": "a.b",
    out:     "path": "/"
    out:   }
    out: }
    "#);
    insta::assert_snapshot!(env.run("workload sync ingress-as --workload app.yaml --resources around"), @r#"
    exit 0
    out: apiVersion: suffiks.com/v1
    out: kind: Application
    out: metadata:
    out:   labels:
    out:     has-ingress: "true"
    out:   name: app
    out:   namespace: ns
    out: spec:
    out:   env:
    out:   - name: PUBLIC_HOST
    out:     value: app.example.com
    out:   host: app.example.com
    out:   image: app:1
    "#);
    let ingress = "work/around/networking.k8s.io_v1_ingresses.ns.app.yaml";
    insta::assert_snapshot!(env.read(ingress), @r#"
    apiVersion: networking.k8s.io/v1
    kind: Ingress
    metadata:
      name: app
      namespace: ns
    spec:
      rules:
      - host: app.example.com
    "#);
    insta::assert_snapshot!(env.run("workload delete ingress-as --workload app.yaml --resources around"), @r#"
    exit 0
    out: cleaned up
    err: warning: `ingress-as` may not use resources=networking.k8s.io/v1/ingresses:delete: not granted (~/.config/pds/extensions/ingress-as.toml:6); allow it with: sesame extension grant ingress-as resources=networking.k8s.io/v1/ingresses:delete
    "#);
    assert!(env.path(ingress).exists(), "`delete` is not granted");
    env.run("extension grant ingress-as resources=networking.k8s.io/v1/ingresses:delete").ok();
    insta::assert_snapshot!(env.run("workload delete ingress-as --workload app.yaml --resources around"), @r#"
    exit 0
    out: cleaned up
    "#);
    assert!(!env.path(ingress).exists() && env.path("work/around/keep.yaml").exists());
}

#[test]
fn invalid_workloads_are_named() {
    let env = with_guest("ingress-as", &guest("ingress-as"));
    env.write("work/app.yaml", APP);
    for (file, text) in [
        ("list.yaml", "- a"),
        ("broken.yaml", "a: [b"),
        ("bytes.yaml", "a: \u{1b}"),
        ("twice.yaml", "a: 1\na: 2"),
    ] {
        env.write(&format!("work/{file}"), text);
        assert_eq!(
            env.run(&format!("workload sync ingress-as --workload {file}")).code,
            2,
            "{file}"
        );
    }
    env.write("work/raw.yaml", b"\xff\xfe\xff");
    insta::assert_snapshot!(env.run("workload sync ingress-as --workload list.yaml"), @r#"
    exit 2
    err: error: `list.yaml` is not a workload
    err: caused by: it is not an object with `apiVersion`, `kind` and `metadata`
    "#);
    insta::assert_snapshot!(env.run("workload sync ingress-as --workload raw.yaml"), @r#"
    exit 2
    err: error: `raw.yaml` cannot be understood
    err: caused by: it is not text in UTF-8: the byte 1 is not
    "#);
    insta::assert_snapshot!(env.run("workload sync ingress-as --workload none.yaml"), @r#"
    exit 3
    err: error: cannot read `none.yaml`
    err: caused by: No such file or directory (os error 2)
    "#);
    env.write("work/twice/a.yaml", APP);
    env.write("work/twice/b.yaml", APP);
    insta::assert_snapshot!(env.run("workload sync ingress-as --workload app.yaml --resources twice"), @r#"
    exit 2
    err: error: `twice/a.yaml` and `twice/b.yaml` are the same resource
    "#);
    env.write("work/greeting.wasm", guest("greeting"));
    env.run("extension install ./greeting.wasm").ok();
    insta::assert_snapshot!(env.run("workload sync greeting --workload app.yaml"), @r#"
    exit 2
    err: error: the extension does not work on workloads; only modules that import `suffiks` do
    err: hint: see its functions: sesame extension info greeting
    "#);
}

/// Makes a module that sets these variables, whatever it is asked about.
fn sets(variables: &[(&str, &str)]) -> Vec<u8> {
    let message = |name: &str, value: &str| {
        [&[10, name.len() as u8], name.as_bytes(), &[18, value.len() as u8], value.as_bytes()]
            .concat()
    };
    let (mut data, mut calls) = (Vec::new(), String::new());
    for (name, value) in variables {
        let bytes = message(name, value);
        calls += &format!("(call $add (i32.const {}) (i32.const {}))", data.len(), bytes.len());
        data.extend(bytes);
    }
    let escaped: String = data.iter().map(|byte| format!("\\{byte:02x}")).collect();
    wat::parse_str(format!(
        r#"(module (import "suffiks" "AddEnv" (func $add (param i32 i32)))
            (memory (export "memory") 1) (data (i32.const 0) "{escaped}")
            (func (export "Sync") {calls}) (func (export "Delete") (result i64) i64.const 0)
            (func (export "Defaulting") (result i64) i64.const 0) (func (export "Validate") (param i32))
            (func (export "malloc") (param i32) (result i32) i32.const 1024) (func (export "free") (param i32)))"#
    ))
    .expect("valid text")
}

#[test]
fn exec_sees_granted_variables_only() {
    let hostile = sets(&[
        ("APP_MODE", "dev"),
        ("APP_MODE", "test"),
        ("LD_PRELOAD", "/tmp/evil.so"),
        ("PATH", "/tmp/evil"),
        ("BASH_ENV", "/tmp/evil.sh"),
        ("GIT_SSH_COMMAND", "evil"),
        ("APP_PRELOAD", "evil"),
        ("A=B", "x"),
        ("APP_X", "\0"),
    ]);
    let env = with_guest("dev-env", &hostile);
    insta::assert_snapshot!(env.run("extension exec dev-env -- /usr/bin/env"), @r#"
    exit 0
    out: HOME=~
    err: warning: `dev-env` may not use exec-env=APP_MODE: not granted (~/.config/pds/extensions/dev-env.toml:6); allow it with: sesame extension grant dev-env exec-env=APP_MODE
    err: warning: `dev-env` may not use exec-env=LD_PRELOAD: not granted (~/.config/pds/extensions/dev-env.toml:6); allow it with: sesame extension grant dev-env exec-env=LD_PRELOAD
    err: warning: `dev-env` may not use exec-env=PATH: not granted (~/.config/pds/extensions/dev-env.toml:6); allow it with: sesame extension grant dev-env exec-env=PATH
    err: warning: `dev-env` may not use exec-env=BASH_ENV: not granted (~/.config/pds/extensions/dev-env.toml:6); allow it with: sesame extension grant dev-env exec-env=BASH_ENV
    err: warning: `dev-env` may not use exec-env=GIT_SSH_COMMAND: not granted (~/.config/pds/extensions/dev-env.toml:6); allow it with: sesame extension grant dev-env exec-env=GIT_SSH_COMMAND
    err: warning: `dev-env` may not use exec-env=APP_PRELOAD: not granted (~/.config/pds/extensions/dev-env.toml:6); allow it with: sesame extension grant dev-env exec-env=APP_PRELOAD
    err: warning: `dev-env` does not set `A=B`: not a valid variable
    err: warning: `dev-env` does not set `APP_X`: not a valid variable
    "#);
    env.run("extension grant dev-env exec-env=APP_*").ok();
    insta::assert_snapshot!(env.run("extension exec dev-env --quiet -- /usr/bin/env"), @r#"
    exit 0
    out: APP_MODE=test
    out: HOME=~
    "#);
    env.run("extension grant dev-env exec-env=GIT_SSH_COMMAND").ok();
    insta::assert_snapshot!(env.run("extension exec dev-env --quiet -- /usr/bin/env"), @r#"
    exit 0
    out: APP_MODE=test
    out: GIT_SSH_COMMAND=evil
    out: HOME=~
    "#);
    insta::assert_snapshot!(env.run_with(["extension", "exec", "dev-env", "--quiet", "--", "/bin/sh", "-c", "exit 7"], b"").code, @"7");
    insta::assert_snapshot!(env.run("extension exec dev-env --quiet -- ./nothing"), @r#"
    exit 3
    err: error: cannot run `./nothing`
    err: caused by: No such file or directory (os error 2)
    "#);
    insta::assert_snapshot!(env.run("extension exec dev-env"), @r#"
    exit 2
    err: error: the following required arguments were not provided:
    err:   <COMMAND>...
    err: 
    err: Usage: sesame extension exec <NAME> -- <COMMAND>...
    err: 
    err: For more information, try '--help'.
    "#);
    let log = env.run("extension activity dev-env").ok().text();
    assert!(log.contains("exec-env=LD_PRELOAD") && log.contains("exec-env=APP_MODE"), "{log}");
}

#[test]
fn plain_modules_take_numbers() {
    let module = |pages: u32| {
        let text = format!(
            r#"(module (memory (export "memory") {pages})
            (func (export "malloc") (param i32) (result i32) i32.const 1024)
            (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
            (func (export "echo") (param i32 i32) (result i64)
                (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))"#
        );
        wat::parse_str(text).expect("valid")
    };
    let env = with_guest("plain", &module(1));
    env.write("work/roomy.wasm", module(130));
    env.run("extension install ./roomy.wasm").ok();
    insta::assert_snapshot!(env.run("extension call plain add 2 -5"), @r#"
    exit 0
    out: -3
    "#);
    insta::assert_snapshot!(env.run("extension call plain echo --bytes hello"), @r#"
    exit 0
    out: hello
    "#);
    insta::assert_snapshot!(env.run_with(["extension", "call", "plain", "echo", "--bytes", "-"], b"\x00\xff").stdout.escape_ascii(), @r"\x00\xff");
    let json = env.run("extension call plain echo --bytes hello --json").ok().text();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let memory = json["usage"]["memory_bytes"].as_u64();
    assert_eq!(
        (memory, json["result"].as_array().map(Vec::len)),
        (Some(64 << 10), Some(5)),
        "{json}"
    );
    // As much as has to pass within the default limits.
    let much = vec![0xa5; 8 << 20];
    let back = env.run_with(["extension", "call", "roomy", "echo", "--bytes", "-"], &much);
    assert!(back.ok().stdout == much, "other bytes came back");
    insta::assert_snapshot!(env.run("extension call plain add --bytes a b"), @r#"
    exit 2
    err: error: 2 arguments of bytes are 4 numbers, which the function does not take: func(p0: s32, p1: s32) -> s32
    err: hint: sesame extension info plain
    "#);
    insta::assert_snapshot!(env.run("extension call plain minus 1 2"), @r#"
    exit 3
    err: error: there is no function `minus`
    err: these can be called:
    err:   malloc: func(p0: s32) -> s32
    err:   add: func(p0: s32, p1: s32) -> s32
    err:   echo: func(p0: s32, p1: s32) -> s64
    err: hint: sesame extension call plain malloc 1
    "#);
}

#[test]
fn missing_export_fails_install() {
    let env = env();
    env.write(
        "work/bad.wasm",
        wat::parse_str(r#"(module (import "suffiks" "AddEnv" (func (param i32 i32))))"#)
            .expect("valid"),
    );
    insta::assert_snapshot!(env.run("extension install ./bad.wasm"), @r#"
    exit 2
    err: error: an extension of Suffiks has to export `Sync() -> ()`, `Delete() -> i64`, `Defaulting() -> i64`, `Validate(i32) -> ()`, `malloc(i32) -> i32`, `free(i32) -> ()`, a memory `memory`, and this module does not; it exports nothing
    err: hint: see the exports of a module of Suffiks in docs/wasi-runtime.md
    "#);
    let registry = MemoryRegistry::start().expect("a registry");
    insta::assert_snapshot!(env.run(&format!("wasi publish --tag {}/a/b bad.wasm", registry.host())).hiding_registry(&registry), @r#"
    exit 2
    err: error: an extension of Suffiks has to export `Sync() -> ()`, `Delete() -> i64`, `Defaulting() -> i64`, `Validate(i32) -> ()`, `malloc(i32) -> i32`, `free(i32) -> ()`, a memory `memory`, and this module does not; it exports nothing
    err: hint: see the exports of a module of Suffiks in docs/wasi-runtime.md
    "#);
    env.write("work/component.wasm", guest("greeting"));
    insta::assert_snapshot!(env.run(&format!("wasi publish --tag {}/a/b component.wasm", registry.host())).hiding_registry(&registry), @r#"
    exit 2
    err: error: `component.wasm` is a component
    err: hint: sesame extension publish REGISTRY/a/b:latest component.wasm
    "#);
    assert_eq!(env.run("extension list").ok().text(), "");
}

/// A module that prints, and then ends itself as `abort` of some languages does.
const ABORTS: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "suffiks" "GetSpec" (func (result i64)))
    (memory (export "memory") 1) (data (i32.const 0) "\10\00\00\00\0e\00\00\00") (data (i32.const 16) "abort: because")
    (func (export "Sync") (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 64))) (call $exit (i32.const 255)))
    (func (export "Delete") (result i64) i64.const 0) (func (export "Defaulting") (result i64) i64.const 0)
    (func (export "Validate") (param i32) (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64))))
    (func (export "malloc") (param i32) (result i32) i32.const 1024) (func (export "free") (param i32)))"#;

/// A document is found among others in one file, and the output of a module is shown.
#[test]
fn document_among_others_is_found() {
    let env = env();
    env.write("work/m.wasm", wat::parse_str(ABORTS).expect("valid text"));
    env.write(
        "work/ext.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: x\n---\napiVersion: suffiks.com/v1\nkind: Extension\n\
         metadata:\n  name: x\nspec:\n  targets: [Application]\n---\nkind: ConfigMap\n",
    );
    let app = "{apiVersion: suffiks.com/v1, kind: Application, metadata: {name: a, namespace: b}, spec: {}}";
    env.write(
        "work/tests/a.yaml",
        format!("tests:\n- name: well\n  validate: {{resource: {app}, type: create}}\n"),
    );
    insta::assert_snapshot!(env.run("wasi test m.wasm"), @r#"
    exit 0
    out: ./tests/a.yaml
    out:   ok      well
    out: 1 passed, 0 failed
    "#);
    insta::assert_snapshot!(env.run("wasi test m.wasm --verbose"), @r#"
    exit 0
    out: ./tests/a.yaml
    out:   ok      well
    out:         | abort: because
    out: 1 passed, 0 failed
    "#);
    env.write("work/tests/a.yaml", format!("tests:\n- name: badly\n  sync: {{resource: {app}}}\n"));
    insta::assert_snapshot!(env.run("wasi test m.wasm"), @"
    exit 1
    out: ./tests/a.yaml
    out:   FAILED  badly
    out:           the extension exited with status 255 instead of returning a value
    out:         | abort: because
    out: 0 passed, 1 failed
    ");
    env.write("work/ext.yaml", "a: 1\n---\nb: [1");
    assert_eq!(env.run("wasi test m.wasm").code, 2);
}
