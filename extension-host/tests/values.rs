//! Every WIT type goes into a guest and comes back as it was, as JSON and as WAVE.

use crate::support;

use std::sync::LazyLock;

use extension_host::wasmtime::component::Type;
use extension_host::{Arguments, ExportedFunction, Extension};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use support::{ECHO, extension, text};

/// JSON for a value of any type, in the form in which it is written.
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
        Type::Float32 => any::<f32>().prop_map(|value| float(value.into(), value.to_string())).boxed(),
        Type::Float64 => any::<f64>().prop_map(|value| float(value, value.to_string())).boxed(),
        Type::Char => any::<char>().prop_map(|value| Value::from(value.to_string())).boxed(),
        Type::String => any::<String>().prop_map(Value::from).boxed(),
        Type::List(list) => prop::collection::vec(json_of(&list.ty()), 0..4).prop_map(Value::from).boxed(),
        Type::Tuple(tuple) => tuple.types().map(|ty| json_of(&ty)).collect::<Vec<_>>().prop_map(Value::from).boxed(),
        Type::Record(record) => {
            let (names, fields): (Vec<_>, Vec<_>) =
                record.fields().map(|field| (field.name.to_owned(), json_of(&field.ty))).unzip();
            fields.prop_map(move |values| names.iter().cloned().zip(values).collect()).boxed()
        }
        Type::Variant(variant) => tagged(variant.cases().map(|case| (case.name.to_owned(), case.ty)).collect()),
        Type::Result(result) => tagged(vec![("ok".to_owned(), result.ok()), ("err".to_owned(), result.err())]),
        Type::Enum(names) => prop::sample::select(owned(names.names())).prop_map(Value::from).boxed(),
        Type::Flags(flags) => {
            let names = owned(flags.names());
            prop::sample::subsequence(names.clone(), 0..=names.len()).prop_map(Value::from).boxed()
        }
        Type::Option(option) => {
            let inner = option.ty();
            let wrap = matches!(inner, Type::Option(_));
            let some = json_of(&inner).prop_map(move |value| if wrap { json!({ "some": value }) } else { value });
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
    extension.exports().iter().filter(|function| function.name.starts_with("echo-")).cloned().collect()
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
            let returned = echo.call_blocking(&function.name, &arguments).outcome.expect("it returns");
            prop_assert_eq!(returned.to_json(), value);
            Ok(())
        });
        run.unwrap_or_else(|error| panic!("{function}: {error}"));
    }
}

#[test]
fn what_is_shown_of_a_value_can_be_given_back() {
    let echo = &*ECHOING;
    for function in echoes(echo) {
        let ty = parameter(&function);
        // Of a result only the inside is shown, and of bytes nothing but the bytes.
        if matches!(ty, Type::Result(_)) || function.name == "echo-bytes" || function.name == "echo-option" {
            continue;
        }
        let mut runner = runner(20);
        let run = runner.run(&json_of(&ty), |value| {
            let arguments = Arguments::Json(Value::from(vec![value]).to_string());
            let shown = echo.call_blocking(&function.name, &arguments).outcome.expect("it returns").to_text();
            prop_assert_eq!(text(echo, &function.name, &[&shown]), shown);
            Ok(())
        });
        run.unwrap_or_else(|error| panic!("{function}: {error}"));
    }
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
