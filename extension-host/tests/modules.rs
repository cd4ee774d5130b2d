//! Core modules: calls with numbers and bytes, and everything that can be wrong with those.

use crate::support;

use core_types::LimitName;
use extension_host::{
    Arguments, CallError, CallReport, Code, CodeKind, Host, HostError, Permissions,
};
use support::{call, extension, permissions, text, try_extension, wat};

/// Makes a module with some room to allocate, and this in it.
fn module(body: &str) -> Vec<u8> {
    wat(&format!(
        r#"(module
            {body}
            (memory (export "memory") 1 16)
            (global $top (mut i32) (i32.const 4096))
            (func $malloc (export "malloc") (param $size i32) (result i32)
                global.get $top (global.set $top (i32.add (global.get $top) (local.get $size)))))"#
    ))
}

const ECHO: &str = r#"
    (func (export "echo") (param i32 i32) (result i64)
        (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1))))
    (func (export "nothing") (param i32 i32) (result i64) i64.const 0)
    (func (export "length") (param i32 i32) (result i32) local.get 1)
    (func (export "beyond") (param i32 i32) (result i64) i64.const 0xffffffff00000010)
    (func (export "wide") (param i32 i32) (result i64) i64.const 0x10ffffffff)"#;

fn bytes(binary: &[u8], function: &str, arguments: &[&[u8]]) -> CallReport {
    let arguments = Arguments::Bytes(arguments.iter().map(|bytes| bytes.to_vec()).collect());
    extension(binary, "").call_blocking(function, &arguments)
}

fn fault(report: CallReport) -> String {
    match report.outcome {
        Err(error @ CallError::Fault(_)) => error.to_string(),
        other => panic!("a fault, and not {other:?}"),
    }
}

#[test]
fn numbers_go_in_and_out() {
    let numbers = module(
        r#"(func (export "add") (param i32 i64) (result i64) (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1)))
           (func (export "half") (param f64) (result f32) (f32.demote_f64 (f64.div (local.get 0) (f64.const 2))))
           (func (export "quiet"))
           (func (export "two") (result i32 i32) i32.const 1 i32.const 2)
           (func (export "_initialize"))"#,
    );
    let numbers = extension(&numbers, "");
    assert_eq!(text(&numbers, "add", &["-5", "9000000000"]), "8999999995");
    assert_eq!(text(&numbers, "half", &["3"]), "1.5");
    assert_eq!(text(&numbers, "quiet", &[]), "");
    let shown: Vec<_> = numbers.exports().iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "add: func(p0: s32, p1: s64) -> s64",
            "half: func(p0: f64) -> f32",
            "quiet: func()",
            "malloc: func(p0: s32) -> s32",
        ]
    );
    for (function, arguments) in [("add", ["1", "x"]), ("add", ["4294967296", "1"])] {
        assert!(matches!(
            call(&numbers, function, &arguments).outcome,
            Err(CallError::Argument(_))
        ));
    }
}

#[test]
fn bytes_pass_through_malloc() {
    let echo = module(ECHO);
    let returned =
        |function: &str, given: &[&[u8]]| bytes(&echo, function, given).outcome.expect(function);
    assert_eq!(returned("echo", &[b"a\0b\xff"]).bytes().as_deref(), Some(&b"a\0b\xff"[..]));
    assert_eq!(returned("echo", &[b""]).bytes().as_deref(), Some(&b""[..]));
    assert_eq!(returned("nothing", &[b"x"]).bytes(), None);
    assert_eq!(returned("length", &[&[7; 1000]]).to_text(), "1000");
    for (function, given) in
        [("echo", vec![]), ("echo", vec![&b"a"[..], b"b"]), ("malloc", vec![b"a"])]
    {
        let outcome = bytes(&echo, function, &given).outcome;
        assert!(
            matches!(outcome, Err(CallError::Argument(_))),
            "{function} {given:?}: {outcome:?}"
        );
    }
}

/// An address outside of memory and a `malloc` that lies are clean errors.
#[test]
fn bad_address_and_malloc_are_errors() {
    let with_malloc = |body: &str| {
        wat(&format!(
            r#"(module (memory (export "memory") 1)
                (func (export "malloc") (param i32) (result i32) {body})
                (func (export "f") (param i32 i32) (result i64) i64.const 0))"#
        ))
    };
    insta::assert_snapshot!(fault(bytes(&module(ECHO), "beyond", &[b"a"])), @"the extension violated the module ABI: it named 16 bytes at 0xffffffff, and its memory has 65536");
    insta::assert_snapshot!(fault(bytes(&module(ECHO), "wide", &[b"a"])), @"the extension violated the module ABI: it named 4294967295 bytes at 0x10, and its memory has 65536");
    insta::assert_snapshot!(fault(bytes(&with_malloc("i32.const 0"), "f", &[b"abc"])), @"the extension violated the module ABI: its `malloc` was asked for 3 bytes and gave 0x0, where they do not fit");
    insta::assert_snapshot!(fault(bytes(&with_malloc("i32.const -2"), "f", &[b"abc"])), @"the extension violated the module ABI: its `malloc` was asked for 3 bytes and gave 0xfffffffe, where they do not fit");
    insta::assert_snapshot!(fault(bytes(&with_malloc("i32.const 65534"), "f", &[b"abc"])), @"the extension violated the module ABI: its `malloc` was asked for 3 bytes and gave 0xfffe, where they do not fit");
    let without = wat(
        r#"(module (memory (export "memory") 1) (func (export "f") (param i32 i32) (result i64) i64.const 0))"#,
    );
    insta::assert_snapshot!(fault(bytes(&without, "f", &[b"abc"])), @"the extension violated the module ABI: it does not export `malloc(i32) -> i32`, which gives the host room for bytes");
    let blind = wat(r#"(module (func (export "f") (param i32 i32) (result i64) i64.const 0))"#);
    insta::assert_snapshot!(fault(bytes(&blind, "f", &[b"abc"])), @"the extension violated the module ABI: it exports no memory, so that no bytes can be handed over");
    let report = bytes(&with_malloc("(loop br 0) i32.const 1"), "f", &[b"abc"]);
    assert!(
        matches!(report.outcome, Err(CallError::Limit(ref over)) if over.limit.name == LimitName::Fuel)
    );
    assert!(matches!(
        bytes(&with_malloc("unreachable"), "f", &[b"a"]).outcome,
        Err(CallError::Trap { .. })
    ));
}

/// Configuration is the environment, and output is kept.
#[test]
fn module_gets_config_keeps_output() {
    let prints_environment = wat(r#"(module
            (import "wasi_snapshot_preview1" "environ_get" (func $get (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "_start")
                (drop (call $sizes (i32.const 0) (i32.const 4)))
                (drop (call $get (i32.const 64) (i32.const 1024)))
                (i32.store (i32.const 8) (i32.const 1024))
                (i32.store (i32.const 12) (i32.load (i32.const 4)))
                (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))))"#);
    let config = serde_json::from_str(r#"{"greeting.template": "Hi", "UPPER": "up"}"#)
        .expect("a configuration");
    let report = call(
        &try_extension(
            &prints_environment,
            Permissions { config, ..permissions("config-read = true", "") },
        )
        .expect("links"),
        "_start",
        &[],
    );
    report.outcome.expect("it returns");
    assert_eq!(report.output.escape_ascii().to_string(), r"UPPER=up\x00GREETING_TEMPLATE=Hi\x00");
}

#[test]
fn module_has_every_limit() {
    let spins = module(
        r#"(func (export "spin") (loop br 0))
        (func $deep (export "deep") call $deep)
        (func (export "grow") (result i32) (memory.grow (i32.const 15)))"#,
    );
    let report = call(&extension(&spins, "max_fuel = 10_000"), "spin", &[]);
    assert!(
        matches!(report.outcome, Err(CallError::Limit(ref over)) if over.limit.name == LimitName::Fuel)
    );
    let report =
        call(&extension(&spins, "timeout_ms = 30\nmax_fuel = 1_000_000_000_000"), "spin", &[]);
    assert!(
        matches!(report.outcome, Err(CallError::Limit(ref over)) if over.limit.name == LimitName::Timeout)
    );
    let report = call(&extension(&spins, ""), "deep", &[]);
    assert!(
        matches!(report.outcome, Err(CallError::Limit(ref over)) if over.limit.name == LimitName::Stack)
    );
    assert_eq!(text(&extension(&spins, ""), "grow", &[]), "1");
    assert_eq!(text(&extension(&spins, "max_memory_mib = 1"), "grow", &[]), "1");
}

#[test]
fn endless_host_calls_end_in_time() {
    let calls = |name: &str, parameters: &str, arguments: &str| {
        wat(&format!(
            r#"(module (import "wasi_snapshot_preview1" "{name}" (func $f (param {parameters}) (result i32)))
                (memory (export "memory") 1)
                (data (i32.const 0) "\10\00\00\00\00\40\00\00")
                (func (export "run") (loop (drop (call $f {arguments})) (br 0))))"#
        ))
    };
    let limits = "timeout_ms = 100\nmax_fuel = 1_000_000_000_000";
    for (name, parameters, arguments) in [
        ("random_get", "i32 i32", "(i32.const 0) (i32.const 65000)"),
        ("clock_time_get", "i32 i64 i32", "(i32.const 0) (i64.const 1) (i32.const 64)"),
        ("sched_yield", "", ""),
    ] {
        let started = std::time::Instant::now();
        let report = call(&extension(&calls(name, parameters, arguments), limits), "run", &[]);
        assert!(
            matches!(report.outcome, Err(CallError::Limit(ref over)) if over.limit.name == LimitName::Timeout),
            "{name}"
        );
        assert!(started.elapsed().as_secs() < 5, "{name}");
    }
    let floods = calls(
        "fd_write",
        "i32 i32 i32 i32",
        "(i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)",
    );
    let report = call(&extension(&floods, "max_output_kib = 64\nmax_fuel = 1_000_000"), "run", &[]);
    assert!(report.output.len() <= 64 * 1024);
    assert!(matches!(report.outcome, Err(CallError::Limit(_))));
}

/// Every function of preview 1, with its types and a harmless call.
const PREVIEW_1: [(&str, &str, &str); 45] = [
    ("args_get", "i32 i32", "0 0"),
    ("args_sizes_get", "i32 i32", "0 4"),
    ("environ_get", "i32 i32", "0 0"),
    ("environ_sizes_get", "i32 i32", "0 4"),
    ("clock_res_get", "i32 i32", "1 0"),
    ("clock_time_get", "i32 i64 i32", "1 0 0"),
    ("fd_advise", "i32 i64 i64 i32", "3 0 0 0"),
    ("fd_allocate", "i32 i64 i64", "3 0 8"),
    ("fd_close", "i32", "0"),
    ("fd_datasync", "i32", "3"),
    ("fd_fdstat_get", "i32 i32", "1 0"),
    ("fd_fdstat_set_flags", "i32 i32", "1 0"),
    ("fd_fdstat_set_rights", "i32 i64 i64", "1 0 0"),
    ("fd_filestat_get", "i32 i32", "1 0"),
    ("fd_filestat_set_size", "i32 i64", "3 0"),
    ("fd_filestat_set_times", "i32 i64 i64 i32", "3 0 0 0"),
    ("fd_pread", "i32 i32 i32 i64 i32", "3 0 1 0 64"),
    ("fd_prestat_get", "i32 i32", "3 0"),
    ("fd_prestat_dir_name", "i32 i32 i32", "3 0 8"),
    ("fd_pwrite", "i32 i32 i32 i64 i32", "3 0 1 0 64"),
    ("fd_read", "i32 i32 i32 i32", "0 0 1 64"),
    ("fd_readdir", "i32 i32 i32 i64 i32", "3 0 64 0 128"),
    ("fd_renumber", "i32 i32", "0 1"),
    ("fd_seek", "i32 i64 i32 i32", "1 0 0 64"),
    ("fd_sync", "i32", "3"),
    ("fd_tell", "i32 i32", "1 0"),
    ("fd_write", "i32 i32 i32 i32", "1 0 1 64"),
    ("path_create_directory", "i32 i32 i32", "3 0 1"),
    ("path_filestat_get", "i32 i32 i32 i32 i32", "3 0 0 1 64"),
    ("path_filestat_set_times", "i32 i32 i32 i32 i64 i64 i32", "3 0 0 1 0 0 0"),
    ("path_link", "i32 i32 i32 i32 i32 i32 i32", "3 0 0 1 3 0 1"),
    ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32", "3 0 0 1 0 0 0 0 64"),
    ("path_readlink", "i32 i32 i32 i32 i32 i32", "3 0 1 64 8 128"),
    ("path_remove_directory", "i32 i32 i32", "3 0 1"),
    ("path_rename", "i32 i32 i32 i32 i32 i32", "3 0 1 3 0 1"),
    ("path_symlink", "i32 i32 i32 i32 i32", "0 1 3 0 1"),
    ("path_unlink_file", "i32 i32 i32", "3 0 1"),
    ("poll_oneoff", "i32 i32 i32 i32", "0 64 0 128"),
    ("proc_raise", "i32", "6"),
    ("sched_yield", "", ""),
    ("random_get", "i32 i32", "0 8"),
    ("sock_accept", "i32 i32 i32", "0 0 64"),
    ("sock_recv", "i32 i32 i32 i32 i32 i32", "0 0 1 0 64 68"),
    ("sock_send", "i32 i32 i32 i32 i32", "0 0 1 0 64"),
    ("sock_shutdown", "i32 i32", "0 3"),
];

#[test]
#[expect(clippy::print_stdout, reason = "counted by cargo xtask security-tests")]
fn preview_1_matches_the_list() {
    let answer = |(name, types, values): (&str, &str, &str)| {
        let arguments = types.split_whitespace().zip(values.split_whitespace());
        let arguments: String =
            arguments.map(|(ty, value)| format!(" ({ty}.const {value})")).collect();
        let module = wat(&format!(
            r#"(module (import "wasi_snapshot_preview1" "{name}" (func $f (param {types}) (result i32)))
            (memory (export "memory") 1) (func (export "f") (result i32) (call $f{arguments})))"#
        ));
        let said = match call(&extension(&module, "timeout_ms = 1000"), "f", &[]).outcome {
            Ok(errno) => errno.to_text(),
            Err(CallError::Other(error)) => error.root_cause().to_string(),
            Err(error) => error.to_string(),
        };
        format!("{name}: {said}")
    };
    println!("cases: {}", PREVIEW_1.len());
    // 8 is a bad descriptor, 28 an invalid argument, 57 not a socket, 58 not supported, 70 nothing
    // to seek in.
    insta::assert_snapshot!(PREVIEW_1.map(answer).join("\n"), @"
    args_get: 0
    args_sizes_get: 0
    environ_get: 0
    environ_sizes_get: 0
    clock_res_get: 0
    clock_time_get: 0
    fd_advise: 8
    fd_allocate: 8
    fd_close: 0
    fd_datasync: 8
    fd_fdstat_get: 0
    fd_fdstat_set_flags: 8
    fd_fdstat_set_rights: 8
    fd_filestat_get: 0
    fd_filestat_set_size: 8
    fd_filestat_set_times: 8
    fd_pread: 8
    fd_prestat_get: 8
    fd_prestat_dir_name: 8
    fd_pwrite: 8
    fd_read: 0
    fd_readdir: 8
    fd_renumber: 0
    fd_seek: 70
    fd_sync: 8
    fd_tell: 70
    fd_write: 0
    path_create_directory: 8
    path_filestat_get: 8
    path_filestat_set_times: 8
    path_link: 8
    path_open: 8
    path_readlink: 8
    path_remove_directory: 8
    path_rename: 8
    path_symlink: 8
    path_unlink_file: 8
    poll_oneoff: 28
    proc_raise: 58
    sched_yield: 0
    random_get: 0
    sock_accept: 57
    sock_recv: 57
    sock_send: 57
    sock_shutdown: 57
    ");
}

/// Links a module with these imports, and returns the reasons why it does not link.
fn refused(imports: &str) -> String {
    match try_extension(&wat(&format!("(module {imports})")), Permissions::default()) {
        Err(HostError::Refused(refusals)) => {
            refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        }
        Err(other) => format!("{other:?}"),
        Ok(_) => panic!("it links"),
    }
}

#[test]
fn unknown_module_import_is_named() {
    insta::assert_snapshot!(refused(r#"(import "env" "abort" (func)) (import "wasi_unstable" "fd_write" (func))"#), @"`env.abort` has another type in sesame: that of AssemblyScript, `(func (param i32 i32 i32 i32))`; `wasi_unstable` is for a draft of WASI 0.1 of 2019");
    let many: String = (0..99).map(|at| format!(r#"(import "env" "f{at}" (func))"#)).collect();
    assert_eq!(refused(&many).matches("; ").count(), 15);
    insta::assert_snapshot!(refused(r#"(import "wasi_snapshot_preview1" "fd_wrote" (func))"#), @"`wasi_snapshot_preview1.fd_wrote` is not provided by sesame");
    insta::assert_snapshot!(refused(r#"(import "wasi_snapshot_preview1" "fd_write" (func))"#), @"`wasi_snapshot_preview1.fd_write` has another type in sesame: types incompatible: expected type `(func)`, found type `(func (param i32 i32 i32 i32) (result i32))`");
}

/// The names of AssemblyScript's functions are common words, so that their types count as well.
#[test]
fn assemblyscript_is_told_by_types() {
    insta::assert_snapshot!(refused(r#"(import "env" "abort" (func (param i32 i32 i32 i32))) (import "env" "seed" (func (result f64))) (import "env" "now" (func)) (import "env" "seed" (func (result f64)))"#), @"`env.seed` is for AssemblyScript, for JavaScript; `env.now` is not provided by sesame");
    insta::assert_snapshot!(refused(r#"(import "env" "trace" (func (param i32 i32 f64 f64 f64 f64 f64)))"#), @"`env.trace` is for AssemblyScript, for JavaScript");
    insta::assert_snapshot!(refused(r#"(import "env" "trace" (func (param i32 i32))) (import "env" "seed" (func (param i64)))"#), @"`env.seed` is not provided by sesame; `env.trace` is not provided by sesame");
    insta::assert_snapshot!(refused(r#"(import "env" "abort" (func (param i32)))"#), @"`env.abort` has another type in sesame: that of AssemblyScript, `(func (param i32 i32 i32 i32))`");
    insta::assert_snapshot!(refused(r#"(import "env" "abort" (func (param i32))) (import "env" "db_read" (func (param i32) (result i32)))"#), @"`env` is for CosmWasm");
}

/// Functions beside an imported memory belong to the same host, which is not known.
#[test]
fn functions_beside_memory_are_named() {
    insta::assert_snapshot!(refused(r#"(import "seal0" "seal_input" (func)) (import "env" "memory" (memory 1)) (import "env" "mine" (func))"#), @"`env.memory` is for a host that gives it its memory; `env.mine` is not provided by sesame; `seal0` is for Polkadot contracts");
    insta::assert_snapshot!(refused(r#"(import "env" "memory" (memory 1)) (import "env" "Date.now" (func (result f64)))"#), @"`env.Date.now` is for AssemblyScript, for JavaScript; `env.memory` is for a host that gives it its memory");
}

#[test]
fn host_of_several_imports_is_named() {
    insta::assert_snapshot!(refused(r#"(import "l" "1" (func)) (import "a" "b" (func))"#), @"`a` is for Stellar contracts (Soroban); `l` is for Stellar contracts (Soroban)");
    // Wasmtime's own error would name only the first, by its type.
    insta::assert_snapshot!(refused(r#"(import "wasi_snapshot_preview1" "sock_accept" (func (param i32 i32) (result i32))) (import "wasi_snapshot_preview1" "sock_open" (func (param i32 i32 i32) (result i32)))"#), @"`wasi_snapshot_preview1.sock_open` is for WasmEdge");
    insta::assert_snapshot!(refused(r#"(import "wasi:cli/stdout@0.2.0" "get-stdout" (func (result i32)))"#), @"`wasi:cli/stdout@0.2.0` is for a component: the module has lost its `component-type` section");
}

#[test]
fn modules_are_told_from_components() {
    let host = Host::new().expect("a host");
    let code: Code = host.compile(&module(ECHO)).expect("compiles");
    assert_eq!((code.kind(), host.takes_workloads(&code)), (CodeKind::Module, false));
}
