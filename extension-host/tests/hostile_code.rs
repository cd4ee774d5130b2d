//! Code that was written, cut or bent to break the host: bulk operations, the canonical ABI,
//! descriptors, disabled proposals.

use crate::support;

use std::time::Duration;

use core_types::{LimitName, LimitOrigin};
use extension_host::{CallError, CallReport, Host};
use support::{
    DESKTOP, ECHO, GREETING, HOSTILE, PROBE, assert_exceeded, call, extension, permissions, text,
    try_extension, wat,
};

/// Makes a component around one core function `f` without arguments or results.
fn core(body: &str) -> Vec<u8> {
    wat(&format!(
        r#"(component
        (core module $m
            (memory (export "memory") 16 1024)
            (func (export "f") {body}))
        (core instance $i (instantiate $m))
        (func (export "f") (canon lift (core func $i "f"))))"#
    ))
}

#[test]
fn bulk_operations_are_stopped() {
    let loops = [
        "(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 1048576)) (br $l))",
        "(loop $l (memory.copy (i32.const 0) (i32.const 524288) (i32.const 524288)) (br $l))",
        "(loop $l (br_table $l $l $l (i32.const 1)))",
        "(loop $l (drop (memory.grow (i32.const 0))) (br $l))",
        "(local i64) (loop $l (local.set 0 (i64.rem_u (i64.const -1) (i64.const 3))) (br $l))",
    ];
    for body in loops {
        let endless = core(body);
        let in_time = "max_fuel = 9_000_000_000_000_000_000\ntimeout_ms = 300\nmax_memory_mib = 64";
        let report = call(&extension(&endless, in_time), "f", &[]);
        assert_exceeded(&report, LimitName::Timeout, 300, LimitOrigin::Manifest);
        assert!(
            report.usage.elapsed < Duration::from_millis(2_000),
            "{body}: {:?}",
            report.usage.elapsed
        );
        let report = call(&extension(&endless, "max_fuel = 1_000_000"), "f", &[]);
        assert_exceeded(&report, LimitName::Fuel, 1_000_000, LimitOrigin::Manifest);
    }
}

/// Makes a component whose `f` returns a string at `at` with `length`, through a `realloc` of this
/// body.
fn string_at(at: u32, length: u32, encoding: &str) -> Vec<u8> {
    wat(&format!(
        r#"(component
        (core module $m
            (memory (export "memory") 1 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
            (func (export "f") (result i32)
                (i32.store (i32.const 0) (i32.const {at})) (i32.store (i32.const 4) (i32.const {length})) (i32.const 0)))
        (core instance $i (instantiate $m))
        (func (export "f") (result string) (canon lift (core func $i "f")
            (memory (core memory $i "memory")) (realloc (core func $i "realloc")) string-encoding={encoding})))"#
    ))
}

/// Checks that a call ended with an error of the guest.
#[track_caller]
fn is_refused(report: &CallReport) {
    assert!(
        matches!(&report.outcome, Err(CallError::Trap { .. } | CallError::Other(_))),
        "{report:?}"
    );
}

#[test]
fn invalid_strings_are_refused() {
    let places =
        [(0xffff_fff0, 64), (65_530, 100), (0, 0xffff_ffff), (65_536, 1), (1, 0x7fff_ffff)];
    for encoding in ["utf8", "utf16", "latin1+utf16"] {
        for (at, length) in places {
            is_refused(&call(&extension(&string_at(at, length, encoding), ""), "f", &[]));
        }
    }
    // Neither bytes that are not UTF-8, nor half a surrogate pair, nor an unaligned place.
    let with_bytes = |bytes: &str, length: u32, encoding: &str| {
        let component = wat(&format!(
            r#"(component
            (core module $m
                (memory (export "memory") 1 1) (data (i32.const 64) "{bytes}")
                (func (export "f") (result i32)
                    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const {length})) (i32.const 0)))
            (core instance $i (instantiate $m))
            (func (export "f") (result string) (canon lift (core func $i "f")
                (memory (core memory $i "memory")) string-encoding={encoding})))"#
        ));
        call(&extension(&component, ""), "f", &[])
    };
    is_refused(&with_bytes(r"\ff\fe\fd", 3, "utf8"));
    is_refused(&with_bytes(r"\ed\a0\80", 3, "utf8"));
    is_refused(&with_bytes(r"\00\d8", 1, "utf16"));
    assert_eq!(with_bytes("ok", 2, "utf8").outcome.expect("a string").to_text(), "ok");
    is_refused(&call(&extension(&string_at(65, 2, "utf16"), ""), "f", &[]));
}

#[test]
fn lying_realloc_is_refused() {
    let taking = |realloc: &str| {
        wat(&format!(
            r#"(component
            (core module $m
                (memory (export "memory") 1 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc})
                (func (export "f") (param i32 i32)))
            (core instance $i (instantiate $m))
            (func (export "f") (param "text" string) (canon lift (core func $i "f")
                (memory (core memory $i "memory")) (realloc (core func $i "realloc")) string-encoding=utf16)))"#
        ))
    };
    for realloc in
        ["(i32.const -1)", "(i32.const 65535)", "(i32.const 3)", "unreachable", "(i32.const 65536)"]
    {
        is_refused(&call(&extension(&taking(realloc), ""), "f", &["some text"]));
    }
    let giving = |ty: &str, value: &str| {
        let component = wat(&format!(
            r#"(component
            (core module $m (memory (export "memory") 1 1) (func (export "f") (result i32) {value}))
            (core instance $i (instantiate $m))
            (func (export "f") (result {ty}) (canon lift (core func $i "f") (memory (core memory $i "memory")))))"#
        ));
        call(&extension(&component, ""), "f", &[])
    };
    for value in ["(i32.const 0xd800)", "(i32.const 0x110000)", "(i32.const -1)"] {
        is_refused(&giving("char", value));
    }
    is_refused(&giving("(result)", "(i32.const 2)"));
    is_refused(&giving("(option s8)", "(i32.store8 (i32.const 8) (i32.const 77)) (i32.const 8)"));
}

/// Makes a preview-1 module around this body, with a few functions of WASI.
fn preview1(body: &str) -> Vec<u8> {
    wat(&format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_renumber" (func $renumber (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_recv" (func $receive (param i32 i32 i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_shutdown" (func $shutdown (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (memory (export "memory") 1 1)
        (func (export "f") (result i32) {body}))"#
    ))
}

/// Returns the `errno` that a module gets, or the error that ends the call.
fn errno(body: &str) -> Result<String, CallError> {
    call(&extension(&preview1(body), "timeout_ms = 1000"), "f", &[])
        .outcome
        .map(|value| value.to_text())
}

/// Descriptors that are moved, closed and made up do no harm.
#[test]
fn misused_descriptors_are_harmless() {
    const BADF: &str = "8";
    for (from, to) in
        [(0, 0), (1, 2), (3, 1), (1, 3), (-1, 0), (0, -1), (99, 100), (2, 2_000_000_000)]
    {
        let moved = errno(&format!("(call $renumber (i32.const {from}) (i32.const {to}))"));
        assert!(moved.is_ok(), "{from} to {to}: {moved:?}");
    }
    for descriptor in [3, 99, -1, i32::MIN] {
        assert_eq!(
            errno(&format!("(call $close (i32.const {descriptor}))")).expect("an answer"),
            BADF
        );
        let open = format!(
            "(call $open (i32.const {descriptor}) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 32))"
        );
        assert_eq!(errno(&open).expect("an answer"), BADF, "{descriptor}");
        let accept = format!("(call $accept (i32.const {descriptor}) (i32.const 0) (i32.const 0))");
        assert_ne!(errno(&accept).expect("an answer"), "0", "{descriptor}");
    }
    for descriptor in (0..6).chain([99, -1]) {
        for call in [
            format!(
                "(call $send (i32.const {descriptor}) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 16))"
            ),
            format!(
                "(call $receive (i32.const {descriptor}) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 16) (i32.const 20))"
            ),
            format!("(call $shutdown (i32.const {descriptor}) (i32.const 3))"),
        ] {
            assert_ne!(errno(&call).expect("an answer"), "0", "{call}");
        }
    }
    let twice = "(drop (call $renumber (i32.const 1) (i32.const 2))) (call $close (i32.const 1))";
    assert_eq!(errno(twice).expect("an answer"), BADF);
}

#[test]
fn pointers_out_of_memory_are_refused() {
    for body in [
        "(call $write (i32.const 1) (i32.const 65530) (i32.const 100) (i32.const 0))",
        "(call $write (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 0))",
        "(i32.store (i32.const 0) (i32.const 65535)) (i32.store (i32.const 4) (i32.const -1)) (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))",
        "(call $random (i32.const 65535) (i32.const 2))",
        "(call $random (i32.const 0) (i32.const -1))",
        "(call $poll (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0))",
        "(call $poll (i32.const 65500) (i32.const 0) (i32.const 2) (i32.const 0))",
    ] {
        match errno(body) {
            Ok(errno) => assert_ne!(errno, "0", "{body}"),
            Err(error) => assert!(
                matches!(error, CallError::Trap { .. } | CallError::Other(_) | CallError::Limit(_)),
                "{body}: {error:?}"
            ),
        }
    }
}

#[test]
fn disabled_proposals_are_refused() {
    let host = Host::new().expect("a host");
    let modules = [
        ("threads", r#"(module (memory 1 1 shared))"#),
        ("custom-page-sizes", r#"(module (memory 1 (pagesize 1)))"#),
        (
            "wide-arithmetic",
            r#"(module (func (result i64 i64) (i64.add128 (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0))))"#,
        ),
        (
            "stack-switching",
            r#"(module (type $f (func)) (type $c (cont $f)) (func (param (ref null $c))))"#,
        ),
        (
            "shared-everything threads",
            r#"(component (core type $f (func)) (core func (canon thread.available_parallelism)))"#,
        ),
        ("maps", r#"(component (type (map string u32)))"#),
    ];
    let mut taken = Vec::new();
    for (name, text) in modules {
        let Ok(binary) = wat::parse_str(text) else {
            panic!("{name} is not understood by the text format")
        };
        if host.compile(&binary).is_ok() {
            taken.push(name);
        }
    }
    assert_eq!(taken, Vec::<&str>::new());
}

#[test]
fn cut_binary_is_refused() {
    let host = Host::new().expect("a host");
    let small = [core(""), string_at(64, 1, "utf8"), preview1("(i32.const 0)")];
    for binary in &small {
        for length in 0..binary.len() {
            // A cut between two sections can leave a smaller valid binary, which compiles like any
            // other.
            let _ = host.compile(&binary[..length]);
        }
    }
    for binary in [&*GREETING, &*ECHO, &*DESKTOP, &*HOSTILE] {
        for cut in 0..200 {
            let length = binary.len() * cut / 200;
            let _ = host.compile(&binary[..length]);
        }
    }
}

#[test]
fn neighbour_answers_while_64_spin() {
    let spinning = extension(&HOSTILE, "max_fuel = 9_000_000_000_000_000_000\ntimeout_ms = 1500");
    let neighbour =
        try_extension(&GREETING, permissions("config-read = true", "")).expect("it links");
    std::thread::scope(|scope| {
        let spinners: Vec<_> =
            (0..64).map(|_| scope.spawn(|| call(&spinning, "spin", &[]))).collect();
        for _ in 0..20 {
            assert_eq!(text(&neighbour, "greet", &["World"]), "Hello, World!");
        }
        for spinner in spinners {
            let report = spinner.join().expect("no panic");
            assert_exceeded(&report, LimitName::Timeout, 1500, LimitOrigin::Manifest);
        }
    });
}

#[test]
fn too_many_random_bytes_are_refused() {
    let asked = |size: u32| {
        let module = wat(&format!(
            r#"(module
            (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
            (memory (export "memory") 64 64)
            (func (export "f") (result i32) (call $random (i32.const 0) (i32.const {size}))))"#
        ));
        call(&extension(&module, ""), "f", &[]).outcome.map(|errno| errno.to_text())
    };
    assert_eq!(asked(65_536).expect("an answer"), "0");
    assert!(asked(65_537).map_or(true, |errno| errno != "0"));
    assert!(asked(4 << 20).map_or(true, |errno| errno != "0"));

    let component = |size: u64| {
        let component = wat(&format!(
            r#"(component
            (import "wasi:random/random@0.2.0" (instance $random
                (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
            (core module $libc
                (memory (export "memory") 64 64)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
            (core instance $libc (instantiate $libc))
            (core func $bytes (canon lower (func $random "get-random-bytes")
                (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
            (core module $m
                (import "" "bytes" (func $bytes (param i64 i32)))
                (func (export "f") (call $bytes (i64.const {size}) (i32.const 0))))
            (core instance $i (instantiate $m (with "" (instance (export "bytes" (func $bytes))))))
            (func (export "f") (canon lift (core func $i "f"))))"#
        ));
        call(&extension(&component, ""), "f", &[])
    };
    assert!(component(65_536).outcome.is_ok());
    for size in [65_537, 2 << 30, u64::MAX] {
        is_refused(&component(size));
    }
}

#[test]
fn misused_wasi_ends_only_the_call() {
    let probe = extension(&PROBE, "max_fuel = 1_000_000_000\ntimeout_ms = 1000");
    let wrong = [
        "poll-nothing",
        "read-too-much",
        "write-unchecked",
        "zeroes-unchecked",
        "splice-unchecked",
        "sleep-for-ever",
        "random-without-end",
        "pollables-without-end",
    ];
    let ends = wrong.map(|what| {
        let report = call(&probe, "misuse", &[what]);
        assert!(
            report.usage.elapsed < Duration::from_millis(2_500),
            "{what}: {:?}",
            report.usage.elapsed
        );
        let end = match &report.outcome {
            Ok(_) => "returns".to_owned(),
            Err(CallError::Other(error)) => error.root_cause().to_string(),
            Err(error) => error.to_string(),
        };
        format!("{what}: {end}")
    });
    insta::assert_snapshot!(ends.join("\n"), @"
    poll-nothing: empty poll list
    read-too-much: returns
    write-unchecked: returns
    zeroes-unchecked: cannot write more zeroes than `check_write` allows
    splice-unchecked: returns
    sleep-for-ever: the extension went over its limit of time: 1,000 ms (set in the manifest)
    random-without-end: the extension went over its limit of time: 1,000 ms (set in the manifest)
    pollables-without-end: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    ");
    assert!(call(&probe, "survey", &[]).outcome.is_ok(), "the next call is a call like any other");
}

#[test]
fn oversized_value_ends_the_call() {
    let message = |size: u32| {
        let component = wat(&format!(
            r#"(component
            (type $level (enum "debug" "info" "warn" "error"))
            (import "open-sesame:host/log@0.1.0" (instance $log
                (export "level" (type $l (eq $level)))
                (export "log" (func (param "level" $l) (param "message" string)))))
            (core module $libc (memory (export "memory") 900 900))
            (core instance $libc (instantiate $libc))
            (core func $log (canon lower (func $log "log") (memory (core memory $libc "memory"))))
            (core module $m
                (import "" "log" (func $log (param i32 i32 i32)))
                (func (export "f") (call $log (i32.const 1) (i32.const 0) (i32.const {size}))))
            (core instance $i (instantiate $m (with "" (instance (export "log" (func $log))))))
            (func (export "f") (canon lift (core func $i "f"))))"#
        ));
        call(&extension(&component, "max_output_kib = 100_000"), "f", &[])
    };
    assert!(message(1 << 20).outcome.is_ok());
    for size in [17 << 20, 50 << 20] {
        assert_exceeded(&message(size), LimitName::Transfer, 16, LimitOrigin::Default);
    }
    for size in [0x7fff_ffff, 0xffff_ffff] {
        is_refused(&message(size));
    }
}
