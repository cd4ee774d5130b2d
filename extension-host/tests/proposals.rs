//! The proposals of WebAssembly that toolchains emit: each runs, and none is a way around a limit.

use crate::support::{assert_exceeded, call, extension, text, wat};
use core_types::{LimitName, LimitOrigin};

/// One module for each proposal, with the result of its function `f`.
const MODULES: [(&str, &str, &str); 9] = [
    (
        "several memories",
        r#"(module (memory $a 1) (memory $b 1)
        (func (export "f") (result i32) (i32.store $b (i32.const 0) (i32.const 7)) (i32.load $b (i32.const 0))))"#,
        "7",
    ),
    (
        "64-bit memories",
        r#"(module (memory i64 1)
        (func (export "f") (result i32) (i32.store (i64.const 8) (i32.const 7)) (i32.load (i64.const 8))))"#,
        "7",
    ),
    (
        "tail calls",
        r#"(module
        (func $count (param i32) (result i32) (if (result i32) (i32.eqz (local.get 0)) (then i32.const 7)
            (else (return_call $count (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "f") (result i32) (call $count (i32.const 1000000))))"#,
        "7",
    ),
    (
        "extended constants",
        r#"(module (global $g i32 (i32.add (i32.const 3) (i32.const 4)))
        (func (export "f") (result i32) global.get $g))"#,
        "7",
    ),
    // The plain instructions of x86 give 5 for the swizzle and the least integer for NaN; the
    // deterministic ones give 0 for both.
    (
        "relaxed SIMD, the same on every processor",
        r#"(module (func (export "f") (result i32) (i32.add
        (i32x4.extract_lane 0 (i32x4.relaxed_trunc_f32x4_s (f32x4.splat (f32.const 7.5))))
        (i32.add
            (i8x16.extract_lane_u 0 (i8x16.relaxed_swizzle
                (i8x16.splat (i32.const 5)) (i8x16.splat (i32.const 16))))
            (i32x4.extract_lane 0 (i32x4.relaxed_trunc_f32x4_s (f32x4.splat (f32.const nan))))))))"#,
        "7",
    ),
    (
        "exceptions",
        r#"(module (tag $e (param i32)) (func (export "f") (result i32)
        (block $h (result i32) (try_table (result i32) (catch $e $h) (throw $e (i32.const 7))))))"#,
        "7",
    ),
    (
        "function references",
        r#"(module (type $t (func (result i32))) (func $seven (result i32) i32.const 7)
        (elem declare func $seven) (func (export "f") (result i32) (call_ref $t (ref.func $seven))))"#,
        "7",
    ),
    (
        "garbage collection",
        r#"(module (type $s (struct (field i32)))
        (func (export "f") (result i32) (struct.get $s 0 (struct.new $s (i32.const 7)))))"#,
        "7",
    ),
    (
        "SIMD",
        r#"(module (func (export "f") (result i32) (i32x4.extract_lane 1 (v128.const i32x4 6 7 8 9))))"#,
        "7",
    ),
];

#[test]
fn proposals_that_are_on_run() {
    for (name, module, expected) in MODULES {
        assert_eq!(text(&extension(&wat(module), ""), "f", &[]), expected, "{name}");
    }
}

/// The limit of memory holds for all memories and the heap of the collector together.
#[test]
fn memory_limit_counts_everything() {
    let grow = |memory: &str| {
        format!(
            "(loop $l (br_if $l (i32.ne (memory.grow {memory} (i32.const 10)) (i32.const -1))))"
        )
    };
    let two = format!(
        r#"(module (memory $a 1) (memory $b 1) (func (export "f") {} {} unreachable))"#,
        grow("$a"),
        grow("$b")
    );
    let wide = r#"(module (memory i64 1) (func (export "f")
        (loop $l (br_if $l (i64.ne (memory.grow (i64.const 10)) (i64.const -1)))) unreachable))"#;
    let heap = r#"(module (type $a (array (mut i8))) (type $s (struct (field (ref $a)) (field (ref null $s))))
        (global $list (mut (ref null $s)) (ref.null $s))
        (func (export "f") (loop $l
            (global.set $list (struct.new $s (array.new_default $a (i32.const 65536)) (global.get $list))) (br $l))))"#;
    for module in [two.as_str(), wide, heap] {
        let report = call(&extension(&wat(module), "max_memory_mib = 4"), "f", &[]);
        assert_exceeded(&report, LimitName::Memory, 4, LimitOrigin::Manifest);
        assert!(report.usage.memory_bytes <= 4 << 20, "{module}: {}", report.usage.memory_bytes);
    }
    let table = r#"(module (table 1 (ref null any)) (func (export "f")
        (loop $l (br_if $l (i32.ne (table.grow (ref.null any) (i32.const 100)) (i32.const -1)))) unreachable))"#;
    let report = call(&extension(&wat(table), "max_table_elements = 1_000"), "f", &[]);
    assert_exceeded(&report, LimitName::TableElements, 1_000, LimitOrigin::Manifest);
}

/// Code without loops is interrupted as well: a tail call is as good as a loop.
#[test]
fn tail_calls_run_out_of_fuel() {
    let module = wat(r#"(module (func $f (export "f") (return_call $f)))"#);
    let report = call(&extension(&module, "max_fuel = 1_000_000"), "f", &[]);
    assert_exceeded(&report, LimitName::Fuel, 1_000_000, LimitOrigin::Manifest);
    let throws = wat(r#"(module (tag $e) (func (export "f") (loop $l
            (block $h (try_table (catch $e $h) (throw $e))) (br $l))))"#);
    let report = call(&extension(&throws, "max_fuel = 1_000_000"), "f", &[]);
    assert_exceeded(&report, LimitName::Fuel, 1_000_000, LimitOrigin::Manifest);
}

#[test]
fn uncaught_exception_is_a_crash() {
    let report =
        call(&extension(&wat(r#"(module (tag $e) (func (export "f") (throw $e)))"#), ""), "f", &[]);
    insta::assert_snapshot!(report.outcome.expect_err("crashed"), @"the extension crashed: it threw an exception that nothing catches");
}
