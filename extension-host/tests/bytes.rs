//! Bytes in and out of functions with `list<u8>`.

use crate::support;

use core_types::{LimitName, LimitOrigin};
use extension_host::{Arguments, CallReport, Extension, Word};
use serde_json::{Value, json};
use support::{ECHO, assert_exceeded, extension, wat};

const EIGHT_MEBIBYTES: usize = 8 << 20;

/// Makes a component with one function `f`. Its core function gets the flat arguments, and a place
/// for its result at 0; the arguments' bytes are put at 64 and above.
fn component(parameters: &str, result: &str, core: &str) -> Extension {
    extension(
        &wat(&format!(
            r#"(component
            (core module $m (memory (export "memory") 1)
                (global $next (mut i32) (i32.const 64))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $place i32)
                    (local.set $place (global.get $next))
                    (global.set $next (i32.add (local.get $place) (local.get 3)))
                    (block $fits
                        (br_if $fits (i32.lt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
                        (drop (memory.grow (i32.add (i32.div_u (local.get 3) (i32.const 65536)) (i32.const 1)))))
                    local.get $place)
                {core})
            (core instance $i (instantiate $m))
            (func (export "f") {parameters} {result}
                (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))"#
        )),
        "",
    )
}

/// Stores the result of the function: a discriminant at 0, and an address and a length at 4.
const STORE: &str = "(i32.store (i32.const 4) (local.get $at)) (i32.store (i32.const 8) (local.get $len)) i32.const 0";

fn called(extension: &Extension, words: &[&[u8]]) -> CallReport {
    let words = words.iter().map(|word| Word::typed(*word)).collect();
    extension.call_blocking("f", &Arguments::Words(words))
}

fn bytes(report: CallReport) -> Vec<u8> {
    report.outcome.expect("it returns").bytes().expect("bytes").into_owned()
}

#[test]
fn eight_mebibytes_pass_both_ways() {
    let input: Vec<u8> = (0..EIGHT_MEBIBYTES).map(|at| (at % 251) as u8).collect();
    let echo = extension(&ECHO, "");
    let report = echo.call_blocking("echo-bytes", &Arguments::words([input.clone()]));
    assert!(bytes(report) == input, "the bytes are as they were");
}

#[test]
fn bytes_pass_with_other_parameters() {
    let result = r#"(result (result (list u8) (error string)))"#;
    let texts = component(
        r#"(param "name" string) (param "data" (list u8))"#,
        result,
        &format!(
            r#"(func (export "f") (param i32 i32) (param $at i32) (param $len i32) (result i32) {STORE})"#
        ),
    );
    let input = vec![7; EIGHT_MEBIBYTES];
    assert!(bytes(called(&texts, &[b"name", &input])) == input);
    let number = component(
        r#"(param "offset" u32) (param "data" (list u8))"#,
        r#"(result (option (list u8)))"#,
        &format!(
            r#"(func (export "f") (param i32) (param $at i32) (param $len i32) (result i32)
            (i32.store8 (i32.const 0) (i32.ne (local.get 0) (i32.const 0))) {STORE})"#
        ),
    );
    let json = |offset: &str| {
        called(&number, &[offset.as_bytes(), b"ab"]).outcome.expect("it returns").to_json()
    };
    assert_eq!((json("0"), json("1")), (Value::Null, json!([97, 98])));
}

#[test]
fn bytes_pass_with_two_others() {
    let input = vec![7; EIGHT_MEBIBYTES];
    let cases: [(_, _, [&[u8]; 3]); 3] = [
        (
            r#"(param "image" (list u8)) (param "width" u32) (param "height" u32)"#,
            "(param $at i32) (param $len i32) (param i32 i32)",
            [&input, b"640", b"480"],
        ),
        (
            r#"(param "bucket" string) (param "key" string) (param "value" (list u8))"#,
            "(param i32 i32 i32 i32) (param $at i32) (param $len i32)",
            [b"notes", b"today", &input],
        ),
        (
            r#"(param "data" (list u8)) (param "from" string) (param "to" string)"#,
            "(param $at i32) (param $len i32) (param i32 i32 i32 i32)",
            [&input, b"png", b"webp"],
        ),
    ];
    for (parameters, flat, words) in cases {
        let result = r#"(result (result (list u8) (error string)))"#;
        let core = format!(r#"(func (export "f") {flat} (result i32) {STORE})"#);
        let echo = component(parameters, result, &core);
        assert!(bytes(called(&echo, &words)) == input, "{parameters}");
    }
}

#[test]
fn byte_results_keep_their_form() {
    let function = |is_err: i32| {
        component(
            r#"(param "data" (list u8))"#,
            r#"(result (result (list u8) (error string)))"#,
            &format!(
                r#"(func (export "f") (param $at i32) (param $len i32) (result i32)
                (i32.store8 (i32.const 0) (i32.const {is_err})) {STORE})"#
            ),
        )
    };
    let ok = called(&function(0), &[b"hi"]).outcome.expect("it returns");
    assert_eq!(
        (ok.is_err(), ok.to_text(), ok.to_json()),
        (false, "[104, 105]".to_owned(), json!({ "ok": [104, 105] }))
    );
    let err = called(&function(1), &[b"hi"]).outcome.expect("it returns");
    assert_eq!(
        (err.is_err(), err.to_text(), err.to_json()),
        (true, "hi".to_owned(), json!({ "err": "hi" }))
    );
    for returned in [ok, err] {
        assert_eq!(serde_json::to_value(&returned).expect("JSON"), returned.to_json());
    }
}

#[test]
fn optional_bytes_can_be_left_out() {
    let lengths = component(
        r#"(param "first" (option (list u8))) (param "second" (option (list u8)))"#,
        "(result u32)",
        r#"(func (export "f") (param $is1 i32) (param i32) (param $len1 i32) (param $is2 i32) (param i32) (param $len2 i32)
            (result i32)
            (i32.add
                (i32.mul (i32.const 1000) (i32.add (i32.mul (local.get $is1) (i32.const 10)) (local.get $len1)))
                (i32.add (i32.mul (local.get $is2) (i32.const 10)) (local.get $len2))))"#,
    );
    let lengths = |words: &[&[u8]]| called(&lengths, words).outcome.expect("it returns").to_text();
    assert_eq!(lengths(&[b"%none", b"abc"]), "13");
    assert_eq!(lengths(&[b"none"]), "14000");
    assert_eq!(lengths(&[b"", b"\xff"]), "10011");
}

#[test]
fn json_arrays_are_bytes() {
    let echo = extension(&ECHO, "");
    let call =
        |json: &str| echo.call_blocking("echo-bytes", &Arguments::Json(json.to_owned())).outcome;
    assert_eq!(call("[[104, 105.0]]").expect("it returns").to_json(), json!([104, 105]));
    let error = |json: &str| call(json).expect_err(json).to_string();
    insta::assert_snapshot!(error("[[1, 256]]"), @"argument 1 (`value`) is not of type list<u8>: [1]: 256 is out of range");
    insta::assert_snapshot!(error(r#"["hi"]"#), @"argument 1 (`value`) is not of type list<u8>: a text stands where an array should");
}

#[test]
fn claimed_bytes_end_in_the_limit() {
    let claim = |pages: u32, length: u32, limits: &str| {
        let claiming = wat(&format!(
            r#"(component
            (core module $m (memory (export "memory") {pages})
                (func (export "f") (result i32) (i32.store (i32.const 4) (i32.const {length})) i32.const 0))
            (core instance $i (instantiate $m))
            (func (export "f") (result (list u8)) (canon lift (core func $i "f") (memory (core memory $i "memory")))))"#
        ));
        called(&extension(&claiming, limits), &[])
    };
    assert_eq!(bytes(claim(160, 10 << 20, "")).len(), 10 << 20);
    assert_exceeded(&claim(320, 17 << 20, ""), LimitName::Transfer, 16, LimitOrigin::Default);
    let gibibyte = claim(16_385, 1 << 30, "max_memory_mib = 4_095");
    assert_exceeded(&gibibyte, LimitName::Transfer, 16, LimitOrigin::Default);
    assert!(claim(1, 1 << 30, "").outcome.is_err(), "there is not as much memory");
}
