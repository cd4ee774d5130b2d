//! The limit on written files, by each way of writing.

use std::fs;
use std::sync::LazyLock;

use core_types::{LimitName, LimitOrigin};
use extension_host::{CallReport, Code, Extension};

use crate::filesystem::{HOST, Home};
use crate::support::{self, assert_exceeded, call};

static PROBE: LazyLock<Code> =
    LazyLock::new(|| HOST.compile(&support::PROBE).expect("it compiles"));

/// One directory to write to, which is the third descriptor of a module.
const WRITE: &str = "{ write = [\"~/write\"] }";
const LIMITS: &str = "max_written_mib = 3\nmax_fuel = 1_000_000_000_000\ntimeout_ms = 60_000";

/// Returns the bytes in the directory that may be written to.
fn written(home: &Home) -> u64 {
    fs::read_dir(home.path("write"))
        .expect("there")
        .map(|entry| entry.expect("there").metadata().expect("there").len())
        .sum()
}

/// Fills a file in each of these ways, up to the limit and beyond.
fn assert_bounded(code: &Code, ways: &[&str]) {
    for way in ways {
        let home = Home::new();
        let probe = home.running(code, WRITE, LIMITS);
        let fill =
            |mebibytes: &str| call(&probe, "fill", &[way, &home.path("write/file"), mebibytes]);
        // Ways that write a byte beyond the part that they leave out need room for it.
        let within = fill("2");
        assert_eq!(within.outcome.expect(way).to_text(), "2", "{way}");
        // The second of several files begins with a hole.
        let expected = if *way == "several" { 3 << 20 } else { 2 << 20 };
        assert!(
            (expected..=expected + 4096).contains(&within.usage.written_bytes),
            "{way}: {:?}",
            within.usage
        );
        fs::remove_dir_all(home.path("write")).expect("removed");
        fs::create_dir(home.path("write")).expect("made");
        assert_exceeded(&fill("5"), LimitName::Written, 3, LimitOrigin::Manifest);
        assert!(written(&home) <= 3 << 20, "{way}: {}", written(&home));
    }
}

/// Everything that makes a file larger counts: bytes written twice, zeroes, copies and holes.
#[test]
fn writes_of_components_are_bounded() {
    assert_bounded(
        &PROBE,
        &[
            "write",
            "several",
            "again",
            "set-size",
            "shrink",
            "beyond",
            "stream-beyond",
            "stream",
            "append",
            "unblocked",
            "zeroes",
            "splice",
        ],
    );
}

#[cfg(feature = "wasi-0-3")]
#[test]
fn writes_of_wasi_0_3_are_bounded() {
    let code = HOST.compile(&support::PROBE_0_3).expect("it compiles");
    assert_bounded(
        &code,
        &["stream", "several", "again", "append", "beyond", "set-size", "shrink"],
    );
}

/// The standard library of a language writes by the same functions.
#[test]
fn message_names_what_was_written() {
    let home = Home::new();
    let desktop = HOST.compile(&support::DESKTOP).expect("it compiles");
    let report = call(
        &home.running(&desktop, WRITE, "max_written_mib = 1"),
        "write-text",
        &[&home.path("write/file"), &"x".repeat(2 << 20)],
    );
    insta::assert_snapshot!(report.outcome.expect_err("too much"), @"the extension went over its limit of data written to files: 1 MiB (set in the manifest)");
}

/// Makes a module that does `body` again and again with the descriptor in `$fd`, of a file that is
/// open with these flags.
fn module(home: &Home, flags: u32, body: &str) -> Extension {
    let module = support::wat(&format!(
        r#"(module
        (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_pwrite" (func $fd_pwrite (param i32 i32 i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_renumber" (func $fd_renumber (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_allocate" (func $fd_allocate (param i32 i64 i64) (result i32)))
        (import "wasi_snapshot_preview1" "fd_filestat_set_size" (func $set_size (param i32 i64) (result i32)))
        (memory (export "memory") 18)
        (data (i32.const 64) "file")
        ;; No bytes, and then a mebibyte.
        (data (i32.const 128) "\00\00\01\00\00\00\00\00\00\00\01\00\00\00\10\00")
        (func (export "f") (param $times i32) (result i32)
            (local $fd i32) (local $at i64) (local $error i32)
            (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 1)
                (i64.const 0x60) (i64.const 0) (i32.const {flags}) (i32.const 32)))
            (local.set $fd (i32.load (i32.const 32)))
            (loop $more
                (local.set $error (i32.or (local.get $error) {body}))
                (local.set $at (i64.add (local.get $at) (i64.const 0x100000)))
                (local.set $times (i32.sub (local.get $times) (i32.const 1)))
                (br_if $more (local.get $times)))
            (local.get $error)))"#
    ));
    home.running(&HOST.compile(&module).expect("it compiles"), WRITE, LIMITS)
}

fn report(home: &Home, flags: u32, body: &str, times: &str) -> CallReport {
    call(&module(home, flags, body), "f", &[times])
}

/// A module has the same limit.
#[test]
fn writes_of_modules_are_bounded() {
    const APPEND: u32 = 1;
    let write = "(call $fd_write (local.get $fd) (i32.const 128) (i32.const 2) (i32.const 32))";
    let seek = "(call $fd_seek (local.get $fd) (i64.const 0x100000) (i32.const 1) (i32.const 40))";
    let as_stdout = "(if (i32.ne (local.get $fd) (i32.const 1)) (then
        (drop (call $fd_renumber (local.get $fd) (i32.const 1))) (local.set $fd (i32.const 1))))";
    for (flags, body) in [
        (0, write.to_owned()),
        (APPEND, write.to_owned()),
        (
            0,
            "(call $fd_pwrite (local.get $fd) (i32.const 128) (i32.const 2) (local.get $at) (i32.const 32))".to_owned(),
        ),
        (0, "(call $fd_pwrite (local.get $fd) (i32.const 128) (i32.const 2) (i64.const 0) (i32.const 32))".to_owned()),
        (0, "(call $set_size (local.get $fd) (i64.add (local.get $at) (i64.const 0x100000)))".to_owned()),
        (0, format!("(block (result i32) {as_stdout} {write})")),
    ] {
        let home = Home::new();
        let within = report(&home, flags, &body, "3");
        assert_eq!(within.outcome.expect("within").to_text(), "0", "{body}");
        assert_eq!(within.usage.written_bytes, 3 << 20, "{body}");
        let home = Home::new();
        assert_exceeded(&report(&home, flags, &body, "5"), LimitName::Written, 3, LimitOrigin::Manifest);
        assert!(written(&home) <= 3 << 20, "{body}");
    }
    let home = Home::new();
    // A hole and a mebibyte, twice: the second goes over.
    let within = report(&home, 0, &format!("(i32.or {seek} {write})"), "1");
    assert_eq!((within.usage.written_bytes, written(&home)), (2 << 20, 2 << 20));
    let home = Home::new();
    assert_exceeded(
        &report(&home, 0, &format!("(i32.or {seek} {write})"), "2"),
        LimitName::Written,
        3,
        LimitOrigin::Manifest,
    );
    // Appending leaves no hole at any position.
    let home = Home::new();
    let appended = report(&home, APPEND, &format!("(i32.or {seek} {write})"), "3");
    assert_eq!((appended.usage.written_bytes, written(&home)), (3 << 20, 3 << 20));
}

/// Standard output is counted there, and failed writes are not counted.
#[test]
fn output_is_not_counted() {
    let home = Home::new();
    let printed = report(
        &home,
        0,
        "(call $fd_write (i32.const 1) (i32.const 136) (i32.const 1) (i32.const 32))",
        "1",
    );
    assert_eq!((printed.usage.written_bytes, printed.output.is_empty()), (0, false));
    let body = "(call $fd_allocate (local.get $fd) (i64.const 0) (i64.const 0x10000000))";
    let refused = report(&home, 0, body, "5");
    assert_eq!((refused.usage.written_bytes, written(&home)), (0, 0));
    assert_ne!(refused.outcome.expect("returns").to_text(), "0");
}
