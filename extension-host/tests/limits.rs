//! Every limit, each with a guest that misbehaves where the limit allows it.

use crate::support;

use std::time::Duration;

use core_types::{EffectiveLimits, LimitName, LimitOrigin};
use extension_host::Permissions;
use support::{HOSTILE, assert_exceeded, call, ceilings, extension, text, wat};

/// Fuel for longer than a test waits.
const ENDLESS_FUEL: &str = "max_fuel = 9_000_000_000_000_000_000";

#[test]
fn endless_loop_ends_with_fuel() {
    let unlimited = extension(&HOSTILE, &format!("{ENDLESS_FUEL}\ntimeout_ms = 700"));
    let report = call(&unlimited, "spin", &[]);
    assert!(
        report.usage.elapsed >= Duration::from_millis(700) && report.usage.fuel > 10_000_000,
        "it does not end by itself"
    );

    let report = call(&extension(&HOSTILE, "max_fuel = 1_000_000"), "spin", &[]);
    assert_exceeded(&report, LimitName::Fuel, 1_000_000, LimitOrigin::Manifest);
    assert_eq!(report.usage.fuel, 1_000_000);
}

#[test]
fn endless_loop_ends_with_time() {
    let report =
        call(&extension(&HOSTILE, &format!("{ENDLESS_FUEL}\ntimeout_ms = 200")), "spin", &[]);
    assert_exceeded(&report, LimitName::Timeout, 200, LimitOrigin::Manifest);
    assert!(report.usage.elapsed < Duration::from_millis(1_500), "{:?}", report.usage.elapsed);
}

#[test]
fn sleep_in_host_ends_with_time() {
    let report = call(&extension(&HOSTILE, ""), "sleep", &["900"]);
    assert!(
        report.outcome.is_ok() && report.usage.elapsed >= Duration::from_millis(900),
        "it does block: {report:?}"
    );
    assert!(report.usage.fuel < 100_000, "and fuel does not notice");

    let report = call(&extension(&HOSTILE, "timeout_ms = 200"), "sleep", &["60000"]);
    assert_exceeded(&report, LimitName::Timeout, 200, LimitOrigin::Manifest);
    assert!(report.usage.elapsed < Duration::from_millis(1_500), "{:?}", report.usage.elapsed);
}

/// Makes a guest that calls the host for ever with maximal arguments, which costs it next to no
/// fuel.
fn busy_host(import: &str, function: &str, ty: &str, parameters: &str, arguments: &str) -> Vec<u8> {
    wat(&format!(
        r#"(component
        (import "{import}" (instance $host (export "{function}" (func {ty}))))
        (core module $libc
            (memory (export "memory") 300)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
        (core instance $libc (instantiate $libc))
        (core func $call (canon lower (func $host "{function}")
            (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
        (core module $m
            (import "" "call" (func $call (param {parameters})))
            (func (export "f") (loop $l (call $call {arguments}) (br $l))))
        (core instance $i (instantiate $m (with "" (instance (export "call" (func $call))))))
        (func (export "f") (canon lift (core func $i "f"))))"#
    ))
}

/// A guest that keeps the host busy uses next to no fuel and ends with the time.
#[test]
fn busy_host_ends_with_time() {
    let config_read = busy_host(
        "open-sesame:host/config-read@0.1.0",
        "get",
        r#"(param "key" string) (result (option string))"#,
        "i32 i32 i32",
        "(i32.const 16) (i32.const 12000000) (i32.const 0)",
    );
    let random = busy_host(
        "wasi:random/random@0.2.0",
        "get-random-bytes",
        r#"(param "len" u64) (result (list u8))"#,
        "i64 i32",
        "(i64.const 65536) (i32.const 0)",
    );
    for guest in [config_read, random] {
        let busy = support::try_extension(
            &guest,
            support::permissions("config-read = true", "timeout_ms = 200"),
        );
        let report = call(&busy.expect("it links"), "f", &[]);
        assert_exceeded(&report, LimitName::Timeout, 200, LimitOrigin::Manifest);
        assert!(report.usage.elapsed < Duration::from_millis(1_500), "{:?}", report.usage.elapsed);
        assert!(
            report.usage.fuel < 1_000_000,
            "and fuel would not have noticed: {}",
            report.usage.fuel
        );
    }
}

#[test]
fn call_after_stopped_one_works() {
    let hostile = extension(&HOSTILE, "timeout_ms = 100");
    assert!(call(&hostile, "sleep", &["60000"]).outcome.is_err());
    assert_eq!(text(&hostile, "recurse", &["10"]), text(&hostile, "recurse", &["10"]));
}

#[test]
fn start_is_limited_too() {
    let spins_at_start = wat(r#"(component
        (core module $m
            (func $start (loop $l (br $l)))
            (start $start)
            (func (export "f")))
        (core instance $i (instantiate $m))
        (func (export "f") (canon lift (core func $i "f"))))"#);
    let report =
        call(&extension(&spins_at_start, &format!("{ENDLESS_FUEL}\ntimeout_ms = 200")), "f", &[]);
    assert_exceeded(&report, LimitName::Timeout, 200, LimitOrigin::Manifest);
    let report = call(&extension(&spins_at_start, "max_fuel = 1000"), "f", &[]);
    assert_exceeded(&report, LimitName::Fuel, 1_000, LimitOrigin::Manifest);
}

/// Makes three modules with a memory each; `f` grows every one by 10 MiB and traps if that is
/// refused.
fn three_memories() -> Vec<u8> {
    wat(r#"(component
        (core module $m
            (memory 1)
            (func (export "f")
                (if (i32.eq (memory.grow (i32.const 160)) (i32.const -1)) (then unreachable))))
        (core instance $a (instantiate $m))
        (core instance $b (instantiate $m))
        (core instance $c (instantiate $m))
        (core module $all
            (import "a" "f" (func $a))
            (import "b" "f" (func $b))
            (import "c" "f" (func $c))
            (func (export "f") (call $a) (call $b) (call $c)))
        (core instance $i (instantiate $all
            (with "a" (instance $a)) (with "b" (instance $b)) (with "c" (instance $c))))
        (func (export "f") (canon lift (core func $i "f"))))"#)
}

#[test]
fn memories_are_counted_together() {
    let report = call(&extension(&three_memories(), ""), "f", &[]);
    assert!(
        report.outcome.is_ok() && report.usage.memory_bytes > 30 << 20,
        "it does grow: {report:?}"
    );

    let report = call(&extension(&three_memories(), "max_memory_mib = 25"), "f", &[]);
    assert_exceeded(&report, LimitName::Memory, 25, LimitOrigin::Manifest);
    assert!(report.usage.memory_bytes <= 25 << 20);
}

#[test]
fn initial_memory_counts() {
    let report = call(&extension(&HOSTILE, "max_memory_mib = 1"), "recurse", &["1"]);
    assert_exceeded(&report, LimitName::Memory, 1, LimitOrigin::Manifest);
}

#[test]
fn guest_survives_refused_memory() {
    let got: u32 =
        text(&extension(&HOSTILE, ""), "grow-memory", &["200"]).parse().expect("a number");
    assert!((32..64).contains(&got), "{got} MiB of 64");
}

#[test]
fn tables_are_counted_together() {
    let table = |elements: u32| {
        wat(&format!(
            r#"(component
            (core module $m
                (table $a 1 funcref) (table $b 1 funcref)
                (func (export "f")
                    (if (i32.eq (table.grow $a (ref.null func) (i32.const {elements})) (i32.const -1)) (then unreachable))
                    (if (i32.eq (table.grow $b (ref.null func) (i32.const {elements})) (i32.const -1)) (then unreachable))))
            (core instance $i (instantiate $m))
            (func (export "f") (canon lift (core func $i "f"))))"#
        ))
    };
    assert!(call(&extension(&table(6_000), ""), "f", &[]).outcome.is_ok(), "it does grow");
    let report = call(&extension(&table(6_000), "max_table_elements = 10_000"), "f", &[]);
    assert_exceeded(&report, LimitName::TableElements, 10_000, LimitOrigin::Manifest);
}

#[test]
fn instances_are_counted() {
    let instances = "(core instance (instantiate $m))".repeat(40);
    let many = wat(&format!(
        r#"(component (core module $m (func (export "f"))) {instances}
            (core instance $i (instantiate $m)) (func (export "f") (canon lift (core func $i "f"))))"#
    ));
    assert!(call(&extension(&many, ""), "f", &[]).outcome.is_ok(), "there are 41 of 64");
    let report = call(&extension(&many, "max_instances = 40"), "f", &[]);
    assert_exceeded(&report, LimitName::Instances, 40, LimitOrigin::Manifest);
}

#[test]
fn recursion_ends_with_the_stack() {
    let hostile = extension(&HOSTILE, "");
    assert!(call(&hostile, "recurse", &["1000"]).outcome.is_ok(), "it does recurse");
    assert_exceeded(
        &call(&hostile, "recurse", &["10000000"]),
        LimitName::Stack,
        512,
        LimitOrigin::Fixed,
    );
}

#[test]
fn result_is_bounded_by_transfer() {
    let forty_mebibytes = (40u64 << 20).to_string();
    let returned =
        text(&extension(&HOSTILE, "max_transfer_mib = 64"), "long-string", &[&forty_mebibytes]);
    assert_eq!(returned.len(), 40 << 20, "the host does hold it");

    let gibibyte = (1u64 << 30).to_string();
    let roomy = extension(
        &HOSTILE,
        &format!("{ENDLESS_FUEL}\nmax_memory_mib = 4_095\ntimeout_ms = 60_000"),
    );
    let report = call(&roomy, "long-string", &[&gibibyte]);
    assert_exceeded(&report, LimitName::Transfer, 16, LimitOrigin::Default);
}

#[test]
fn output_is_bounded() {
    let report = call(&extension(&HOSTILE, "max_output_kib = 100_000"), "flood", &["40000000"]);
    assert!(report.outcome.is_ok() && report.output.len() == 40_000_000, "the host does hold it");

    let report = call(&extension(&HOSTILE, "max_output_kib = 100"), "flood", &["40000000"]);
    assert_exceeded(&report, LimitName::Output, 100, LimitOrigin::Manifest);
    assert_eq!(report.output.len(), 100 * 1024);
}

#[test]
fn log_is_bounded_with_output() {
    let log = wat(r#"(component
        (type $level (enum "debug" "info" "warn" "error"))
        (import "open-sesame:host/log@0.1.0" (instance $log
            (export "level" (type $l (eq $level)))
            (export "log" (func (param "level" $l) (param "message" string)))))
        (core module $memory (memory (export "memory") 1))
        (core instance $memory (instantiate $memory))
        (core func $log (canon lower (func $log "log") (memory (core memory $memory "memory"))))
        (core module $m
            (import "" "log" (func $log (param i32 i32 i32)))
            (func (export "f") (loop $l (call $log (i32.const 1) (i32.const 0) (i32.const 1000)) (br $l))))
        (core instance $i (instantiate $m (with "" (instance (export "log" (func $log))))))
        (func (export "f") (canon lift (core func $i "f"))))"#);
    let report = call(&extension(&log, "max_output_kib = 10"), "f", &[]);
    assert_exceeded(&report, LimitName::Output, 10, LimitOrigin::Manifest);
    assert!(report.output.starts_with(b"[info] \0"), "it does log");
}

#[test]
fn host_resources_are_counted() {
    let subscribe = |times: u32| {
        wat(&format!(
            r#"(component
            (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
            (alias export $poll "pollable" (type $pollable))
            (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
                (alias outer 1 $pollable (type $outer))
                (export "pollable" (type $p (eq $outer)))
                (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
            (core func $subscribe (canon lower (func $clock "subscribe-duration")))
            (core module $m
                (import "" "subscribe" (func $subscribe (param i64) (result i32)))
                (func (export "f") (local i32) (local.set 0 (i32.const {times}))
                    (loop $l
                        (drop (call $subscribe (i64.const 1)))
                        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                        (br_if $l (local.get 0)))))
            (core instance $i (instantiate $m (with "" (instance (export "subscribe" (func $subscribe))))))
            (func (export "f") (canon lift (core func $i "f"))))"#
        ))
    };
    assert!(call(&extension(&subscribe(400), ""), "f", &[]).outcome.is_ok(), "it does pile up");
    let report = call(&extension(&subscribe(2_000), ""), "f", &[]);
    assert_exceeded(&report, LimitName::Handles, 1_000, LimitOrigin::Fixed);
}

#[test]
fn policy_ceiling_overrides_manifest() {
    let manifest = core_types::parse_toml("max_fuel = 1_000_000").expect("valid").value;
    let limits = EffectiveLimits::new(&manifest, &[ceilings("max_fuel = 1_000")]);
    let permissions = Permissions { limits, ..Default::default() };
    let report =
        call(&support::try_extension(&HOSTILE, permissions).expect("it links"), "spin", &[]);
    assert_exceeded(
        &report,
        LimitName::Fuel,
        1_000,
        LimitOrigin::Policy("/etc/pds/policy.toml".into()),
    );
    insta::assert_snapshot!(
        report.outcome.expect_err("stopped"),
        @"the extension went over its limit of fuel: 1,000 (set by policy in `/etc/pds/policy.toml`)"
    );
}

#[test]
fn same_input_uses_same_fuel() {
    let used = || call(&extension(&HOSTILE, ""), "recurse", &["500"]).usage.fuel;
    assert_eq!(used(), used());
}

#[test]
fn spinning_guests_end_in_time() {
    let spinning =
        std::sync::Arc::new(extension(&HOSTILE, &format!("{ENDLESS_FUEL}\ntimeout_ms = 300")));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let spinning = spinning.clone();
            std::thread::spawn(move || call(&spinning, "spin", &[]))
        })
        .collect();
    for thread in threads {
        let report = thread.join().expect("no panic");
        assert_exceeded(&report, LimitName::Timeout, 300, LimitOrigin::Manifest);
        assert!(report.usage.elapsed < Duration::from_secs(5), "{:?}", report.usage.elapsed);
    }
}
