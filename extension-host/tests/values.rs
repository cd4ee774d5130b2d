//! Every WIT type through a guest and back, as JSON and as WAVE.

use crate::support;

use std::sync::LazyLock;

use extension_host::wasmtime::component::Type;
use extension_host::{Arguments, CallReport, ExportedFunction, Extension, Word};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use support::{ECHO, call, extension, text, wat};

/// Makes JSON for a value of any type, in the written form.
fn json_of(ty: &Type) -> BoxedStrategy<Value> {
    match ty {
        Type::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Type::U8 => any::<u8>().prop_map(Value::from).boxed(),
        Type::U16 => any::<u16>().prop_map(Value::from).boxed(),
        Type::U32 => any::<u32>().prop_map(Value::from).boxed(),
        Type::U64 => any::<u64>().prop_map(|value| integer(value.into())).boxed(),
        Type::S8 => any::<i8>().prop_map(Value::from).boxed(),
        Type::S16 => any::<i16>().prop_map(Value::from).boxed(),
        Type::S32 => any::<i32>().prop_map(Value::from).boxed(),
        Type::S64 => any::<i64>().prop_map(|value| integer(value.into())).boxed(),
        Type::Float32 => {
            any::<f32>().prop_map(|value| float(value.into(), value.to_string())).boxed()
        }
        Type::Float64 => any::<f64>().prop_map(|value| float(value, value.to_string())).boxed(),
        Type::Char => any::<char>().prop_map(|value| Value::from(value.to_string())).boxed(),
        Type::String => any::<String>().prop_map(Value::from).boxed(),
        Type::List(list) => {
            prop::collection::vec(json_of(&list.ty()), 0..4).prop_map(Value::from).boxed()
        }
        Type::Tuple(tuple) => {
            tuple.types().map(|ty| json_of(&ty)).collect::<Vec<_>>().prop_map(Value::from).boxed()
        }
        Type::Record(record) => {
            let (names, fields): (Vec<_>, Vec<_>) =
                record.fields().map(|field| (field.name.to_owned(), json_of(&field.ty))).unzip();
            fields.prop_map(move |values| names.iter().cloned().zip(values).collect()).boxed()
        }
        Type::Variant(variant) => {
            tagged(variant.cases().map(|case| (case.name.to_owned(), case.ty)).collect())
        }
        Type::Result(result) => {
            tagged(vec![("ok".to_owned(), result.ok()), ("err".to_owned(), result.err())])
        }
        Type::Enum(names) => {
            prop::sample::select(owned(names.names())).prop_map(Value::from).boxed()
        }
        Type::Flags(flags) => {
            let names = owned(flags.names());
            prop::sample::subsequence(names.clone(), 0..=names.len()).prop_map(Value::from).boxed()
        }
        Type::Option(option) => {
            let inner = option.ty();
            let wrap = matches!(inner, Type::Option(_));
            let some = json_of(&inner)
                .prop_map(move |value| if wrap { json!({ "some": value }) } else { value });
            prop_oneof![Just(Value::Null), some].boxed()
        }
        other => panic!("no values for {other:?}"),
    }
}

fn owned<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.map(str::to_owned).collect()
}

fn tagged(cases: Vec<(String, Option<Type>)>) -> BoxedStrategy<Value> {
    let cases = cases.into_iter().map(|(name, ty)| {
        let payload = ty.map_or(Just(Value::Null).boxed(), |ty| json_of(&ty));
        payload.prop_map(move |value| json!({ name.as_str(): value })).boxed()
    });
    prop::strategy::Union::new(cases).boxed()
}

fn integer(value: i128) -> Value {
    match i64::try_from(value) {
        Ok(small) if value.unsigned_abs() <= 1 << 53 => small.into(),
        _ => value.to_string().into(),
    }
}

fn float(value: f64, shortest: String) -> Value {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        shortest.parse::<f64>().expect("a number").into()
    }
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..Default::default() })
}

/// The guest, compiled once.
static ECHOING: LazyLock<Extension> = LazyLock::new(|| extension(&ECHO, ""));

fn echoes(extension: &Extension) -> Vec<ExportedFunction> {
    extension
        .exports()
        .iter()
        .filter(|function| function.name.starts_with("echo-"))
        .cloned()
        .collect()
}

fn parameter(function: &ExportedFunction) -> Type {
    function.parameters().first().expect("one parameter").1.clone()
}

#[test]
fn every_type_comes_back_as_json() {
    let echo = &*ECHOING;
    let functions = echoes(echo);
    assert!(functions.len() >= 28, "{functions:?}");
    for function in functions {
        let mut runner = runner(40);
        let run = runner.run(&json_of(&parameter(&function)), |value| {
            let arguments = Arguments::Json(Value::from(vec![value.clone()]).to_string());
            let returned =
                echo.call_blocking(&function.name, &arguments).outcome.expect("it returns");
            prop_assert_eq!(returned.to_json(), value);
            Ok(())
        });
        run.unwrap_or_else(|error| panic!("{function}: {error}"));
    }
}

#[test]
fn shown_value_can_be_passed_back() {
    shown_can_be_given_back(&ECHOING);
}

/// A guest whose functions return their argument, with names that are keywords of WAVE.
static LABELS: LazyLock<Extension> = LazyLock::new(|| {
    let store = |at: usize| format!("(i32.store8 (i32.const {at}) (local.get {at}))");
    let module = format!(
        r#"(core module $m
            (memory (export "memory") 1)
            (func (export "id") (param i32) (result i32) local.get 0)
            (func (export "two") (param i32 i32) (result i32) {two} i32.const 0)
            (func (export "eight") (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32) {eight} i32.const 0))"#,
        two = (0..2).map(store).collect::<String>(),
        eight = (0..8).map(store).collect::<String>(),
    );
    let function = |name: &str, ty: &str, core: &str| {
        let lifted =
            format!(r#"(canon lift (core func $i "{core}") (memory (core memory $i "memory")))"#);
        format!(r#"(func (export "echo-{name}") (param "x" {ty}) (result {ty}) {lifted})"#)
    };
    let functions = [
        function("enum", "$e", "id"),
        function("flags", "$f", "id"),
        function("variant", "$v", "two"),
        function("record", "$r", "eight"),
        function("option", "(option $e)", "two"),
        function("result", "(result $e (error $e))", "two"),
    ];
    extension(
        &wat(&format!(
            r#"(component {module} (core instance $i (instantiate $m))
            (type $e0 (enum "ok" "err" "some" "none" "true" "false" "inf" "nan" "ready"))
            (export $e "state" (type $e0))
            (type $f0 (flags "ok" "err" "some" "none" "true" "false" "inf" "nan"))
            (export $f "modes" (type $f0))
            (type $v0 (variant (case "ok" u8) (case "err" $e) (case "some" u8) (case "none") (case "true" $e)
                (case "false") (case "inf" u8) (case "nan")))
            (export $v "event" (type $v0))
            (type $r0 (record (field "ok" u8) (field "err" $e) (field "some" u8) (field "none" u8) (field "true" $e)
                (field "false" u8) (field "inf" u8) (field "nan" u8)))
            (export $r "counts" (type $r0))
            {})"#,
            functions.concat()
        )),
        "",
    )
});

#[test]
fn labels_like_keywords_come_back() {
    shown_can_be_given_back(&LABELS);
    for function in echoes(&LABELS) {
        let run = runner(40).run(&json_of(&parameter(&function)), |value| {
            let arguments = Arguments::Json(Value::from(vec![value.clone()]).to_string());
            let returned =
                LABELS.call_blocking(&function.name, &arguments).outcome.expect("it returns");
            prop_assert_eq!(returned.to_json(), value);
            Ok(())
        });
        run.unwrap_or_else(|error| panic!("{function}: {error}"));
    }
}

#[test]
fn keyword_labels_need_no_percent() {
    for name in ["ok", "err", "some", "none", "true", "false", "inf", "nan", "ready"] {
        for word in [name.to_owned(), format!("%{name}")] {
            let returned = call(&LABELS, "echo-enum", &[&word]).outcome.expect("it returns");
            assert_eq!(returned.to_json(), json!(name), "{word}");
        }
    }
    let json = |function: &str, word: &str| {
        call(&LABELS, function, &[word]).outcome.expect(word).to_json()
    };
    assert_eq!(json("echo-flags", "{none, %true}"), json!(["none", "true"]));
    assert_eq!(json("echo-variant", "inf(3)"), json!({ "inf": 3 }));
    assert_eq!(json("echo-variant", "%err(none)"), json!({ "err": "none" }));
    assert_eq!(json("echo-variant", "false"), json!({ "false": null }));
    // Without a `%` they are the option's and the result's own.
    assert_eq!(json("echo-option", "none"), Value::Null);
    assert_eq!(json("echo-option", "%none"), json!("none"));
    assert_eq!(json("echo-option", "some(none)"), json!("none"));
    assert_eq!(json("echo-result", "err(ok)"), json!({ "err": "ok" }));
    assert_eq!(json("echo-result", "%err"), json!({ "ok": "err" }));
}

fn shown_can_be_given_back(echo: &Extension) {
    for function in echoes(echo) {
        let ty = parameter(&function);
        // Of a result only the inside is shown, and of bytes only the bytes; an option of text
        // takes any text.
        let takes_any_text = matches!(&ty, Type::Option(option) if option.ty() == Type::String);
        if matches!(ty, Type::Result(_)) || function.name == "echo-bytes" || takes_any_text {
            continue;
        }
        let mut runner = runner(20);
        let run = runner.run(&json_of(&ty), |value| {
            let arguments = Arguments::Json(Value::from(vec![value]).to_string());
            let shown = echo
                .call_blocking(&function.name, &arguments)
                .outcome
                .expect("it returns")
                .to_text();
            prop_assert_eq!(text(echo, &function.name, &[&shown]), shown);
            Ok(())
        });
        run.unwrap_or_else(|error| panic!("{function}: {error}"));
    }
}

fn read(function: &str, input: &str) -> CallReport {
    ECHOING.call_blocking(function, &Arguments::Words(vec![Word::read(input)]))
}

#[test]
fn stream_newline_does_not_count() {
    let values = [
        ("echo-f64", "5.5"),
        ("echo-bool", "true"),
        ("echo-tuple", "(1, \"x\")"),
        ("echo-flags", "{read}"),
        ("echo-option-option", "some(some(5))"),
        ("echo-u32", "5"),
        ("echo-enum", "red"),
        ("echo-char", "'a'"),
    ];
    for (function, value) in values {
        for end in ["", "\n", "\r\n"] {
            let outcome = read(function, &format!("{value}{end}")).outcome;
            assert_eq!(outcome.expect(function).to_text(), value, "{end:?}");
        }
        assert!(
            call(&ECHOING, "echo-u32", &["5\n"]).outcome.is_err(),
            "what is typed counts as it stands"
        );
    }
}

#[test]
fn newline_of_a_string_counts() {
    let json =
        |function: &str, input: &str| read(function, input).outcome.expect(function).to_json();
    assert_eq!(json("echo-string", "a\n"), json!("a\n"));
    assert_eq!(json("echo-bytes", "a\n"), json!([97, 10]));
    assert_eq!(json("echo-option", "none\n"), json!("none\n"));
    assert_eq!(json("echo-char", "\n"), json!("\n"));
    assert_eq!(json("echo-char", "a\n"), json!("a"));
    assert_eq!(json("echo-char", "\n\n"), json!("\n"));
}

#[test]
fn option_takes_any_text_and_none() {
    let json = |word: &str| call(&ECHOING, "echo-option", &[word]).outcome.expect(word).to_json();
    assert_eq!(json("%none"), Value::Null);
    for text in
        ["", "none", "None", "some(\"x\")", "null", "%", "%some", "%none ", " %none", "100%none"]
    {
        assert_eq!(json(text), json!(text));
    }
    assert_eq!(json("%%none"), json!("%none"));
    assert_eq!(json("%%%none"), json!("%%none"));
    assert_eq!(read("echo-option", "%none").outcome.expect("it returns").to_json(), json!("%none"));
}

#[test]
fn none_can_stand_in_the_middle() {
    let middle = extension(
        &wat(r#"(component
            (core module $m (func (export "f") (param i32 i32 i32 i32) (result i32)
                (i32.add (i32.mul (local.get 1) (i32.const 10)) (local.get 3))))
            (core instance $i (instantiate $m))
            (func (export "f") (param "a" u8) (param "b" (option u8)) (param "c" u8) (result u32)
                (canon lift (core func $i "f"))))"#),
        "",
    );
    assert_eq!(text(&middle, "f", &["1", "none", "3"]), "3");
    assert_eq!(text(&middle, "f", &["1", "2", "3"]), "13");
    assert_eq!(text(&middle, "f", &["1", "some(2)", "3"]), "13");
    let error =
        call(&middle, "f", &["1", "some(256)", "3"]).outcome.expect_err("out of range").to_string();
    insta::assert_snapshot!(error, @"argument 2 (`b`) is not of type option<u8>: .some: 256 is out of range");
}

#[test]
fn numbers_out_of_range_are_errors() {
    let errors = |function: &str, word: &str, json: &str| {
        let error = |report: CallReport| report.outcome.expect_err(function).to_string();
        let words = error(call(&ECHOING, function, &[word]));
        let json = error(ECHOING.call_blocking(function, &Arguments::Json(json.to_owned())));
        for message in [words, json] {
            assert!(message.contains("out of range"), "{message}");
        }
    };
    errors("echo-f32", "1e300", "[1e300]");
    errors("echo-f32", "-3.5e38", "[-3.5e38]");
    errors("echo-f64", "-1e400", "[1e400]");
    errors("echo-u8", "300", "[300]");
    errors("echo-u8", "-1.0", "[-1.0]");
    errors("echo-u64", "1e20", "[1e20]");
    errors("echo-lists", "[[4294967296]]", "[[[4294967296.0]]]");
    errors("echo-variant", "circle(1e400)", r#"[{"circle": 1e400}]"#);
    assert_eq!(text(&ECHOING, "echo-f32", &["-inf"]), "-inf");
    assert_eq!(text(&ECHOING, "echo-f64", &["nan"]), "nan");
}

#[test]
fn integers_can_be_floats() {
    let json = |function: &str, json: &str| {
        ECHOING
            .call_blocking(function, &Arguments::Json(json.to_owned()))
            .outcome
            .expect(json)
            .to_json()
    };
    assert_eq!(json("echo-u8", "[5.0]"), json!(5));
    assert_eq!(json("echo-s16", "[-5e0]"), json!(-5));
    assert_eq!(json("echo-u64", "[9007199254740993.0]"), json!("9007199254740993"));
    assert_eq!(json("echo-u64", "[1e19]"), json!("10000000000000000000"));
    assert_eq!(json("echo-u32", r#"["5.0"]"#), json!(5));
    assert_eq!(
        json("echo-string", r#"["5.0 \" 6e0"]"#),
        json!("5.0 \" 6e0"),
        "texts are left alone"
    );
    assert_eq!(json("echo-f64", "[-0.0]").to_string(), "-0.0");
    assert_eq!(json("echo-f64", "[5.0]"), json!(5.0));
    assert_eq!(text(&ECHOING, "echo-lists", &["[[5.0], [5e0]]"]), "[[5], [5]]");
    for zero in ["[0.0]", "[0e7]", "[-0.0]"] {
        assert_eq!(json("echo-u8", zero), json!(0));
    }
    // Some would be rounded to an integer on the way.
    let rounded = ["[5.00000000000000000000001]", "[1e-400]", "[9007199254740993.5]"];
    for wrong in ["[5.5]", "[5e-1]", "[true]", "[256]", "[1e400]"].into_iter().chain(rounded) {
        for function in ["echo-u8", "echo-u64"] {
            let report = ECHOING.call_blocking(function, &Arguments::Json(wrong.to_owned()));
            let is_wrong = (function, wrong) != ("echo-u64", "[256]");
            assert_eq!(report.outcome.is_err(), is_wrong, "{function} {wrong}");
        }
    }
}

#[test]
fn unknown_or_double_field_is_error() {
    let person = |more: &str| {
        format!("{{name: \"a\", age: 3, home: {{street: \"s\", lines: []}}, tags: []{more}}}")
    };
    assert!(call(&ECHOING, "echo-record", &[&person("")]).outcome.is_ok());
    let message = |more: &str| {
        let report = call(&ECHOING, "echo-record", &[&person(more)]);
        let message = report.outcome.expect_err(more).to_string();
        message.rsplit("}: ").next().unwrap_or_default().to_owned()
    };
    insta::assert_snapshot!(message(", agee: 3"), @"there is no field `agee`");
    insta::assert_snapshot!(message(", age: 3"), @"the field `age` is given twice");
    insta::assert_snapshot!(message(", %age: 3"), @"the field `age` is given twice");
    let json = Arguments::Json(r#"[{"name": "a", "age": 3, "age": 4}]"#.to_owned());
    let twice = ECHOING.call_blocking("echo-record", &json).outcome.expect_err("twice").to_string();
    assert!(twice.contains("the field `age` is given twice"), "{twice}");
    let flags = Arguments::Json(r#"[["read", "write", "read"]]"#.to_owned());
    let twice = ECHOING.call_blocking("echo-flags", &flags).outcome.expect_err("twice").to_string();
    assert!(twice.contains("the flag `read` is given twice"), "{twice}");
}

proptest! {
    #[test]
    fn bytes_come_back_as_bytes(bytes: Vec<u8>) {
        let report = ECHOING.call_blocking("echo-bytes", &Arguments::words([bytes.clone()]));
        let returned = report.outcome.expect("it returns");
        prop_assert_eq!(returned.bytes().map(std::borrow::Cow::into_owned), Some(bytes));
    }

    #[test]
    fn a_text_is_taken_as_it_stands(word: String) {
        prop_assert_eq!(text(&ECHOING, "echo-string", &[&word]), word);
    }
}
